#include "learn/losses/sdl.h"

#include <string>
#include <vector>

#include "learn/data/rng.h"

namespace mien::learn {
namespace {

using torch::Tensor;

// Uniform in [0, 1), 24 bits each: every value is exact in f32, and LibTorch's own generator is
// left as it was.
Tensor uniform(const std::vector<std::int64_t>& shape, Rng rng) {
  Tensor out = torch::empty(shape, torch::kFloat);
  float* values = out.data_ptr<float>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    values[i] = static_cast<float>(rng.next() >> 40) * 0x1.0p-24F;
  }
  return out;
}

// Unit vectors along the last axis, in f64: autocast does not touch that type, and the sum of
// similarities that soft targets are divided by can be small.
Tensor unit(const Tensor& vectors) {
  const Tensor exact = vectors.detach().to(torch::kDouble);
  return exact / exact.norm(2, -1, true).clamp_min(1e-12);
}

}  // namespace

EmotionAnchorsImpl::EmotionAnchorsImpl(const SdlOptions& options) : options_(options) {
  const SdlOptions& o = options_;
  queue = register_buffer("Queue", uniform({o.classes, o.size, o.dim}, Rng(Rng::mix(o.seed, 1))));
  probe =
      register_buffer("Probe", uniform({o.classes, o.size, o.classes}, Rng(Rng::mix(o.seed, 2))));
}

Status EmotionAnchorsImpl::update(const Tensor& feature, const Tensor& logits,
                                  const Tensor& labels) {
  const torch::NoGradGuard no_grad;
  if (labels.dim() != 1 || feature.dim() != 2 || logits.dim() != 2 ||
      feature.size(0) != labels.size(0) || logits.size(0) != labels.size(0) ||
      feature.size(1) != options_.dim || logits.size(1) != options_.classes) {
    return make_error(ErrorCode::kInvalidArgument,
                      "features, logits and labels do not fit the emotion anchors");
  }
  const Tensor classes = labels.detach().to(torch::kCPU, torch::kLong).contiguous();
  const std::int64_t* label = classes.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < classes.numel(); ++i) {
    if (label[i] < 0 || label[i] >= options_.classes) {
      return make_error(ErrorCode::kInvalidArgument,
                        "label " + std::to_string(label[i]) + " is none of the classes");
    }
  }
  const Tensor features = feature.detach().to(queue.options());
  const Tensor answers = torch::softmax(logits.detach().to(probe.options()), 1);
  const auto push = [](Tensor row, const Tensor& newest) {
    row.copy_(torch::cat({row.slice(0, 1), newest.unsqueeze(0)}));
  };
  for (std::int64_t i = 0; i < classes.numel(); ++i) {
    push(queue[label[i]], features[i]);
    push(probe[label[i]], answers[i]);
  }
  return {};
}

NearestAnchors EmotionAnchorsImpl::nearest(const Tensor& feature) const {
  const torch::NoGradGuard no_grad;
  const SdlOptions& o = options_;
  const Tensor anchors = unit(queue).view({o.classes * o.size, o.dim});
  const Tensor similarity = torch::matmul(unit(feature), anchors.t());
  const auto best = similarity.view({-1, o.classes, o.size}).topk(o.nearest, 2);
  return {std::get<0>(best), std::get<1>(best)};
}

Tensor EmotionAnchorsImpl::soft_targets(const Tensor& feature) const {
  const torch::NoGradGuard no_grad;
  const SdlOptions& o = options_;
  const NearestAnchors best = nearest(feature);
  const std::int64_t batch = feature.size(0);
  const Tensor answers =
      probe.to(torch::kDouble).unsqueeze(0).expand({batch, o.classes, o.size, o.classes});
  const Tensor slots = best.slot.unsqueeze(3).expand({batch, o.classes, o.nearest, o.classes});
  const Tensor weighted = best.similarity.unsqueeze(3) * answers.gather(2, slots);
  const Tensor total = best.similarity.flatten(1).sum(1, true);
  return (weighted.flatten(1, 2).sum(1) / total).to(torch::kFloat);
}

Tensor EmotionAnchorsImpl::loss(const Tensor& feature, const Tensor& logits) const {
  return torch::binary_cross_entropy_with_logits(logits.to(torch::kFloat), soft_targets(feature));
}

double sdl_weight(std::int64_t epoch) {
  if (epoch < 30) return 0.0;
  if (epoch < 50) return 0.01;
  if (epoch < 60) return 0.1;
  return epoch < 80 ? 0.5 : 1.0;
}

bool sdl_updates_at(std::int64_t epoch, std::int64_t frequency) {
  return frequency >= 1 && epoch > 20 && epoch % frequency == 0;
}

std::int64_t sdl_recipe_epoch(double done, double whole) {
  constexpr double kRecipeEpochs = 100.0;
  return static_cast<std::int64_t>(done / whole * kRecipeEpochs);
}

}  // namespace mien::learn
