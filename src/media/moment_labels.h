// The label file of a collection of stills: which pictures show which expression clearly, and where
// their faces' points lie. Inside this folder only.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/labels.h"
#include "mien/result.hpp"

namespace mien::media {

// x0, y0, ... of 68 points in pixels of the stored picture (pixel (0,0) covers 0..1).
using StillPoints = std::array<float, 136>;

// Points whose two makers disagree by more than this share of the face are mostly wrong (profiles,
// hands before the face), so such a picture counts as one without points.
inline constexpr double kTrustedSpread = 0.04;

struct StillLabel {
  std::string name;  // of the picture, as in the file
  int label = 0;     // index into the classes asked for
  bool has_points = false;
  StillPoints points{};
};

// Comma-separated text with a header line. Two kinds are told apart by their columns:
//   image,<one column of votes per expression>,...,majority   a picture counts when `majority`
//   names
//     one of `classes` and has at least `clear_share` of all votes of its line;
//   image,label[,...] (or path,label)   one label per picture.
// Pictures without a label, or with one that is none of `classes`, are left out. In file order.
// Errors, context = path: kNotFound, kIo, kBadFormat (columns, numbers, a picture named twice, a
// name that leads out of the folder), kLimit (core/csv.h), kNotFound when no picture is left.
Result<std::vector<StillLabel>> read_still_labels(const std::string& path,
                                                  const core::LabelSet& classes,
                                                  double clear_share);

// Adds the points of image,spread,x0,y0,...,x67,y67 (may be gzip) to the pictures that it names.
// Errors as above.
Status read_still_points(const std::string& path, std::vector<StillLabel>& stills);

// Takes out the pictures named in the `image` column of a table. Errors as above.
Status drop_named_stills(const std::string& path, std::vector<StillLabel>& stills);

}  // namespace mien::media
