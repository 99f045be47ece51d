#include "engine/models/s2d_weights.h"

#include "engine/guard.h"

namespace mien::engine {
namespace {

TmaWeights read_tma(const std::shared_ptr<const Context>& context, const TensorSource& source) {
  const auto linear = [&](const char* name) { return LinearWeights::read(context, source, name); };
  return {.t_fc1 = linear("T_Adapter.D_fc1"),
          .t_qkv = linear("T_Adapter.attn.qkv"),
          .t_proj = linear("T_Adapter.attn.proj"),
          .t_fc2 = linear("T_Adapter.D_fc2"),
          .s_fc1 = linear("S_Adapter.D_fc1"),
          .s_fc2 = linear("S_Adapter.D_fc2"),
          .norm = read_norm(source, "norm", core::kTmaNormEps)};
}

PromptWeights read_prompt(const std::shared_ptr<const Context>& context, const TensorSource& source,
                          bool temporal) {
  PromptWeights prompt;
  // The fovea multiplies what conv0_0 gives by 10 or so and takes its exponential: in bf16 that
  // would be the largest error of the network.
  prompt.conv0_0 = LinearWeights::read_f32(context, source, "conv0_0");
  prompt.conv0_1 = LinearWeights::read_f32(context, source, "conv0_1");
  prompt.conv1x1 = LinearWeights::read_f32(context, source, "conv1x1");
  prompt.smooth = source.floats("fovea.smooth").at(0);
  if (temporal) prompt.tma = read_tma(context, source.under("TMA."));
  return prompt;
}

VitBlockWeights read_block(const std::shared_ptr<const Context>& context,
                           const TensorSource& source) {
  return {.norm1 = read_norm(source, "norm1", core::kVitNormEps),
          .norm2 = read_norm(source, "norm2", core::kVitNormEps),
          .qkv = BlockLinearWeights::read(context, source, "attn.qkv"),
          .proj = BlockLinearWeights::read(context, source, "attn.proj"),
          .fc1 = BlockLinearWeights::read(context, source, "mlp.fc1"),
          .fc2 = BlockLinearWeights::read(context, source, "mlp.fc2")};
}

// The stem's stages under the names of its tensors.
std::vector<core::MobileFaceNetStage> stem_stages(const core::S2DConfig& c) {
  std::vector<core::MobileFaceNetStage> stages;
  int channels = c.in_chans;
  for (std::size_t i = 0; i < c.stem.size(); ++i) {
    core::MobileFaceNetStage stage;
    stage.name = "patch_embed.stem." + std::to_string(i);
    stage.convs.push_back({.name = stage.name,
                           .in = channels,
                           .out = c.stem[i].channels,
                           .kernel = 3,
                           .stride = c.stem[i].stride,
                           .padding = 1,
                           .prelu = false});
    channels = c.stem[i].channels;
    stages.push_back(std::move(stage));
  }
  return stages;
}

void read_patch_embed(S2DWeights& w, const TensorSource& source) {
  if (w.sizes().stem.empty()) {
    w.patch_proj = LinearWeights::read_patches(w.context, source, "patch_embed.proj");
    return;
  }
  w.stem = ConvChainWeights::read(w.context, source, stem_stages(w.sizes()), true);
  w.patch_proj = LinearWeights::read(w.context, source, "patch_embed.proj");
}

}  // namespace

Result<std::shared_ptr<const S2DWeights>> S2DWeights::load(std::shared_ptr<const Context> context,
                                                           const core::ModelConfig& config,
                                                           const core::TensorViewMap& tensors) {
  const core::S2DConfig& c = config.s2d;
  if (c.with_landmark && (c.in_chans != 3 || c.in_chans_l != core::kMobileFaceNetFeatureChannels)) {
    return make_error(ErrorCode::kUnsupported,
                      "the landmark network needs in_chans 3 and in_chans_l 128", "config");
  }
  return guarded([&]() -> Result<std::shared_ptr<const S2DWeights>> {
    const TensorSource source(tensors, "");
    auto w = std::make_shared<S2DWeights>();
    w->context = context;
    w->config = config;
    w->cls_token = source.floats("cls_token");
    w->pos_embed = source.floats("pos_embed");
    if (c.temporal) w->temporal_embedding = source.floats("temporal_embedding");
    read_patch_embed(*w, source);
    w->prompt_proj = LinearWeights::read(context, source, "patch_embed_prompt.proj");
    for (int i = 0; i < core::prompt_count(c); ++i) {
      const std::string index = std::to_string(i);
      w->prompts.push_back(
          read_prompt(context, source.under("prompt_blocks." + index + "."), c.temporal));
      w->prompt_norms.push_back(read_norm(source, "prompt_norms." + index, core::kVitNormEps));
    }
    for (int i = 0; i < c.depth; ++i) {
      w->blocks.push_back(read_block(context, source.under("blocks." + std::to_string(i) + ".")));
    }
    w->ln_post = read_norm(source, "ln_post", core::kVitNormEps);
    w->head = read_head(source, "head.fc_cls");
    if (c.with_landmark) {
      w->landmark = ConvChainWeights::read(context, source.under(core::kLandmarkPrefix),
                                           core::mobilefacenet_trunk(), false);
    }
    return std::shared_ptr<const S2DWeights>(std::move(w));
  });
}

std::shared_ptr<const S2DWeights> S2DWeights::image_model() const {
  auto image = std::make_shared<S2DWeights>(*this);
  image->config.s2d.temporal = false;
  image->config.s2d.keeps_image_model = false;
  image->temporal_embedding.clear();
  for (PromptWeights& prompt : image->prompts) prompt.tma.reset();
  return image;
}

}  // namespace mien::engine
