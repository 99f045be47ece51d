#include "engine/models/vit_block.h"

#include <algorithm>

namespace mien::engine {

NormWeights read_norm(const TensorSource& source, const std::string& name, float eps) {
  return {source.floats(name + ".weight"), source.floats(name + ".bias"), eps};
}

VitBuffers::VitBuffers(const Context& context, const VitSizes& sizes, std::size_t sequences,
                       std::size_t tokens, Arena& arena)
    : kind(context.act()) {
  const std::size_t width = sizes.width;
  attention.sequences = sequences;
  attention.tokens = tokens;
  attention.heads = sizes.heads;
  attention.head_dim = width / sizes.heads;
  attention.token_stride = 3 * width;
  attention.sequence_stride = tokens * 3 * width;
  attention.out_token_stride = width;
  attention.out_sequence_stride = tokens * width;
  normed = arena.reserve_for<float>(rows() * width);
  qkv = arena.reserve_for<float>(rows() * 3 * width);
  mixed = arena.reserve_for<float>(rows() * width);
  hidden = arena.reserve_for<float>(rows() * sizes.mlp);
  attention_work = arena.reserve_for<float>(static_cast<std::size_t>(context.threads()) *
                                            attention_scratch_floats(attention));
}

VitBlock::VitBlock(const VitBlockWeights& weights, const VitBuffers& buffers)
    : weights_(&weights),
      buffers_(&buffers),
      qkv_(weights.qkv, buffers.rows(), Epilogue::kNone, LinearOut::kAct),
      proj_(weights.proj, buffers.rows(), Epilogue::kAddToDst, LinearOut::kF32),
      fc1_(weights.fc1, buffers.rows(), Epilogue::kGelu, LinearOut::kAct),
      fc2_(weights.fc2, buffers.rows(), Epilogue::kAddToDst, LinearOut::kF32) {
  scratch_bytes_ = std::max(
      {qkv_.scratch_bytes(), proj_.scratch_bytes(), fc1_.scratch_bytes(), fc2_.scratch_bytes()});
}

void VitBlock::run_attention(const LayerPass& pass, float* x, const float* key_bias) {
  const VitBuffers& b = *buffers_;
  const Arena& arena = *pass.arena;
  layer_norm(x, plain_rows(b.rows(), b.attention.width()), weights_->norm1.params(), b.kind,
             arena.at(b.normed));
  qkv_.run(*pass.stream, arena.at(b.normed), arena.at(b.qkv), pass.scratch);
  attention(b.attention, b.kind, arena.at(b.qkv), arena.at(b.mixed),
            arena.at<float>(b.attention_work), key_bias);
  proj_.run(*pass.stream, arena.at(b.mixed), x, pass.scratch);
}

void VitBlock::run_mlp(const LayerPass& pass, float* x) {
  const VitBuffers& b = *buffers_;
  const Arena& arena = *pass.arena;
  layer_norm(x, plain_rows(b.rows(), b.attention.width()), weights_->norm2.params(), b.kind,
             arena.at(b.normed));
  fc1_.run(*pass.stream, arena.at(b.normed), arena.at(b.hidden), pass.scratch);
  fc2_.run(*pass.stream, arena.at(b.hidden), x, pass.scratch);
}

}  // namespace mien::engine
