#include "media/frame_rules.h"

#include <algorithm>

namespace mien::media {
namespace {

// numpy.linspace(start, stop, count): the last point is `stop` itself, whatever rounding says.
std::vector<double> linspace(double start, double stop, std::int64_t count) {
  std::vector<double> out(count);
  const double step = count > 1 ? (stop - start) / static_cast<double>(count - 1) : 0.0;
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<double>(i) * step + start;
  if (count > 1) out.back() = stop;
  return out;
}

bool sensible(std::int64_t frames, int clip_len, int rate) {
  return frames >= 1 && clip_len >= 1 && rate >= 1;
}

}  // namespace

std::vector<std::int64_t> test_loaded_indices(std::int64_t frames, int clip_len, int rate) {
  std::vector<std::int64_t> out;
  if (!sensible(frames, clip_len, rate)) return out;
  for (std::int64_t i = 0; i < frames; i += rate) out.push_back(i);
  while (out.size() < static_cast<std::size_t>(clip_len)) out.push_back(out.back());
  return out;
}

std::vector<std::int64_t> test_segment_indices(const std::vector<std::int64_t>& loaded,
                                               int clip_len, int segment, int segments) {
  const auto count = static_cast<std::int64_t>(loaded.size());
  if (clip_len < 1 || count < clip_len || segment < 0 || segment >= segments) return {};
  const std::int64_t room = count - clip_len;
  const double step = segments > 1 ? static_cast<double>(room) / (segments - 1) : 0.0;
  const auto start = std::min(static_cast<std::int64_t>(segment * step), room);
  return {loaded.begin() + start, loaded.begin() + start + clip_len};
}

EndRange train_end_range(std::int64_t frames, int clip_len, int rate) {
  const std::int64_t span = static_cast<std::int64_t>(clip_len) * rate;
  if (!sensible(frames, clip_len, rate) || frames <= span) return {};
  return {span, frames};
}

std::vector<std::int64_t> train_indices(std::int64_t frames, int clip_len, int rate,
                                        std::int64_t drawn_end) {
  std::vector<std::int64_t> out;
  if (!sensible(frames, clip_len, rate)) return out;
  const std::int64_t span = static_cast<std::int64_t>(clip_len) * rate;
  const EndRange range = train_end_range(frames, clip_len, rate);
  std::int64_t least = 0;
  std::int64_t most = frames - 1;
  std::vector<double> points;
  if (range.first == range.last) {
    points = linspace(0.0, static_cast<double>(frames), frames / rate);
    points.resize(clip_len, static_cast<double>(frames));
  } else {
    const std::int64_t end = std::clamp(drawn_end, range.first, range.last - 1);
    least = end - span;
    most = end - 1;
    points = linspace(static_cast<double>(least), static_cast<double>(end), clip_len);
  }
  for (const double point : points) {
    const double inside = std::clamp(point, static_cast<double>(least), static_cast<double>(most));
    out.push_back(static_cast<std::int64_t>(inside));
  }
  return out;
}

}  // namespace mien::media
