#include <algorithm>

#include "engine/models/s2d_parts.h"

namespace mien::engine {

BlockBuffers::BlockBuffers(const S2DWeights& w, std::size_t frames, Arena& arena) : chunk(frames) {
  const std::size_t rows = chunk * w.tokens();
  attention.sequences = chunk;
  attention.tokens = w.tokens();
  attention.heads = static_cast<std::size_t>(w.sizes().num_heads);
  attention.head_dim = static_cast<std::size_t>(w.sizes().head_dim());
  attention.token_stride = 3 * w.width();
  attention.sequence_stride = w.tokens() * 3 * w.width();
  attention.out_token_stride = w.width();
  attention.out_sequence_stride = w.tokens() * w.width();
  normed = arena.reserve_for<float>(rows * w.width());
  qkv = arena.reserve_for<float>(rows * 3 * w.width());
  mixed = arena.reserve_for<float>(rows * w.width());
  hidden = arena.reserve_for<float>(rows * static_cast<std::size_t>(w.sizes().mlp_dim()));
  attention_work = arena.reserve_for<float>(static_cast<std::size_t>(w.context->threads()) *
                                            attention_scratch_floats(attention));
}

S2DBlockPart::S2DBlockPart(const S2DWeights& w, std::size_t index, const BlockBuffers& buffers)
    : weights_(&w),
      block_(&w.blocks[index]),
      buffers_(&buffers),
      qkv_(block_->qkv, buffers.chunk * w.tokens(), Epilogue::kNone, LinearOut::kAct),
      proj_(block_->proj, buffers.chunk * w.tokens(), Epilogue::kAddToDst, LinearOut::kF32),
      fc1_(block_->fc1, buffers.chunk * w.tokens(), Epilogue::kGelu, LinearOut::kAct),
      fc2_(block_->fc2, buffers.chunk * w.tokens(), Epilogue::kAddToDst, LinearOut::kF32) {
  scratch_bytes_ = std::max(
      {qkv_.scratch_bytes(), proj_.scratch_bytes(), fc1_.scratch_bytes(), fc2_.scratch_bytes()});
}

void S2DBlockPart::run(const Pass& pass, float* x) {
  const S2DWeights& w = *weights_;
  const BlockBuffers& b = *buffers_;
  const Arena& arena = *pass.arena;
  const ActKind kind = w.context->act();
  const RowBlocks rows = plain_rows(b.chunk * w.tokens(), w.width());
  layer_norm(x, rows, block_->norm1.params(), kind, arena.at(b.normed));
  qkv_.run(*pass.stream, arena.at(b.normed), arena.at(b.qkv), pass.scratch);
  attention(b.attention, kind, arena.at(b.qkv), arena.at(b.mixed),
            arena.at<float>(b.attention_work));
  proj_.run(*pass.stream, arena.at(b.mixed), x, pass.scratch);
  layer_norm(x, rows, block_->norm2.params(), kind, arena.at(b.normed));
  fc1_.run(*pass.stream, arena.at(b.normed), arena.at(b.hidden), pass.scratch);
  fc2_.run(*pass.stream, arena.at(b.hidden), x, pass.scratch);
}

}  // namespace mien::engine
