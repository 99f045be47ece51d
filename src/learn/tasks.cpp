#include "learn/tasks.h"

#include <cmath>

#include "core/labels.h"
#include "learn/losses/still_losses.h"
#include "learn/models/mobilefacenet.h"
#include "learn/models/s2d.h"
#include "report/metrics.h"

namespace mien::learn {

using torch::Tensor;

namespace {

constexpr std::size_t kEvalBatch = 64;

// Applies `each` to all plain crops of the chosen pictures, batch by batch.
template <typename Each>
void for_batches(const StillSet& set, const std::vector<std::size_t>& chosen,
                 const LoaderOptions& options, torch::Device device, Each&& each) {
  for (std::size_t first = 0; first < chosen.size(); first += kEvalBatch) {
    const std::size_t count = std::min(kEvalBatch, chosen.size() - first);
    const std::span<const std::size_t> part(chosen.data() + first, count);
    each(plain_batch(set, part, options).to(device), part);
  }
}

class LandmarkModuleImpl : public torch::nn::Module {
 public:
  LandmarkModuleImpl(const core::MobileFaceNetConfig& config, std::int64_t classes) {
    net = register_module("net", MobileFaceNet(config));
    expression = register_module("expression",
                                 torch::nn::Linear(core::kMobileFaceNetFeatureChannels, classes));
  }
  MobileFaceNet net{nullptr};
  torch::nn::Linear expression{nullptr};
};

class LandmarkTask : public StillTask {
 public:
  explicit LandmarkTask(const TrainConfig& config)
      : config_(config),
        module_(std::make_shared<LandmarkModuleImpl>(
            config.model.mobilefacenet, static_cast<std::int64_t>(config.model.classes.size()))) {}

  torch::nn::Module& module() override { return *module_; }
  Framing framing() const override { return Framing::kPoints; }

  // The net ends in a BatchNorm, so its raw outputs are standardised: with the mean shape as its
  // bias and the spread of the points as its weight it starts at the mean face instead of far
  // outside the crop.
  void fit_to(const StillLoader& loader) override {
    std::vector<Tensor> points;
    for (std::int64_t i = 0; i < 16; ++i) points.push_back(loader.make(i).points);
    const Tensor all = torch::cat(points);
    const torch::NoGradGuard no_grad;
    auto parameters = module_->named_parameters();
    parameters["net.output_layer.bn.bias"].copy_(all.mean(0));
    parameters["net.output_layer.bn.weight"].copy_(all.std(0));
  }

  Tensor loss(const Batch& batch) override {
    const MobileFaceNetImpl::Output out = module_->net->forward(batch.images);
    Tensor total =
        config_.points_weight * wing_loss(out.landmark, batch.points, batch.point_weight);
    if (config_.expression_weight > 0.0) {
      const Tensor logits = module_->expression(out.feature.mean({2, 3}));
      total = total + config_.expression_weight *
                          soft_cross_entropy(logits, batch.target, batch.target_weight);
    }
    return total;
  }

  Figures evaluate(const StillSet& set, const LoaderOptions& options,
                   torch::Device device) override {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < set.stills.size(); ++i) {
      const Still& still = set.stills[i];
      if (!still.points.empty() && still.spread <= options.max_spread) chosen.push_back(i);
    }
    double sum = 0.0;
    for_batches(set, chosen, options, device, [&](const Tensor& images, auto part) {
      const Tensor points =
          module_->net->forward(images).landmark.to(torch::kFloat).cpu().contiguous();
      for (std::size_t i = 0; i < part.size(); ++i) {
        const Still& still = set.stills[part[i]];
        const auto truth =
            points_in_crop(still, base_frame(still, Framing::kPoints, options.face_template));
        sum += interocular_error(points.data_ptr<float>() + i * 136, truth.data());
      }
    });
    const double error = chosen.empty() ? 1.0 : sum / static_cast<double>(chosen.size());
    return {{"score", -error},
            {"error_percent", 100.0 * error},
            {"n", static_cast<double>(chosen.size())}};
  }

  core::ModelConfig model_config() const override {
    core::ModelConfig out = config_.model;
    out.classes.clear();
    return out;
  }

 private:
  TrainConfig config_;
  std::shared_ptr<LandmarkModuleImpl> module_;
};

class ExpressionTask : public StillTask {
 public:
  ExpressionTask(const TrainConfig& config, const std::vector<float>& face_template)
      : config_(config), face_template_(face_template) {
    net_ = S2D(config.model.s2d, S2DTrainOptions{.drop_path = config.drop_path,
                                                 .layer_drop = config.layer_drop,
                                                 .aux_head = config.aux_weight > 0.0});
    net_->freeze_landmark(config.freeze_landmark);
  }

  torch::nn::Module& module() override { return *net_; }
  Framing framing() const override { return Framing::kExpression; }

  Tensor loss(const Batch& batch) override {
    if (config_.mixup <= 0.0 || !net_->is_training()) return plain_loss(batch);
    // Zhang et al. 2018 (arXiv 1710.09412), one ratio for the batch; Beta(a, a) by two gamma draws.
    const Tensor alpha = torch::full({2}, config_.mixup);
    const Tensor gamma = torch::_standard_gamma(alpha);
    const double ratio = (gamma[0] / gamma.sum().clamp_min(1e-9)).item<double>();
    const Tensor order = torch::randperm(batch.images.size(0)).to(batch.images.device());
    const auto mix = [&](const Tensor& t) {
      return t * ratio + t.index_select(0, order) * (1.0 - ratio);
    };
    Batch mixed = batch;
    mixed.images = mix(batch.images);
    mixed.target = mix(batch.target);
    mixed.target_weight = mix(batch.target_weight);
    return plain_loss(mixed);
  }

  Figures evaluate(const StillSet& set, const LoaderOptions& options,
                   torch::Device device) override {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < set.stills.size(); ++i) {
      if (set.stills[i].majority >= 0) chosen.push_back(i);
    }
    report::ConfusionMatrix confusion(set.classes.size());
    double entropy = 0.0;
    for_batches(set, chosen, options, device, [&](const Tensor& images, auto part) {
      const Tensor logits = predict(images);
      const Tensor log_p = torch::log_softmax(logits, 1).cpu().contiguous();
      const Tensor best = log_p.argmax(1);
      for (std::size_t i = 0; i < part.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i);
        const auto truth = static_cast<std::size_t>(set.stills[part[i]].majority);
        (void)confusion.add(truth, static_cast<std::size_t>(best[row].item<std::int64_t>()));
        entropy -= log_p[row][static_cast<std::int64_t>(truth)].item<double>();
      }
    });
    const auto count = static_cast<double>(std::max<std::size_t>(chosen.size(), 1));
    return {{"war", confusion.war()},
            {"uar", confusion.uar()},
            {"cross_entropy", entropy / count},
            {"n", static_cast<double>(chosen.size())}};
  }

  core::ModelConfig model_config() const override {
    core::ModelConfig out = config_.model;
    out.face_template = face_template_;
    return out;
  }

 private:
  Tensor plain_loss(const Batch& batch) {
    const Tensor x = batch.images.unsqueeze(2);
    const auto entropy = [&](const Tensor& logits) {
      return soft_cross_entropy(logits, batch.target, batch.target_weight, config_.smoothing);
    };
    if (config_.stem_only) return entropy(net_->forward_stem(x));
    const S2DImpl::Output out = net_->forward(x);
    const Tensor loss = entropy(out.logits);
    return out.aux.defined() ? loss + config_.aux_weight * entropy(out.aux) : loss;
  }

  Tensor predict(const Tensor& images) {
    const Tensor x = images.unsqueeze(2);
    return config_.stem_only ? net_->forward_stem(x) : net_->forward(x).logits;
  }

  TrainConfig config_;
  std::vector<float> face_template_;
  S2D net_{nullptr};
};

}  // namespace

std::unique_ptr<StillTask> make_landmark_task(const TrainConfig& config) {
  return std::make_unique<LandmarkTask>(config);
}

std::unique_ptr<StillTask> make_expression_task(const TrainConfig& config,
                                                const std::vector<float>& face_template) {
  return std::make_unique<ExpressionTask>(config, face_template);
}

double interocular_error(const float* points, const float* truth) {
  const auto distance = [](float x, float y) { return static_cast<double>(std::hypot(x, y)); };
  double sum = 0.0;
  for (std::size_t i = 0; i < 68; ++i) {
    sum += distance(points[2 * i] - truth[2 * i], points[2 * i + 1] - truth[2 * i + 1]);
  }
  const double eyes = distance(truth[72] - truth[90], truth[73] - truth[91]);
  return sum / 68.0 / std::max(eyes, 1e-6);
}

}  // namespace mien::learn
