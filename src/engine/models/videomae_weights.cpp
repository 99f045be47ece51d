#include "engine/models/videomae_weights.h"

#include <algorithm>

#include "core/s2d_spec.h"
#include "engine/guard.h"

namespace mien::engine {
namespace {

std::size_t z(int n) {
  return static_cast<std::size_t>(n);
}

// The official layer has no bias of its own; it adds [q_bias, 0, v_bias].
BlockLinearWeights read_qkv(const std::shared_ptr<const Context>& context,
                            const TensorSource& source, bool with_bias, std::size_t width) {
  std::vector<float> bias;
  if (with_bias) {
    bias.assign(3 * width, 0.0F);
    const std::vector<float> q = source.floats("q_bias");
    const std::vector<float> v = source.floats("v_bias");
    std::copy_n(q.begin(), width, bias.begin());
    std::copy_n(v.begin(), width, bias.end() - static_cast<std::ptrdiff_t>(width));
  }
  return BlockLinearWeights::make(context, source.full_name("qkv"), source.floats("qkv.weight"),
                                  std::move(bias), width, 3 * width);
}

VitBlockWeights read_block(const std::shared_ptr<const Context>& context,
                           const TensorSource& source, const core::VideoMaeConfig& c) {
  return {.norm1 = read_norm(source, "norm1", core::kVitNormEps),
          .norm2 = read_norm(source, "norm2", core::kVitNormEps),
          .qkv = read_qkv(context, source.under("attn."), c.qkv_bias, z(c.embed_dim)),
          .proj = BlockLinearWeights::read(context, source, "attn.proj"),
          .fc1 = BlockLinearWeights::read(context, source, "mlp.fc1"),
          .fc2 = BlockLinearWeights::read(context, source, "mlp.fc2")};
}

}  // namespace

std::vector<VitBlockWeights> read_videomae_blocks(const std::shared_ptr<const Context>& context,
                                                  const TensorSource& source,
                                                  const core::VideoMaeConfig& config) {
  std::vector<VitBlockWeights> blocks;
  for (int i = 0; i < config.depth; ++i) {
    const TensorSource block = source.under("blocks." + std::to_string(i) + ".");
    blocks.push_back(read_block(context, block, config));
  }
  return blocks;
}

Result<std::shared_ptr<const VideoMaeWeights>> VideoMaeWeights::load(
    std::shared_ptr<const Context> context, const core::ModelConfig& config,
    const core::TensorViewMap& tensors) {
  return guarded([&]() -> Result<std::shared_ptr<const VideoMaeWeights>> {
    const core::VideoMaeConfig& c = config.videomae;
    const TensorSource source(tensors, "");
    auto w = std::make_shared<VideoMaeWeights>();
    w->context = context;
    w->config = config;
    w->patch_proj = PatchProjection::read(context, source, "patch_embed.proj", config.input);
    w->positions = core::sincos_positions(c.tokens(), c.embed_dim);
    w->blocks = read_videomae_blocks(context, source, c);
    w->fc_norm = read_norm(source, "fc_norm", core::kVitNormEps);
    w->head = read_head(source, "head");
    return std::shared_ptr<const VideoMaeWeights>(std::move(w));
  });
}

VitSizes videomae_block_sizes(const core::VideoMaeConfig& c) {
  return {.width = z(c.embed_dim), .heads = z(c.num_heads), .mlp = z(c.mlp_dim())};
}

double videomae_block_macs(const core::VideoMaeConfig& c, std::size_t tokens) {
  const auto d = static_cast<double>(c.embed_dim);
  const auto n = static_cast<double>(tokens);
  return n * (4.0 * d * d + 2.0 * d * static_cast<double>(c.mlp_dim()) + 2.0 * n * d);
}

Status check_clip_frames(const core::VideoMaeConfig& c, std::size_t count) {
  if (count == z(c.num_frames)) return {};
  return make_error(ErrorCode::kInvalidArgument, "a clip has " + std::to_string(count) +
                                                     " frames, the model reads " +
                                                     std::to_string(c.num_frames));
}

}  // namespace mien::engine
