#include "learn/losses/course_loss.h"

namespace mien::learn {

using torch::Tensor;

namespace {

// A mask that is the same in all slots has a gradient still.
constexpr double kFloor = 1e-6;
// Slots that differ by less do not tell a course.
constexpr double kLeastDeviation = 0.02;

Tensor centred(const Tensor& slots) {
  return slots - slots.mean(1, true);
}

}  // namespace

Tensor course_loss(const Tensor& mask, const Tensor& course, const core::VideoMaeConfig& sizes) {
  const std::int64_t slots = sizes.slots();
  const Tensor truth =
      centred(course.to(torch::kFloat).view({-1, slots, sizes.tubelet_size}).mean(2));
  const Tensor counts = truth.square().mean(1).sqrt().gt(kLeastDeviation);  // false of NaN
  const Tensor rows = torch::nonzero(counts).flatten();
  if (rows.numel() == 0) return mask.new_zeros({});
  const Tensor seen = centred(mask.to(torch::kFloat).view({mask.size(0), slots, -1}).mean(2));
  const Tensor a = seen.index_select(0, rows);
  const Tensor b = truth.index_select(0, rows);
  const Tensor lengths = (a.square().sum(1) + kFloor).sqrt() * b.square().sum(1).sqrt();
  return (1.0 - (a * b).sum(1) / lengths).mean();
}

}  // namespace mien::learn
