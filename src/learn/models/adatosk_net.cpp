#include "learn/models/adatosk_net.h"

#include <algorithm>

#include "core/rng.h"
#include "learn/losses/course_loss.h"
#include "learn/losses/still_losses.h"
#include "learn/models/adatosk.h"

namespace mien::learn {
namespace {

using torch::Tensor;

class AdaToskNet : public ClipNet {
 public:
  AdaToskNet(const core::ModelConfig& config, const ClipNetOptions& options)
      : config_(config),
        training_(options.adatosk),
        recompute_(options.recompute),
        net_(config.adatosk, AdaToskTrainOptions{.drop_path = options.drop_path,
                                                 .checkpoint = options.recompute,
                                                 .decoder = options.adatosk.rec_weight > 0.0,
                                                 .blank_hidden = options.adatosk.blank_hidden}) {}

  torch::nn::Module& module() override { return *net_; }
  std::int64_t feature_dim() const override { return config_.adatosk.vit.embed_dim; }
  bool classifies() const override { return training_.cls_weight > 0.0; }

  Output forward(const Tensor& clips) override {
    AdaToskPass pass;
    pass.budget = config_.adatosk.budget;
    const AdaToskImpl::Output out = net_->forward(clips, pass);
    Tensor mask;
    if (out.log_mask.defined()) mask = out.log_mask.exp().mean(1);
    return {out.logits, out.feature, mask};
  }

  Tensor own_loss(const Lesson& lesson) override;

  void settle_frozen() override {
    const auto parameters = net_->named_parameters();
    const bool trains = std::any_of(parameters.begin(), parameters.end(), [](const auto& item) {
      return item.key().starts_with("patch_embed.stem.") && item.value().requires_grad();
    });
    net_->freeze_stem(!trains);
    stem_learns_ = trains;
  }
  bool runs_apart() const override { return !recompute_ && !stem_learns_; }

 private:
  double budget_of(const Lesson& lesson) const;
  Tensor mask_loss(const AdaToskImpl::Output& out, const Lesson& lesson) const;
  Tensor class_loss(const AdaToskImpl::Output& out, const Lesson& lesson) const;
  Tensor rebuilding_loss(const AdaToskImpl::Output& out, const HardMask& hard,
                         const Tensor& clips) const;

  core::ModelConfig config_;
  AdaToskTraining training_;
  bool recompute_;
  bool stem_learns_ = !config_.adatosk.stem.empty();
  AdaTosk net_;
};

// What teaches the soft mask: its own classifier, how much it may let through, and where it is
// known when the expression is seen.
Tensor AdaToskNet::mask_loss(const AdaToskImpl::Output& out, const Lesson& lesson) const {
  const Tensor& target = lesson.target;
  const Tensor alike = torch::ones({target.size(0)}, target.options());
  const Tensor mask = out.log_mask.exp();
  const Tensor excess = mask.mean() - config_.adatosk.budget;
  const Tensor loss = training_.aux_weight * soft_cross_entropy(out.aux_logits, target, alike) +
                      training_.budget_weight * excess.square();
  if (training_.course_weight <= 0.0 || !lesson.course.defined()) return loss;
  return loss + training_.course_weight * course_loss(mask, lesson.course, config_.adatosk.vit);
}

Tensor AdaToskNet::class_loss(const AdaToskImpl::Output& out, const Lesson& lesson) const {
  const Tensor& target = lesson.target;
  const Tensor alike = torch::ones({target.size(0)}, target.options());
  const Tensor loss = training_.cls_weight * soft_cross_entropy(out.logits, target, alike);
  return out.log_mask.defined() ? loss + mask_loss(out, lesson) : loss;
}

Tensor AdaToskNet::rebuilding_loss(const AdaToskImpl::Output& out, const HardMask& hard,
                                   const Tensor& clips) const {
  const core::VideoMaeConfig& sizes = config_.adatosk.vit;
  const Tensor planes = clips.narrow(1, 0, sizes.in_chans);
  const Tensor targets = cube_targets(planes, hard.hidden, sizes, config_.input, training_.target);
  return training_.rec_weight * cube_loss(out.rebuilt, targets);
}

// The share of the tokens that this batch's classes are told from.
double AdaToskNet::budget_of(const Lesson& lesson) const {
  const AdaToskTraining& t = training_;
  if (t.train_budget_low <= 0.0) return t.train_budget;
  core::Rng rng(
      core::Rng::mix(lesson.seed, 1));  // not the hard mask's draws, which are of the seed
  return rng.uniform(t.train_budget_low, t.train_budget);
}

Tensor AdaToskNet::own_loss(const Lesson& lesson) {
  const AdaToskTraining& t = training_;
  const double budget = budget_of(lesson);
  const AdaToskPass classes{.budget = budget};
  if (t.hard_ratio <= 0.0) {
    return class_loss(net_->forward(lesson.clips, classes), lesson);
  }
  const HardMask hard = draw_hard_mask(t.hard_mask, t.hard_ratio, config_.adatosk.vit,
                                       lesson.clips.size(0), lesson.seed)
                            .to(lesson.clips.device());
  const bool shared = t.branches == AdaToskTraining::Branches::kShared && classifies();
  const AdaToskPass rebuilds{
      .hard = &hard, .soft = shared, .budget = budget, .reconstruct = t.rec_weight > 0.0};
  const AdaToskImpl::Output out = net_->forward(lesson.clips, rebuilds);
  Tensor loss;
  const auto add = [&loss](const Tensor& term) { loss = loss.defined() ? loss + term : term; };
  if (out.rebuilt.defined()) add(rebuilding_loss(out, hard, lesson.clips));
  if (shared) {
    add(class_loss(out, lesson));
  } else if (classifies()) {
    add(class_loss(net_->forward(lesson.clips, classes), lesson));
  }
  return loss;
}

}  // namespace

std::unique_ptr<ClipNet> make_adatosk_net(const core::ModelConfig& config,
                                          const ClipNetOptions& options) {
  return std::make_unique<AdaToskNet>(config, options);
}

}  // namespace mien::learn
