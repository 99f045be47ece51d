#include "learn/losses/still_losses.h"

#include <cmath>

namespace mien::learn {

using torch::Tensor;

Tensor soft_cross_entropy(const Tensor& logits, const Tensor& target, const Tensor& weight,
                          double smoothing) {
  const auto classes = static_cast<double>(logits.size(1));
  const Tensor smooth = smoothing > 0.0 ? target * (1.0 - smoothing) + smoothing / classes : target;
  const Tensor each = -(smooth * torch::log_softmax(logits.to(torch::kFloat), 1)).sum(1);
  return (each * weight).sum() / weight.sum().clamp_min(1e-6);
}

Tensor wing_loss(const Tensor& points, const Tensor& truth, const Tensor& weight) {
  constexpr double kWidth = 0.1;
  constexpr double kCurve = 0.02;
  const double offset = kWidth - kWidth * std::log(1.0 + kWidth / kCurve);
  const Tensor distance = (points.to(torch::kFloat) - truth).abs();
  const Tensor near = kWidth * torch::log1p(distance / kCurve);
  const Tensor each = torch::where(distance < kWidth, near, distance - offset).mean(1);
  return (each * weight).sum() / weight.sum().clamp_min(1e-6);
}

}  // namespace mien::learn
