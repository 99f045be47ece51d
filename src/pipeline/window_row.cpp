#include "pipeline/window_row.h"

#include <numeric>

namespace mien::pipeline {

std::span<const float> WindowRow::slot_mask(int slot) const {
  const std::size_t size = window.mask.size() / static_cast<std::size_t>(slots);
  return std::span(window.mask).subspan(static_cast<std::size_t>(slot) * size, size);
}

float WindowRow::slot_mean(int slot) const {
  const auto values = slot_mask(slot);
  return std::accumulate(values.begin(), values.end(), 0.0F) / static_cast<float>(values.size());
}

float WindowRow::slot_share(int slot) const {
  const float sum = std::accumulate(window.mask.begin(), window.mask.end(), 0.0F);
  const float mean = sum / static_cast<float>(window.mask.size());
  return mean > 0 ? slot_mean(slot) / mean : 1.0F;
}

double WindowRow::slot_start_s(int slot) const {
  return window.start_s + slot * samples_per_slot() / kSampleRateHz;
}

}  // namespace mien::pipeline
