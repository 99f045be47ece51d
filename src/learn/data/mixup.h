// Mixup (Zhang et al. 2017, arXiv 1710.09412) and CutMix (Yun et al. 2019, arXiv 1905.04899) of a
// batch, as timm's `batch` mode: one draw for all samples, sample i mixed with sample B-1-i.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "learn/data/mix_options.h"
#include "learn/data/rng.h"

namespace mien::learn {

// A rectangle of pixels, half open: rows top..bottom-1, columns left..right-1.
struct MixBox {
  std::int64_t top = 0;
  std::int64_t bottom = 0;
  std::int64_t left = 0;
  std::int64_t right = 0;

  std::int64_t area() const { return (bottom - top) * (right - left); }
};

// What happens to one batch.
struct MixDraw {
  double share = 1.0;   // lambda: of the sample itself, 0..1; the rest is its partner's
  bool cutmix = false;  // the partner's part is `box` instead of a blend
  MixBox box;
};

// Beta(alpha, alpha) in [0, 1], as X / (X + Y) of two gamma variables (Marsaglia and Tsang 2000,
// "A simple method for generating gamma variables"). alpha > 0.
double draw_beta(double alpha, Rng& rng);

// CutMix's box for pictures of height x width with centre (row, column): sides
// int(side * sqrt(1 - share)), half of that (rounded down) to each side of the centre, cut to the
// picture.
MixBox cutmix_box(std::int64_t height, std::int64_t width, double share, std::int64_t row,
                  std::int64_t column);

// A CutMix draw: `share` is what the box really leaves, 1 - area / (height * width).
MixDraw cutmix_draw(std::int64_t height, std::int64_t width, double share, std::int64_t row,
                    std::int64_t column);

// The draw of optimizer step `step`: a function of (seed, step) alone, so that a resumed run mixes
// the same way. Pictures are height x width.
MixDraw draw_mix(const MixOptions& options, std::uint64_t seed, std::int64_t step,
                 std::int64_t height, std::int64_t width);

// The mixed batch of clips [B, 3, T, H, W] (or pictures [B, 3, H, W]); the same box in every frame.
// The argument is not changed; a draw that mixes nothing gives it back. When B is odd the middle
// sample meets itself.
torch::Tensor mix_clips(const torch::Tensor& clips, const MixDraw& draw);

// Soft targets [B, C] f32 of hard labels [B] (i64, 0..C-1), or of soft ones [B, C]: (1 - e) target
// + e / C with label smoothing e.
torch::Tensor smooth_targets(const torch::Tensor& target, std::int64_t classes, double smoothing);

// The targets of the mixed batch: share * target + (1 - share) * the partner's, target [B, C].
torch::Tensor mix_targets(const torch::Tensor& target, const MixDraw& draw);

}  // namespace mien::learn
