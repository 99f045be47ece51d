#include "report/cost.h"

#include <algorithm>

#include "core/mobilefacenet_spec.h"
#include "core/s2d_spec.h"
#include "core/tensor_table.h"

namespace mien::report {
namespace {

constexpr int kMaxFrames = 4096;

// Walks convolutions over a square picture.
class ConvCounter {
 public:
  explicit ConvCounter(int side) : side_(side) {}

  void add(const core::ConvBlockSpec& c) {
    side_ = (side_ + 2 * c.padding - c.kernel) / c.stride + 1;
    const double places = static_cast<double>(side_) * side_;
    macs_ += places * c.out * (c.in / c.groups) * c.kernel * c.kernel;
    largest_ = std::max(largest_, places * c.out);
  }

  void add(const std::vector<core::MobileFaceNetStage>& stages) {
    for (const auto& stage : stages) {
      for (const auto& conv : stage.convs) add(conv);
      for (const auto& block : stage.bottlenecks) {
        add(block.conv());
        add(block.conv_dw());
        add(block.project());
      }
    }
  }

  double macs() const { return macs_; }
  double largest_map() const { return largest_; }

 private:
  int side_;
  double macs_ = 0.0;
  double largest_ = 0.0;
};

void add_part(ModelCost& cost, const std::string& name, double macs) {
  if (macs <= 0.0) return;
  cost.by_part.emplace_back(name, macs / 1e9);
  cost.gmacs += macs / 1e9;
}

std::int64_t float_bytes(double count) {
  return static_cast<std::int64_t>(count) * 4;
}

ModelCost mobilefacenet_cost(const core::MobileFaceNetConfig& c, int frames) {
  ModelCost cost;
  ConvCounter trunk(c.input_size);
  trunk.add(core::mobilefacenet_trunk());
  ConvCounter whole(c.input_size);
  whole.add(core::mobilefacenet_trunk());
  whole.add(core::mobilefacenet_tail());
  whole.add(core::mobilefacenet_gdc());
  add_part(cost, "trunk", frames * trunk.macs());
  add_part(cost, "tail", frames * (whole.macs() - trunk.macs()));
  add_part(cost, "head", frames * 512.0 * c.embedding_size);
  cost.activation_bytes = float_bytes(2.0 * frames * whole.largest_map());
  return cost;
}

// The sizes of S2D as doubles: products stay exact far beyond any real model.
struct Sizes {
  explicit Sizes(const core::S2DConfig& c, int frame_count)
      : frames(frame_count),
        patches(c.num_patches()),
        tokens(patches + 1),
        width(c.embed_dim),
        mlp(c.mlp_dim()),
        hidden(c.hidden_dim),
        adapter(c.temporal ? c.adapter_dim() : 0),
        prompts(core::prompt_count(c)) {}
  double frames, patches, tokens, width, mlp, hidden, adapter, prompts;
};

double patch_embed_macs(const core::S2DConfig& c, const Sizes& s) {
  if (c.stem.empty()) {
    return s.frames * s.patches * s.width * c.in_chans * c.patch_size * c.patch_size;
  }
  ConvCounter stem(c.img_size);
  int channels = c.in_chans;
  for (const core::StemLayer& layer : c.stem) {
    stem.add({.name = "",
              .in = channels,
              .out = layer.channels,
              .kernel = 3,
              .stride = layer.stride,
              .padding = 1});
    channels = layer.channels;
  }
  return s.frames * (stem.macs() + s.patches * s.width * channels);
}

// Six matrices and attention over time, of every patch.
double tma_macs(const Sizes& s) {
  const double linear = 4.0 * s.width * s.adapter + 4.0 * s.adapter * s.adapter;
  return s.prompts * s.patches * s.frames * (linear + 2.0 * s.frames * s.adapter);
}

std::int64_t s2d_activation_bytes(const core::S2DConfig& c, const Sizes& s) {
  const double stream = s.frames * (s.tokens + s.patches) * s.width;
  const double block = s.frames * s.tokens * std::max(5.0 * s.width, s.width + s.mlp);
  const double prompt = s.frames * s.patches * (4.0 * s.width + 5.0 * s.adapter + 3.0 * s.hidden);
  ConvCounter landmark(c.landmark_size);
  landmark.add(core::mobilefacenet_trunk());
  return float_bytes(stream + std::max({block, prompt, 2.0 * s.frames * landmark.largest_map()}));
}

ModelCost s2d_cost(const core::S2DConfig& c, int frames) {
  const Sizes s(c, frames);
  ModelCost cost;
  ConvCounter landmark(c.landmark_size);
  landmark.add(core::mobilefacenet_trunk());
  cost.landmark_gmacs = s.frames * landmark.macs() / 1e9;
  cost.landmark_parameters = core::parameter_count(core::mobilefacenet_trunk_table(""));
  if (c.with_landmark) add_part(cost, "landmark", s.frames * landmark.macs());
  add_part(cost, "patch_embed", patch_embed_macs(c, s));
  add_part(cost, "landmark_embed", s.frames * s.patches * s.width * c.in_chans_l);
  add_part(cost, "spatial_prompts", s.prompts * s.frames * s.patches * 3.0 * s.width * s.hidden);
  add_part(cost, "temporal_adapters", tma_macs(s));
  const double rows = s.frames * s.tokens * c.depth;
  add_part(cost, "attention_linear", rows * 4.0 * s.width * s.width);
  add_part(cost, "attention_products", rows * 2.0 * s.tokens * s.width);
  add_part(cost, "mlp", rows * 2.0 * s.width * s.mlp);
  add_part(cost, "head", s.width * c.num_classes);
  cost.activation_bytes = s2d_activation_bytes(c, s);
  return cost;
}

}  // namespace

Result<ModelCost> model_cost(const core::ModelConfig& original, int frames, int size) {
  if (frames > kMaxFrames) {
    return make_error(ErrorCode::kInvalidArgument, "more than 4096 frames");
  }
  core::ModelConfig config = original;
  core::S2DConfig& s2d = config.s2d;
  const bool is_s2d = config.arch == core::Arch::kS2D;
  if (is_s2d && size > 0) {
    // The landmark map follows the patch grid, at the ratio of the original.
    s2d.img_size = size;
    s2d.landmark_size = s2d.grid() * 8;
  } else if (size > 0 && size != config.input_size()) {
    return make_error(ErrorCode::kInvalidArgument,
                      "this model's size is fixed at " + std::to_string(config.input_size()));
  }
  if (frames > 0) s2d.num_frames = frames;
  if (auto status = core::validate(config); !status || config.input_size() < s2d.patch_size) {
    return make_error(ErrorCode::kInvalidArgument,
                      status.ok() ? "the size is below one patch" : status.error().message);
  }
  const int counted = is_s2d && s2d.temporal ? s2d.num_frames : std::max(1, frames);
  ModelCost cost =
      is_s2d ? s2d_cost(s2d, counted) : mobilefacenet_cost(config.mobilefacenet, counted);
  cost.parameters = core::parameter_count(core::tensor_table(config));
  cost.frames = counted;
  cost.size = config.input_size();
  return cost;
}

}  // namespace mien::report
