#include "report/calibration.h"

#include <algorithm>
#include <cmath>

#include "report/metrics.h"

namespace mien::report {
namespace {

// The bin of (i / count, (i + 1) / count] that holds `confidence`.
std::size_t bin_of(double confidence, std::size_t count) {
  const double place = std::ceil(confidence * static_cast<double>(count)) - 1.0;
  return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(count - 1)));
}

}  // namespace

Calibration calibration_of(std::span<const ClipScore> clips, int bins) {
  const auto count = static_cast<std::size_t>(std::max(bins, 1));
  Calibration out;
  out.bins.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.bins[i].low = static_cast<double>(i) / static_cast<double>(count);
    out.bins[i].high = static_cast<double>(i + 1) / static_cast<double>(count);
  }
  for (const ClipScore& clip : clips) {
    if (clip.probabilities.empty()) continue;
    const std::size_t best = argmax(clip.probabilities);
    const auto confidence = static_cast<double>(clip.probabilities[best]);
    if (std::isnan(confidence)) continue;
    const double right = clip.truth >= 0 && best == static_cast<std::size_t>(clip.truth) ? 1 : 0;
    ReliabilityBin& bin = out.bins[bin_of(confidence, count)];
    ++bin.clips;
    bin.confidence += confidence;
    bin.accuracy += right;
    ++out.clips;
    out.confidence += confidence;
    out.accuracy += right;
  }
  if (out.clips == 0) return out;
  const auto total = static_cast<double>(out.clips);
  for (ReliabilityBin& bin : out.bins) {
    if (bin.clips == 0) continue;
    out.ece += std::abs(bin.accuracy - bin.confidence) / total;  // still sums over the clips
    bin.confidence /= static_cast<double>(bin.clips);
    bin.accuracy /= static_cast<double>(bin.clips);
  }
  out.confidence /= total;
  out.accuracy /= total;
  return out;
}

}  // namespace mien::report
