// A row of expressions.csv with what the drawings need beside it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/align.h"
#include "mien/analyzer.hpp"

namespace mien::pipeline {

// A sample of a window: its frame, and how the crop that the recogniser saw lies on it.
struct CropPlace {
  std::int64_t frame = 0;
  media::Affine to_frame{};  // crop pixel -> frame pixel
};

struct WindowRow {
  ExpressionWindow window;

  // Of window.mask; 0 and empty when it is.
  int slots = 0;
  int grid = 0;
  int crop_size = 0;              // side of the crops in pixels
  std::vector<CropPlace> places;  // of the samples, by time; slots share them out evenly

  bool has_mask() const { return slots > 0; }
  int samples_per_slot() const { return static_cast<int>(places.size()) / slots; }

  // m of a slot, [grid, grid].
  std::span<const float> slot_mask(int slot) const;
  float slot_mean(int slot) const;
  // slot_mean() over the mean of the whole mask: above 1 where the slot counted more than the
  // others. Other than the mask itself it can be averaged over the windows that show a moment,
  // whose masks have levels of their own. 1 when the mask is 0 everywhere.
  float slot_share(int slot) const;

  // When a slot begins, in seconds; slot == slots: when the last one ends. A short track's last
  // sample is repeated to fill its window, so slots may lie behind window.end_s.
  double slot_start_s(int slot) const;
};

}  // namespace mien::pipeline
