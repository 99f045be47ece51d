#include "media/moment_render.h"

#include <algorithm>
#include <cmath>

namespace mien::media {
namespace {

// Where a pixel comes from is computed exactly at the corners of cells of so many pixels and
// linearly between them: the field of shifts is smoother than that.
constexpr int kCell = 8;
// Faces are matched in contrast by at most this factor, so that flat pictures do not become noise.
constexpr float kMostGain = 2.0F;

// Bilinear, with the edge repeated outside. (x, y) counts from pixel centres.
float sample(const std::uint8_t* pixels, int width, int height, float x, float y) {
  x = std::clamp(x, 0.0F, static_cast<float>(width - 1));
  y = std::clamp(y, 0.0F, static_cast<float>(height - 1));
  const int left = std::min(static_cast<int>(x), width - 2);
  const int top = std::min(static_cast<int>(y), height - 2);
  const float fx = x - static_cast<float>(left);
  const float fy = y - static_cast<float>(top);
  const std::uint8_t* p = pixels + static_cast<std::size_t>(top) * static_cast<std::size_t>(width) +
                          static_cast<std::size_t>(left);
  const std::uint8_t* q = p + width;
  const float upper = static_cast<float>(p[0]) + static_cast<float>(p[1] - p[0]) * fx;
  const float lower = static_cast<float>(q[0]) + static_cast<float>(q[1] - q[0]) * fx;
  return upper + (lower - upper) * fy;
}

// Standard normal to three deviations or so: the sum of four uniform 16-bit numbers, whose variance
// is 4 * 65536^2 / 12.
float nearly_normal(std::uint64_t bits) {
  const auto sum =
      static_cast<std::int64_t>(bits & 0xFFFF) + static_cast<std::int64_t>(bits >> 16 & 0xFFFF) +
      static_cast<std::int64_t>(bits >> 32 & 0xFFFF) + static_cast<std::int64_t>(bits >> 48);
  constexpr float kPerDeviation = 1.0F / 37837.23F;  // 1 / (65536 / sqrt 3)
  return static_cast<float>(sum - 131070) * kPerDeviation;
}

// From the frame (0..1) to the face's square, by the camera.
std::array<double, 2> through_camera(const CameraPose& pose, bool mirrored, double x, double y) {
  const double t = pose.half_tan;
  const double cosine = (1.0 - t * t) / (1.0 + t * t);
  const double sine = 2.0 * t / (1.0 + t * t);
  const double dx = (mirrored ? 0.5 - x : x - 0.5) * pose.scale;
  const double dy = (y - 0.5) * pose.scale;
  return {0.5 + pose.shift_x + cosine * dx - sine * dy,
          0.5 + pose.shift_y + sine * dx + cosine * dy};
}

// Whether a place relative to the occluder, in its half sizes, is hidden by it.
bool inside(const Occluder& occluder, double x, double y) {
  if (!occluder.hand) return std::abs(x) <= 1.0 && std::abs(y) <= 1.0;
  const auto in_ellipse = [&](double cx, double cy, double rx, double ry) {
    const double dx = (x - cx) / rx;
    const double dy = (y - cy) / ry;
    return dx * dx + dy * dy <= 1.0;
  };
  if (in_ellipse(0.0, 0.4, 0.9, 0.6)) return true;  // the palm, and above it four fingers
  for (int finger = 0; finger < 4; ++finger) {
    if (in_ellipse(-0.63 + 0.42 * finger, -0.35, 0.19, 0.65)) return true;
  }
  return false;
}

}  // namespace

MomentRenderer::MomentRenderer(const MomentStills& stills, const std::vector<FaceMap>& maps,
                               int size)
    : stills_(stills),
      maps_(maps),
      size_(size),
      cells_((size + kCell - 1) / kCell),
      nodes_(static_cast<std::size_t>(cells_ + 1) * static_cast<std::size_t>(cells_ + 1)),
      row_(static_cast<std::size_t>(cells_ + 1)),
      sum_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size)) {}

void MomentRenderer::place_nodes(const MomentScript& script, int frame, const FaceMap& map,
                                 const WarpField& mean_shift) {
  const CameraPose& pose = script.camera[static_cast<std::size_t>(frame)];
  Node* node = nodes_.data();
  for (int row = 0; row <= cells_; ++row) {
    for (int column = 0; column <= cells_; ++column, ++node) {
      const auto place =
          through_camera(pose, script.mirrored, static_cast<double>(column * kCell) / size_,
                         static_cast<double>(row * kCell) / size_);
      const auto own = shift_at(map.shift, place[0], place[1]);
      const auto mean = shift_at(mean_shift, place[0], place[1]);
      const auto at = map.to_picture(place[0] + (own[0] - mean[0]), place[1] + (own[1] - mean[1]));
      node->x = static_cast<float>(at[0] - 0.5);
      node->y = static_cast<float>(at[1] - 0.5);
    }
  }
}

void MomentRenderer::add_face(const MomentStill& still, float gain, float offset) {
  const std::uint8_t* pixels = stills_.pixels_of(still);
  const auto columns = static_cast<std::size_t>(cells_ + 1);
  float* sum = sum_.data();
  for (int y = 0; y < size_; ++y) {
    const Node* upper = nodes_.data() + static_cast<std::size_t>(y / kCell) * columns;
    const float down = (static_cast<float>(y % kCell) + 0.5F) / kCell;
    for (std::size_t k = 0; k < columns; ++k) {
      const Node& a = upper[k];
      const Node& b = upper[k + columns];
      row_[k] = {a.x + (b.x - a.x) * down, a.y + (b.y - a.y) * down};
    }
    for (int x = 0; x < size_; ++x, ++sum) {
      const Node& a = row_[static_cast<std::size_t>(x / kCell)];
      const Node& b = row_[static_cast<std::size_t>(x / kCell) + 1];
      const float right = (static_cast<float>(x % kCell) + 0.5F) / kCell;
      const float value = sample(pixels, still.width, still.height, a.x + (b.x - a.x) * right,
                                 a.y + (b.y - a.y) * right);
      *sum += gain * value + offset;
    }
  }
}

void MomentRenderer::light_up(const MomentScript& script, int frame) {
  const FrameLight& light = script.light[static_cast<std::size_t>(frame)];
  const auto tone = static_cast<float>(script.tone);
  const auto gain = static_cast<float>(light.gain);
  const auto bias = static_cast<float>(light.bias);
  const auto tilt_x = static_cast<float>(light.tilt_x);
  const auto tilt_y = static_cast<float>(light.tilt_y);
  const float step = 2.0F / static_cast<float>(size_);
  float* value = sum_.data();
  for (int y = 0; y < size_; ++y) {
    const float side = tilt_y * ((static_cast<float>(y) + 0.5F) * step - 1.0F);
    for (int x = 0; x < size_; ++x, ++value) {
      const float v = std::clamp(*value * (1.0F / 255.0F), 0.0F, 1.0F);
      const float toned = v + tone * v * (1.0F - v);
      const float lit = 1.0F + tilt_x * ((static_cast<float>(x) + 0.5F) * step - 1.0F) + side;
      *value = (gain * lit * toned + bias) * 255.0F;
    }
  }
}

void MomentRenderer::hide(const MomentScript& script, int frame) {
  const Occluder& o = script.occluder;
  const int age = frame - o.first;
  const double center_x = o.x + o.step_x * age;
  const double center_y = o.y + o.step_y * age;
  float* value = sum_.data();
  for (int y = 0; y < size_; ++y) {
    const double dy = ((y + 0.5) / size_ - center_y) / o.half_height;
    for (int x = 0; x < size_; ++x, ++value) {
      const double dx = ((x + 0.5) / size_ - center_x) / o.half_width;
      if (!inside(o, dx, dy)) continue;
      // A little darker downwards, as a thing under a lamp is.
      *value = static_cast<float>((o.grey - 0.06 * dy) * 255.0);
    }
  }
}

void MomentRenderer::draw(const MomentScript& script, int frame, std::span<const SeenFace> faces,
                          std::uint64_t noise_seed, std::span<std::uint8_t> out) {
  WarpField mean_shift{};
  for (const SeenFace& face : faces) {
    const auto weight = static_cast<float>(face.weight);
    const WarpField& shift = maps_[face.still].shift;
    for (std::size_t i = 0; i < shift.size(); ++i) mean_shift[i] += weight * shift[i];
  }
  std::fill(sum_.begin(), sum_.end(), 0.0F);
  const FaceMap& first = maps_[faces[0].still];
  for (const SeenFace& face : faces) {
    const FaceMap& map = maps_[face.still];
    place_nodes(script, frame, map, mean_shift);
    const auto weight = static_cast<float>(face.weight);
    const float match = std::clamp(first.deviation / map.deviation, 1.0F / kMostGain, kMostGain);
    add_face(stills_.stills[face.still], weight * match, weight * (first.mean - match * map.mean));
  }
  light_up(script, frame);
  if (script.occluded(frame)) hide(script, frame);
  core::Rng noise(noise_seed);
  const auto strength = static_cast<float>(script.noise * 255.0);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float value = sum_[i] + strength * nearly_normal(noise.next());
    out[i] = static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
  }
}

}  // namespace mien::media
