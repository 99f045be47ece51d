#include "learn/models/clip_net.h"

#include <algorithm>

#include "learn/models/adatosk_net.h"
#include "learn/models/s2d.h"
#include "learn/models/videomae.h"

namespace mien::learn {
namespace {

bool any_trains(const torch::nn::Module& module, const std::string& prefix) {
  const auto parameters = module.named_parameters();
  return std::any_of(parameters.begin(), parameters.end(), [&](const auto& item) {
    return item.key().rfind(prefix, 0) == 0 && item.value().requires_grad();
  });
}

class S2DNet : public ClipNet {
 public:
  S2DNet(const core::S2DConfig& config, const ClipNetOptions& options)
      : dim_(config.embed_dim),
        net_(config, S2DTrainOptions{.drop_path = options.drop_path,
                                     .layer_drop = options.layer_drop,
                                     .recompute = options.recompute}) {}
  torch::nn::Module& module() override { return *net_; }
  Output forward(const torch::Tensor& clips) override {
    const S2DImpl::Output out = net_->forward(clips);
    return {out.logits, out.feature, {}};
  }
  std::int64_t feature_dim() const override { return dim_; }
  void settle_frozen() override {
    net_->freeze_landmark(!any_trains(*net_, "landmark."));
    net_->freeze_patches(!any_trains(*net_, "patch_embed."));
  }

 private:
  std::int64_t dim_;
  S2D net_;
};

class VideoMaeNet : public ClipNet {
 public:
  VideoMaeNet(const core::VideoMaeConfig& config, const ClipNetOptions& options)
      : dim_(config.embed_dim),
        recompute_(options.recompute),
        net_(config, VideoMaeTrainOptions{.drop_path = options.drop_path,
                                          .checkpoint = options.recompute}) {}
  torch::nn::Module& module() override { return *net_; }
  Output forward(const torch::Tensor& clips) override {
    const VideoMaeImpl::Output out = net_->forward(clips);
    return {out.logits.to(torch::kFloat), out.feature, {}};
  }
  std::int64_t feature_dim() const override { return dim_; }
  bool runs_apart() const override { return !recompute_; }

 private:
  std::int64_t dim_;
  bool recompute_;
  VideoMae net_;
};

}  // namespace

Result<std::unique_ptr<ClipNet>> make_clip_net(const core::ModelConfig& config,
                                               const ClipNetOptions& options) {
  if (config.arch == core::Arch::kS2D) {
    return std::unique_ptr<ClipNet>(std::make_unique<S2DNet>(config.s2d, options));
  }
  if (config.arch == core::Arch::kVideoMae) {
    return std::unique_ptr<ClipNet>(std::make_unique<VideoMaeNet>(config.videomae, options));
  }
  if (config.arch == core::Arch::kAdaTosk) return make_adatosk_net(config, options);
  return make_error(ErrorCode::kUnsupported, "clips are not what this architecture reads",
                    core::arch_name(config.arch));
}

}  // namespace mien::learn
