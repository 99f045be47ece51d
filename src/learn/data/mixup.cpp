#include "learn/data/mixup.h"

#include <algorithm>
#include <cmath>

namespace mien::learn {
namespace {

using torch::Tensor;

// A gamma variable of shape >= 1 and scale 1: a normal variable through a cubic, accepted or drawn
// anew (Marsaglia and Tsang 2000, section 4).
double gamma_above_one(double shape, Rng& rng) {
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  while (true) {
    const double x = rng.normal();
    const double base = 1.0 + c * x;
    if (base <= 0.0) continue;
    const double v = base * base * base;
    const double u = 1.0 - rng.uniform();  // (0, 1]: its logarithm is finite
    if (std::log(u) < 0.5 * x * x + d * (1.0 - v + std::log(v))) return d * v;
  }
}

// Logarithm of a gamma variable of any shape > 0. Below 1 it is one of shape + 1 times U^(1/shape)
// (their section 6), which for small shapes only the logarithm can hold.
double log_gamma_variable(double shape, Rng& rng) {
  if (shape >= 1.0) return std::log(gamma_above_one(shape, rng));
  const double larger = std::log(gamma_above_one(shape + 1.0, rng));
  return larger + std::log(1.0 - rng.uniform()) / shape;
}

}  // namespace

double draw_beta(double alpha, Rng& rng) {
  const double x = log_gamma_variable(alpha, rng);
  const double y = log_gamma_variable(alpha, rng);
  return 1.0 / (1.0 + std::exp(y - x));  // X / (X + Y)
}

MixBox cutmix_box(std::int64_t height, std::int64_t width, double share, std::int64_t row,
                  std::int64_t column) {
  const double side = std::sqrt(1.0 - share);
  const std::int64_t half_height =
      static_cast<std::int64_t>(static_cast<double>(height) * side) / 2;
  const std::int64_t half_width = static_cast<std::int64_t>(static_cast<double>(width) * side) / 2;
  const auto cut = [](std::int64_t at, std::int64_t limit) {
    return std::clamp<std::int64_t>(at, 0, limit);
  };
  return {.top = cut(row - half_height, height),
          .bottom = cut(row + half_height, height),
          .left = cut(column - half_width, width),
          .right = cut(column + half_width, width)};
}

MixDraw cutmix_draw(std::int64_t height, std::int64_t width, double share, std::int64_t row,
                    std::int64_t column) {
  MixDraw draw;
  draw.cutmix = true;
  draw.box = cutmix_box(height, width, share, row, column);
  const double pixels = static_cast<double>(height) * static_cast<double>(width);
  draw.share = 1.0 - static_cast<double>(draw.box.area()) / pixels;
  return draw;
}

MixDraw draw_mix(const MixOptions& options, std::uint64_t seed, std::int64_t step,
                 std::int64_t height, std::int64_t width) {
  const bool mixup = options.mixup_alpha > 0.0;
  const bool cutmix = options.cutmix_alpha > 0.0;
  Rng rng(Rng::mix(seed, 0x3158, static_cast<std::uint64_t>(step)));
  if (!rng.chance(options.probability) || (!mixup && !cutmix)) return {};
  const bool cut = cutmix && (!mixup || rng.chance(options.cutmix_share));
  const double share = draw_beta(cut ? options.cutmix_alpha : options.mixup_alpha, rng);
  if (!cut) {
    MixDraw draw;
    draw.share = share;
    return draw;
  }
  const auto row = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(height)));
  const auto column = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(width)));
  return cutmix_draw(height, width, share, row, column);
}

Tensor mix_clips(const Tensor& clips, const MixDraw& draw) {
  if (draw.share >= 1.0) return clips;
  if (!draw.cutmix) return clips * draw.share + clips.flip(0) * (1.0 - draw.share);
  const auto inside = [&](const Tensor& x) {
    return x.narrow(-2, draw.box.top, draw.box.bottom - draw.box.top)
        .narrow(-1, draw.box.left, draw.box.right - draw.box.left);
  };
  Tensor mixed = clips.clone();
  inside(mixed).copy_(inside(clips).flip(0));
  return mixed;
}

Tensor smooth_targets(const Tensor& target, std::int64_t classes, double smoothing) {
  const Tensor soft = target.dim() == 1 ? torch::one_hot(target.to(torch::kLong), classes) : target;
  return soft.to(torch::kFloat) * (1.0 - smoothing) + smoothing / static_cast<double>(classes);
}

Tensor mix_targets(const Tensor& target, const MixDraw& draw) {
  if (draw.share >= 1.0) return target;
  return target * draw.share + target.flip(0) * (1.0 - draw.share);
}

}  // namespace mien::learn
