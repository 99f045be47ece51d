#include "pipeline/embed_stage.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "mien/analyzer.hpp"

namespace mien::pipeline {
namespace {

// Samples embedded in one call at most: what the default stride brings, so that the first window of
// a face takes no longer than the next ones.
constexpr int kMostAtOnce = 4;

// So many that no window ends within a batch, and whole parts; else 0.
int batch_of(int stride, int part) {
  const int batch = std::gcd(stride, kMostAtOnce);
  return part > 0 && batch % part == 0 ? batch : 0;
}

}  // namespace

EmbedStage::Track::Track(int batch)
    : sampler({.window = batch, .stride = batch, .rate_hz = kSampleRateHz}) {}

EmbedStage::EmbedStage(const Recognizer& recognizer, Recognizer::Session session, int stride,
                       StageClock& clock)
    : recognizer_(recognizer),
      session_(std::move(session)),
      clock_(clock),
      part_(recognizer.embedding_frames()),
      batch_(batch_of(stride, part_)) {}

Status EmbedStage::push(CroppedFrame& cropped) {
  if (batch_ == 0) return {};
  for (CropStep& step : cropped.steps) {
    if (!step.row) {
      tracks_.erase(step.track);
      continue;
    }
    Track& track = tracks_.try_emplace(step.track, batch_).first->second;
    for (const FaceSample& sample : step.samples) {
      track.crops[sample.frame] = sample.crop;
      for (const media::ClipWindow& batch : track.sampler.push(sample.time_s, sample.frame)) {
        MIEN_TRY(embed(track, batch, step));
      }
    }
    if (const auto oldest = track.sampler.oldest_needed()) {
      track.crops.erase(track.crops.begin(), track.crops.lower_bound(*oldest));
    }
  }
  return {};
}

Status EmbedStage::embed(const Track& track, const media::ClipWindow& batch, CropStep& step) {
  const Stopwatch watch(clock_);
  faces_.clear();
  std::vector<std::vector<std::int64_t>> parts;
  for (auto at = batch.keys.begin(); at != batch.keys.end();) {
    const auto end = at + part_;
    const std::vector<std::int64_t> part(at, end);
    at = end;
    // At low frame rates a frame fills several places, side by side.
    if (!parts.empty() && parts.back() == part) continue;
    parts.push_back(part);
    for (const std::int64_t frame : part) {
      const std::vector<std::uint8_t>& crop = *track.crops.at(frame);
      faces_.insert(faces_.end(), crop.begin(), crop.end());
    }
  }
  const auto size = static_cast<std::size_t>(recognizer_.embedding_size());
  values_.resize(parts.size() * size);
  MIEN_TRY(session_.embed(faces_, static_cast<int>(parts.size()) * part_, values_));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto values = values_.begin() + static_cast<std::ptrdiff_t>(i * size);
    step.embeddings.push_back(
        {std::move(parts[i]), {values, values + static_cast<std::ptrdiff_t>(size)}});
  }
  return {};
}

}  // namespace mien::pipeline
