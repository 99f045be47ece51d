// A picture of what a model answered, to be looked at: numbers hide what kind of mistake was made.
#pragma once

#include <string>
#include <vector>

#include "learn/data/face_geometry.h"
#include "learn/data/still_set.h"

namespace mien::cli {

// One evaluated picture.
struct SheetTile {
  std::size_t still = 0;              // index into the set
  learn::CropFrame frame;             // what the model saw of it
  double badness = 0.0;               // larger is worse
  std::vector<std::string> captions;  // lines under the picture
  std::vector<float> points;          // found, x0,y0,... as fractions of the crop; may be empty
};

enum class SheetOrder {
  kWorst,  // the worst answers, the worst first
  kEven    // spread evenly over the set, whatever the answer
};

// Writes a PNG of at most 40 tiles, eight in a row. Errors: kIo (path).
Status write_sheet(const std::string& path, const learn::StillSet& set,
                   std::vector<SheetTile> tiles, SheetOrder order);

}  // namespace mien::cli
