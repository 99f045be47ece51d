// Whether a model is right as often as it believes to be.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "report/score_table.h"

namespace mien::report {

// Clips whose confidence lies in (low, high]; the first bin has its lower end too.
struct ReliabilityBin {
  double low = 0;
  double high = 0;
  std::int64_t clips = 0;
  double confidence = 0;  // mean; 0 without clips
  double accuracy = 0;    // share of right answers; 0 without clips
};

struct Calibration {
  std::vector<ReliabilityBin> bins{};  // of equal width over 0..1
  std::int64_t clips = 0;
  double confidence = 0;  // mean over all clips
  double accuracy = 0;    // over all clips
  // Expected calibration error: the mean over the clips of |accuracy - confidence| of their bins
  // (Guo et al. 2017, "On calibration of modern neural networks", equation 3). 0..1.
  double ece = 0;
};

// Confidence is the probability of the answer (the greatest one). `bins` >= 1; 15 is the count of
// the paper above. Clips without probabilities are passed over.
Calibration calibration_of(std::span<const ClipScore> clips, int bins = 15);

}  // namespace mien::report
