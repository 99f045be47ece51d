#include "pipeline/expression_stage.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "report/metrics.h"

namespace mien::pipeline {
std::vector<float> softmax(const std::vector<float>& logits) {
  std::vector<float> out(logits.size());
  const float top = logits.empty() ? 0.0F : *std::max_element(logits.begin(), logits.end());
  float sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) sum += out[i] = std::exp(logits[i] - top);
  for (float& p : out) p /= sum;
  return out;
}

ExpressionStage::Track::Track(const ExpressionStageOptions& options)
    : sampler({.window = options.window, .stride = options.stride, .rate_hz = kSampleRateHz}) {}

ExpressionStage::ExpressionStage(const Recognizer& recognizer, Recognizer::Session session,
                                 const ExpressionStageOptions& options, StageClock& clock)
    : recognizer_(recognizer),
      session_(std::move(session)),
      options_(options),
      clock_(clock),
      part_(static_cast<std::size_t>(recognizer.embedding_frames())) {}

// Returns the windows that are complete now.
std::vector<media::ClipWindow> ExpressionStage::add(Track& track, CropStep step) {
  std::vector<media::ClipWindow> windows;
  for (FaceSample& sample : step.samples) {
    auto more = track.sampler.push(sample.time_s, sample.frame);
    std::move(more.begin(), more.end(), std::back_inserter(windows));
    track.samples[sample.frame] = std::move(sample);
  }
  for (PartEmbedding& part : step.embeddings) {
    track.embeddings[std::move(part.frames)] = std::move(part.values);
  }
  if (!step.row) {
    auto last = track.sampler.finish();
    std::move(last.begin(), last.end(), std::back_inserter(windows));
  }
  return windows;
}

Result<std::vector<WindowRow>> ExpressionStage::push(CropStep step) {
  const int id = step.track;
  const bool last = !step.row;
  Track& track = tracks_.try_emplace(id, options_).first->second;
  const std::vector<media::ClipWindow> windows = add(track, std::move(step));
  auto out = recognise_all(id, track, windows);
  if (last) tracks_.erase(id);
  return out;
}

// The window's parts, in order.
std::vector<ExpressionStage::Part> ExpressionStage::parts_of(
    const media::ClipWindow& window) const {
  std::vector<Part> parts;
  for (auto at = window.keys.begin(); at != window.keys.end();) {
    const auto end = at + static_cast<std::ptrdiff_t>(part_);
    parts.emplace_back(at, end);
    at = end;
  }
  return parts;
}

// In one call.
Status ExpressionStage::embed(Track& track, const std::vector<Part>& fresh) {
  if (fresh.empty()) return {};
  faces_.clear();
  for (const Part& part : fresh) {
    for (const std::int64_t key : part) {
      const std::vector<std::uint8_t>& crop = *track.samples.at(key).crop;
      faces_.insert(faces_.end(), crop.begin(), crop.end());
    }
  }
  const auto size = static_cast<std::size_t>(recognizer_.embedding_size());
  embeddings_.resize(size * fresh.size());
  MIEN_TRY(session_.embed(faces_, static_cast<int>(fresh.size() * part_), embeddings_));
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const auto begin = embeddings_.begin() + static_cast<std::ptrdiff_t>(i * size);
    track.embeddings[fresh[i]].assign(begin, begin + static_cast<std::ptrdiff_t>(size));
  }
  return {};
}

// What the window needs and nobody has embedded yet.
Status ExpressionStage::embed_fresh(Track& track, const media::ClipWindow& window) {
  std::vector<Part> fresh;
  for (const Part& part : parts_of(window)) {
    // A frame may occur several times in a window, then side by side.
    if (track.embeddings.contains(part) || (!fresh.empty() && fresh.back() == part)) continue;
    fresh.push_back(part);
  }
  return embed(track, fresh);
}

Status ExpressionStage::logits_of(Track& track, const media::ClipWindow& window,
                                  std::vector<float>& logits, WindowRow& row) {
  const auto frames = static_cast<int>(window.keys.size());
  prepare_mask(track, window, row);
  const ClipOptions options{.budget = options_.budget, .mask = row.window.mask};
  if (part_ > 0) {
    MIEN_TRY(embed_fresh(track, window));
    embeddings_.clear();
    for (const Part& part : parts_of(window)) {
      const std::vector<float>& embedding = track.embeddings.at(part);
      embeddings_.insert(embeddings_.end(), embedding.begin(), embedding.end());
    }
    return session_.logits_of(embeddings_, 1, frames, logits, options);
  }
  faces_.clear();
  for (const std::int64_t key : window.keys) {
    const auto& crop = *track.samples.at(key).crop;
    faces_.insert(faces_.end(), crop.begin(), crop.end());
  }
  return session_.logits(faces_, 1, frames, logits, options);
}

// Room for the mask, and where its crops lie.
void ExpressionStage::prepare_mask(const Track& track, const media::ClipWindow& window,
                                   WindowRow& row) const {
  if (!options_.mask) return;
  row.slots = recognizer_.mask_slots();
  row.grid = recognizer_.mask_grid();
  row.crop_size = recognizer_.input_size();
  row.window.mask.resize(static_cast<std::size_t>(row.slots) *
                         static_cast<std::size_t>(row.grid * row.grid));
  for (const std::int64_t key : window.keys) {
    row.places.push_back({key, track.samples.at(key).to_frame});
  }
}

Result<WindowRow> ExpressionStage::recognise(int id, Track& track,
                                             const media::ClipWindow& window) {
  std::vector<float> logits(static_cast<std::size_t>(recognizer_.num_classes()));
  WindowRow row;
  MIEN_TRY(logits_of(track, window, logits, row));
  ExpressionWindow& out = row.window;
  out.track = id;
  out.start_s = window.start_s;
  out.end_s = window.end_s;
  const float share = 1.0F / static_cast<float>(window.keys.size());
  for (const std::int64_t key : window.keys) {
    const media::FaceBox& box = track.samples.at(key).box;
    out.x += share * box.x;
    out.y += share * box.y;
    out.w += share * box.w;
    out.h += share * box.h;
  }
  out.probabilities = softmax(logits);
  const std::size_t best = report::argmax(out.probabilities);
  out.label = static_cast<int>(best);
  out.confidence = out.probabilities[best];
  return row;
}

Result<std::vector<WindowRow>> ExpressionStage::recognise_all(
    int id, Track& track, const std::vector<media::ClipWindow>& windows) {
  std::vector<WindowRow> out;
  const Stopwatch watch(clock_);
  for (const media::ClipWindow& window : windows) {
    MIEN_ASSIGN(WindowRow row, recognise(id, track, window));
    out.push_back(std::move(row));
  }
  if (const auto oldest = track.sampler.oldest_needed()) {
    track.samples.erase(track.samples.begin(), track.samples.lower_bound(*oldest));
    track.embeddings.erase(track.embeddings.begin(), track.embeddings.lower_bound({*oldest}));
  }
  return out;
}

}  // namespace mien::pipeline
