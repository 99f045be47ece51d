// Face pictures with labels, held in memory at their stored size: what the still-image stage learns
// from and is measured on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/labels.h"
#include "mien/result.hpp"

namespace mien::learn {

// One picture. Pixels are 8-bit luma (ITU-R 601), row-major, in StillSet::pixels.
struct Still {
  std::string name;
  std::string group;  // pictures of one person share it; empty: unknown
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::size_t offset = 0;

  // Target distribution over StillSet::classes and its weight in the loss; weight 0: no label.
  std::vector<float> target;
  float target_weight = 0.0F;
  int majority = -1;  // index into classes; -1: none (left out of accuracy)

  // 68 points in picture pixels (pixel (0,0) covers 0..1), x0,y0,...; empty: none.
  std::vector<float> points;
  float spread = 0.0F;  // disagreement of the points' makers / face size; 0 when unknown
  // The picture is already framed like FERPlus (its whole area is the crop); otherwise the crop
  // follows from the points.
  bool framed = true;
};

struct StillSet {
  std::vector<std::string> classes;
  std::vector<Still> stills;
  std::vector<std::uint8_t> pixels;

  std::span<const std::uint8_t> pixels_of(const Still& still) const {
    return {pixels.data() + still.offset,
            static_cast<std::size_t>(still.width) * static_cast<std::size_t>(still.height)};
  }
  // Appends a picture's pixels and fills offset and size.
  void add(Still still, std::int32_t width, std::int32_t height,
           std::span<const std::uint8_t> luma);
};

// Which pictures of a dataset.
struct StillSource {
  std::string path;             // folder (or a .safetensors pack made by `mien-train pack`)
  std::string format = "auto";  // ferplus, faces, rafdb, affectnet, manifest, pack
  std::string split = "train";
  float weight = 1.0F;  // multiplies every picture's target_weight
  bool use_labels = true;
  bool use_points = true;
  // Keeps the persons (or names) whose hash is (or is not) in the held-out tenth. "all", "keep",
  // "held".
  std::string tenth = "all";
  std::vector<std::string> drop_classes;  // pictures of these lose their label
};

// Reads a dataset and expresses its labels in `classes`. Errors name the file. Pictures that cannot
// be read are counted in `skipped`, with the first few named.
struct StillReport {
  std::size_t skipped = 0;
  std::vector<std::string> examples;
};
Result<StillSet> read_stills(const StillSource& source, const std::vector<std::string>& classes,
                             StillReport* report = nullptr);

// Adds `more` (same classes) to `set`.
void append(StillSet& set, const StillSet& more);

// The person part of a name like "AJ_Cook_0001.jpg": everything before the last underscore; the
// whole name where there is none.
std::string person_of(const std::string& name);

// Whether a group belongs to the held-out tenth: FNV-1a 64 of its bytes, modulo 10, is 0. Stable
// across machines and runs.
bool in_held_out_tenth(const std::string& group);

// One file with decoded pixels and labels, for machines without the media libraries.
Status write_pack(const std::string& path, const StillSet& set);
Result<StillSet> read_pack(const std::string& path);

}  // namespace mien::learn
