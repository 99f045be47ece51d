// Pictures of a dataset as an evaluation sees them: unaugmented crops, and which ones count.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "learn/data/face_geometry.h"
#include "learn/data/still_set.h"

namespace mien::learn {

// Names of the pictures in the first column of a CSV with a header, e.g. FERPlus's
// valid_duplicates.csv. Errors as core::read_csv.
Result<std::set<std::string>> read_name_list(const std::string& path);

// Where `set`'s dataset lists pictures that also occur in its training part
// (<split>_duplicates.csv), the path of that list; empty when there is none.
std::string duplicates_list_of(const StillSource& source);

// RGB u8 crop [size, size, 3] of a still, grey in all three channels, framed as in training without
// augmentation (frame_on_picture, frame_on_template or frame_on_points, as given).
std::vector<std::uint8_t> crop_rgb(const StillSet& set, const Still& still, const CropFrame& frame,
                                   int size);

}  // namespace mien::learn
