#include "report/time_strip.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mien::report {
namespace {

// A track of one step cannot be thinned; beyond this number of tracks the shortest give way. There
// is room for two steps of each, so that longer steps always help.
constexpr std::size_t kMaxTracks = 400;
constexpr double kMaxTimeS = 1e12;    // so that steps can be counted
constexpr double kMaxSteps = 1000.0;  // of one piece
constexpr double kLeastShare = 1e-6;  // of a piece; less is rounding

}  // namespace

TimeStrip::TimeStrip(double step_s, std::size_t max_cells)
    : step_s_(std::max(step_s, 1e-3)), max_cells_(std::max(max_cells, 2 * kMaxTracks)) {}

void TimeStrip::add(int id, double start_s, double end_s, double value) {
  const double duration = end_s - start_s;
  const bool sane = std::abs(start_s) < kMaxTimeS && std::isfinite(value) && duration > 0 &&
                    duration < kMaxSteps * step_s_;
  if (!sane) return;
  Track& track = tracks_[id];
  const auto first = static_cast<std::int64_t>(std::floor(start_s / step_s_));
  for (std::int64_t n = first; static_cast<double>(n) * step_s_ < end_s; ++n) {
    const double from = std::max(start_s, static_cast<double>(n) * step_s_);
    const double to = std::min(end_s, static_cast<double>(n + 1) * step_s_);
    if (to - from < kLeastShare * duration) continue;
    const auto [place, is_new] = track.try_emplace(n);
    place->second.sum += value * (to - from);
    place->second.weight += to - from;
    if (is_new) ++cells_;
  }
  if (cells_ <= max_cells_) return;
  while (tracks_.size() > kMaxTracks) drop_shortest();
  if (cells_ > max_cells_) double_steps();
}

void TimeStrip::double_steps() {
  step_s_ *= 2;
  cells_ = 0;
  for (auto& [id, track] : tracks_) {
    Track thinned;
    for (const auto& [n, step] : track) {
      Step& joined = thinned[n >> 1];  // downwards below 0 too
      joined.sum += step.sum;
      joined.weight += step.weight;
    }
    track = std::move(thinned);
    cells_ += track.size();
  }
}

void TimeStrip::drop_shortest() {
  const auto shortest = std::min_element(
      tracks_.begin(), tracks_.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  cells_ -= shortest->second.size();
  tracks_.erase(shortest);
}

std::vector<StripCell> TimeStrip::cells(int id) const {
  std::vector<StripCell> out;
  const auto found = tracks_.find(id);
  if (found == tracks_.end()) return out;
  for (const auto& [n, step] : found->second) {
    const double start_s = static_cast<double>(n) * step_s_;
    out.push_back({start_s, start_s + step_s_, step.sum / step.weight});
  }
  return out;
}

}  // namespace mien::report
