// Labelled face pictures in memory, as grey levels: what moments are composed from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "media/moment_labels.h"
#include "mien/result.hpp"

namespace mien::media {

// Where the pictures are and which of them count.
struct MomentSource {
  std::string images;     // a folder, a .tar or a .tar.gz
  std::string labels;     // CSV: votes with a majority, or image,label (read_still_labels)
  std::string landmarks;  // CSV (may be gzip) of 68 points; empty: <labels>_landmarks.csv.gz or
                          // .csv beside the labels where there is one
  std::string exclude;    // CSV with a column `image`: pictures to leave out; empty: none
  // Least share of all votes that the winner must have: a moment is to show its class.
  double clear_share = 0.5;
};

struct MomentStill {
  std::string name;
  std::string person;  // pictures of one person share it: "A_B_0001.jpg" is of "A_B"; the name
                       // without its ending where no number follows an underscore
  int label = 0;       // index into MomentStills::classes
  int width = 0;
  int height = 0;
  std::size_t offset = 0;  // of its rows in MomentStills::luma
  bool has_points = false;
  StillPoints points{};  // pixels of the picture as held here
};

// All pictures of a source. luma is 8-bit (ITU-R BT.601), row-major, picture after picture.
struct MomentStills {
  std::vector<std::string> classes;  // the order of FERPlus
  std::vector<MomentStill> stills;
  std::vector<std::uint8_t> luma;

  const std::uint8_t* pixels_of(const MomentStill& still) const {
    return luma.data() + still.offset;
  }
  // Appends a picture of width x height grey levels and fills in size and offset.
  void add(MomentStill still, int width, int height, const std::vector<std::uint8_t>& grey);
};

// Reads and decodes every picture that the labels name, in the order of the label file; pictures
// whose longer side is above `most_side` are reduced to it (>= 8). Errors: those of the label
// files; kNotFound (no such folder or archive; a named picture is not in it), kBadFormat (a picture
// is damaged, or smaller than 8 pixels), kLimit (more than 4 GiB of pixels). The context names the
// file and the picture.
Result<MomentStills> read_moment_stills(const MomentSource& source, int most_side);

// The person part of a picture's name, see MomentStill::person.
std::string person_of_picture(const std::string& name);

}  // namespace mien::media
