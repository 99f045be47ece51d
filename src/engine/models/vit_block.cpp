#include "engine/models/vit_block.h"

#include <algorithm>

namespace mien::engine {

NormWeights read_norm(const TensorSource& source, const std::string& name, float eps) {
  return {source.floats(name + ".weight"), source.floats(name + ".bias"), eps};
}

VitBuffers::VitBuffers(const Context& context, const VitSizes& sizes, std::size_t sequences,
                       std::size_t tokens, Arena& arena)
    : kind(context.act()), code_limit(context.code_limit()), mlp(sizes.mlp) {
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
  if (context.precision() != Precision::kInt8) return;
  codes = arena.reserve_for<std::uint8_t>(rows() * std::max(width, sizes.mlp));
  scales = arena.reserve_for<float>(rows());
  hidden_scales = arena.reserve_for<float>(rows());
}

VitBlock::VitBlock(const VitBlockWeights& weights, const VitBuffers& buffers)
    : weights_(&weights),
      buffers_(&buffers),
      qkv_(weights.qkv, buffers.rows(), QuantizedOut::kAct),
      proj_(weights.proj, buffers.rows(), QuantizedOut::kAddToDst),
      fc1_(weights.fc1, buffers.rows(),
           weights.fc2.quantized() ? QuantizedOut::kGeluCodes : QuantizedOut::kGeluAct),
      fc2_(weights.fc2, buffers.rows(), QuantizedOut::kAddToDst) {
  scratch_bytes_ = std::max(
      {qkv_.scratch_bytes(), proj_.scratch_bytes(), fc1_.scratch_bytes(), fc2_.scratch_bytes()});
}

QuantizedRows VitBlock::codes(const Arena& arena) const {
  return {arena.at<std::uint8_t>(buffers_->codes), arena.at<float>(buffers_->scales)};
}

void VitBlock::run_normed(const LayerPass& pass, const float* x, const NormWeights& norm,
                          BlockLinear& layer, void* y, float* y_scales) {
  const VitBuffers& b = *buffers_;
  const RowBlocks rows = plain_rows(b.rows(), b.attention.width());
  if (layer.quantized()) {
    const QuantizedRows normed = codes(*pass.arena);
    layer_norm_quantize(x, rows, norm.params(), b.code_limit, normed);
    layer.run(normed, y, y_scales, pass.scratch);
  } else {
    layer_norm(x, rows, norm.params(), b.kind, pass.arena->at(b.normed));
    layer.run(*pass.stream, pass.arena->at(b.normed), y, pass.scratch);
  }
}

void VitBlock::run_rows(const LayerPass& pass, const void* act, std::size_t width,
                        BlockLinear& layer, float* y) {
  const VitBuffers& b = *buffers_;
  if (layer.quantized()) {
    const QuantizedRows rows = codes(*pass.arena);
    quantize_rows(act, b.kind, b.rows(), width, b.code_limit, rows);
    layer.run(rows, y, nullptr, pass.scratch);
  } else {
    layer.run(*pass.stream, act, y, pass.scratch);
  }
}

void VitBlock::run_attention(const LayerPass& pass, float* x, const float* key_bias) {
  const VitBuffers& b = *buffers_;
  const Arena& arena = *pass.arena;
  run_normed(pass, x, weights_->norm1, qkv_, arena.at(b.qkv), nullptr);
  attention(b.attention, b.kind, arena.at(b.qkv), arena.at(b.mixed),
            arena.at<float>(b.attention_work), key_bias);
  run_rows(pass, arena.at(b.mixed), b.attention.width(), proj_, x);
}

void VitBlock::run_mlp(const LayerPass& pass, float* x) {
  const VitBuffers& b = *buffers_;
  const Arena& arena = *pass.arena;
  auto* scales = arena.at<float>(b.hidden_scales);
  run_normed(pass, x, weights_->norm2, fc1_, arena.at(b.hidden), scales);
  if (fc1_.quantized() && fc2_.quantized()) {
    const QuantizedRows hidden{arena.at<std::uint8_t>(b.hidden), scales};
    fc2_.run(hidden, x, nullptr, pass.scratch);
  } else {
    run_rows(pass, arena.at(b.hidden), b.mlp, fc2_, x);
  }
}

}  // namespace mien::engine
