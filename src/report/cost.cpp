#include "report/cost.h"

#include <algorithm>
#include <initializer_list>

#include "core/adatosk_spec.h"
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

// Transformer blocks, each over one sequence of `tokens` that attend to each other.
struct Blocks {
  double count = 0.0;
  double tokens = 0.0;
};

void add_blocks(ModelCost& cost, std::initializer_list<Blocks> runs, double width, double mlp) {
  double rows = 0.0;
  double pairs = 0.0;
  for (const Blocks& run : runs) {
    rows += run.count * run.tokens;
    pairs += run.count * run.tokens * run.tokens;
  }
  add_part(cost, "attention_linear", rows * 4.0 * width * width);
  add_part(cost, "attention_products", pairs * 2.0 * width);
  add_part(cost, "mlp", rows * 2.0 * width * mlp);
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
  add_blocks(cost, {{s.frames * c.depth, s.tokens}}, s.width, s.mlp);
  add_part(cost, "head", s.width * c.num_classes);
  cost.activation_bytes = s2d_activation_bytes(c, s);
  return cost;
}

double cube_embed_macs(const core::VideoMaeConfig& c) {
  const double pixels = static_cast<double>(c.patch_size) * c.patch_size * c.tubelet_size;
  return static_cast<double>(c.tokens()) * c.embed_dim * c.in_chans * pixels;
}

// The stream, and what a block makes beside it: norm, q, k, v and the attention's result, or norm
// and hidden layer. The matrix of attention weights need never be whole.
std::int64_t vit_activation_bytes(const core::VideoMaeConfig& c) {
  const double width = c.embed_dim;
  return float_bytes(static_cast<double>(c.tokens()) *
                     (width + std::max(5.0 * width, width + c.mlp_dim())));
}

ModelCost videomae_cost(const core::VideoMaeConfig& c) {
  const double tokens = c.tokens();
  const double width = c.embed_dim;
  ModelCost cost;
  add_part(cost, "patch_embed", cube_embed_macs(c));
  add_blocks(cost, {{static_cast<double>(c.depth), tokens}}, width, c.mlp_dim());
  add_part(cost, "head", width * c.num_classes);
  cost.activation_bytes = vit_activation_bytes(c);
  return cost;
}

// The products of adatosk_spec.h, all of them between vectors as long as a token or over classes.
double soft_mask_macs(const core::AdaToskConfig& c, double kept) {
  if (!c.masks()) return 0.0;
  const double slots = c.vit.slots();
  const double tokens = c.vit.tokens();
  const double classes = c.vit.num_classes;
  const double earlier = slots * (slots - 1.0) / 2.0;  // pairs of a slot and one before it
  double vectors = 2.0 * tokens + slots + kept;        // g zn, |y|, |M|, and the pooling m x
  vectors += classes;                                  // aux_head
  double scalars = 0.0;
  if (c.agnostic) vectors += tokens - tokens / slots + earlier;  // y.y of neighbours, M.M
  if (c.agnostic) {
    vectors += tokens * c.agnostic_hidden;
    scalars += tokens * c.agnostic_hidden;  // the readout
  }
  if (c.semantic) {
    vectors += classes * (tokens + slots + 1.0);                    // y.w, M.w, |w|
    scalars += classes * (tokens + earlier + slots + 2.0 * slots);  // e, k q, cosines of q
  }
  return vectors * c.vit.embed_dim + scalars;
}

ModelCost adatosk_cost(const core::AdaToskConfig& c) {
  const double width = c.vit.embed_dim;
  const auto kept = static_cast<double>(core::kept_tokens(c.budget, c.vit.tokens()));
  ModelCost cost;
  cost.activation_bytes = vit_activation_bytes(c.vit);
  if (c.stem.empty()) {
    add_part(cost, "patch_embed", cube_embed_macs(c.vit));
  } else {
    ConvCounter stem(c.vit.img_size);
    for (const core::ConvBlockSpec& block : core::adatosk_stem(c)) stem.add(block);
    const double proj = static_cast<double>(c.vit.tokens()) * width * c.stem.back().channels;
    add_part(cost, "patch_embed", c.vit.slots() * stem.macs() + proj);
    cost.activation_bytes =
        std::max(cost.activation_bytes, float_bytes(2.0 * c.vit.slots() * stem.largest_map()));
  }
  // Before the gate: one sequence, or one per slot.
  const double sequences = c.slotwise ? c.vit.slots() : 1.0;
  add_blocks(cost,
             {{c.gate * sequences, c.vit.tokens() / sequences},
              {static_cast<double>(c.vit.depth - c.gate), kept}},
             width, c.vit.mlp_dim());
  add_part(cost, "soft_mask", soft_mask_macs(c, kept));
  add_part(cost, "head", width * c.vit.num_classes);
  cost.budget = c.budget;
  return cost;
}

// The config of the same model made for other clips; 0: as it is.
Result<core::ModelConfig> resized(core::ModelConfig config, int frames, int size) {
  switch (config.arch) {
    case core::Arch::kMobileFaceNet:
      if (size > 0 && size != config.input_size()) {
        return make_error(ErrorCode::kInvalidArgument,
                          "this model's size is fixed at " + std::to_string(config.input_size()));
      }
      break;
    case core::Arch::kS2D:
      if (size > 0) {
        config.s2d.img_size = size;
        // The landmark map follows the patch grid, at the ratio of the original.
        config.s2d.landmark_size = config.s2d.grid() * 8;
      }
      if (frames > 0) config.s2d.num_frames = frames;
      break;
    case core::Arch::kVideoMae:
      if (size > 0) config.videomae.img_size = size;
      if (frames > 0) config.videomae.num_frames = frames;
      break;
    case core::Arch::kAdaTosk:
      if (size > 0) config.adatosk.vit.img_size = size;
      if (frames > 0) config.adatosk.vit.num_frames = frames;
      break;
  }
  if (auto status = core::validate(config); !status) {
    return make_error(ErrorCode::kInvalidArgument, status.error().message);
  }
  return config;
}

ModelCost count(const core::ModelConfig& config, int frames) {
  switch (config.arch) {
    case core::Arch::kMobileFaceNet: return mobilefacenet_cost(config.mobilefacenet, frames);
    case core::Arch::kS2D: return s2d_cost(config.s2d, frames);
    case core::Arch::kVideoMae: return videomae_cost(config.videomae);
    case core::Arch::kAdaTosk: return adatosk_cost(config.adatosk);
  }
  return {};
}

}  // namespace

Result<ModelCost> model_cost(const core::ModelConfig& original, int frames, int size,
                             double budget) {
  if (frames > kMaxFrames) {
    return make_error(ErrorCode::kInvalidArgument, "more than 4096 frames");
  }
  MIEN_ASSIGN(core::ModelConfig config, resized(original, frames, size));
  if (budget > 0.0) {
    if (config.arch != core::Arch::kAdaTosk) {
      return make_error(ErrorCode::kInvalidArgument, "only AdaTosk has a budget");
    }
    if (budget > 1.0) return make_error(ErrorCode::kInvalidArgument, "the budget is above 1");
    config.adatosk.budget = budget;
  }
  // A model of single pictures takes as many as it is given.
  const bool of_stills = config.input_frames() == 1;
  const int counted = of_stills ? std::max(1, frames) : config.input_frames();
  ModelCost cost = count(config, counted);
  cost.parameters = core::parameter_count(core::tensor_table(config));
  cost.frames = counted;
  cost.size = config.input_size();
  return cost;
}

}  // namespace mien::report
