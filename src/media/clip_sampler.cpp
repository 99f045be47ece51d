#include "media/clip_sampler.h"

#include <algorithm>
#include <cmath>

namespace mien::media {
namespace {

// Times that differ by less are the same: 1/30 s has no exact binary form, and time stamps are
// rounded to ticks of 1/90000 s or 1/1000 s by their containers.
constexpr double kSameTimeS = 1e-6;
// A track has no holes as long as this; a time so far off is damage and would make endless grid
// points.
constexpr double kMaxHoleS = 3600.0;

}  // namespace

ClipSampler::ClipSampler(const ClipSamplerOptions& options) : options_(options) {
  options_.window = std::max(options_.window, 1);
  options_.stride = std::max(options_.stride, 1);
  if (!(options_.rate_hz > 0.001)) options_.rate_hz = 0.001;
}

double ClipSampler::point_time(std::int64_t point) const {
  return static_cast<double>(origin_ + point) / options_.rate_hz;
}

void ClipSampler::drop_used() {
  // Points before the next window are done with.
  const std::int64_t next = windows_ * options_.stride;
  while (!chosen_.empty() && base_ < next) {
    chosen_.pop_front();
    ++base_;
  }
}

void ClipSampler::emit_ready(std::vector<ClipWindow>& out) {
  for (;;) {
    drop_used();
    const std::int64_t begin = windows_ * options_.stride;
    if (base_ != begin || chosen_.size() < static_cast<std::size_t>(options_.window)) return;
    ClipWindow window;
    window.number = windows_++;
    window.start_s = point_time(begin);
    window.end_s = point_time(begin + options_.window);
    window.keys.assign(chosen_.begin(), chosen_.begin() + options_.window);
    out.push_back(std::move(window));
  }
}

std::vector<ClipWindow> ClipSampler::push(double time_s, std::int64_t key) {
  std::vector<ClipWindow> out;
  if (finished_ || !std::isfinite(time_s)) return out;
  if (!last_) {
    // ceil(x - 1/2) is the nearest whole number with ties to the earlier one.
    origin_ = static_cast<std::int64_t>(
        std::ceil(time_s * options_.rate_hz - 0.5 - kSameTimeS * options_.rate_hz));
    last_ = Sample{time_s, key};
    return out;
  }
  if (time_s <= last_->time_s || time_s > last_->time_s + kMaxHoleS) return out;
  // Every point up to the middle between the two frames belongs to the earlier one.
  const double middle = (last_->time_s + time_s) / 2;
  for (;;) {
    const std::int64_t point = base_ + static_cast<std::int64_t>(chosen_.size());
    if (point_time(point) > middle + kSameTimeS) break;
    chosen_.push_back(last_->key);
    emit_ready(out);
  }
  last_ = Sample{time_s, key};
  return out;
}

std::vector<ClipWindow> ClipSampler::finish() {
  std::vector<ClipWindow> out;
  if (finished_ || !last_) return out;
  finished_ = true;
  const double step = 1.0 / options_.rate_hz;
  for (;;) {
    const std::int64_t point = base_ + static_cast<std::int64_t>(chosen_.size());
    // The first point always exists: it is the one nearest to the first frame.
    if (point > 0 && point_time(point) > last_->time_s + step / 2 + kSameTimeS) break;
    chosen_.push_back(last_->key);
    emit_ready(out);
  }
  if (windows_ == 0 && !chosen_.empty()) {
    ClipWindow window;
    window.start_s = point_time(0);
    window.end_s = point_time(static_cast<std::int64_t>(chosen_.size()));
    window.keys.assign(chosen_.begin(), chosen_.end());
    window.keys.resize(options_.window, last_->key);
    window.padded = true;
    out.push_back(std::move(window));
  }
  return out;
}

std::optional<std::int64_t> ClipSampler::oldest_needed() const {
  if (!last_) return std::nullopt;
  return chosen_.empty() ? last_->key : chosen_.front();
}

std::vector<ClipWindow> sample_windows(std::span<const double> times_s,
                                       const ClipSamplerOptions& options) {
  ClipSampler sampler(options);
  std::vector<ClipWindow> out;
  auto take = [&out](std::vector<ClipWindow> more) {
    std::move(more.begin(), more.end(), std::back_inserter(out));
  };
  for (std::size_t i = 0; i < times_s.size(); ++i) {
    take(sampler.push(times_s[i], static_cast<std::int64_t>(i)));
  }
  take(sampler.finish());
  return out;
}

}  // namespace mien::media
