#include <algorithm>

#include "engine/kernels/fovea.h"
#include "engine/models/s2d_parts.h"

namespace mien::engine {
PromptBuffers::PromptBuffers(const S2DWeights& w, std::size_t frame_count, std::size_t first,
                             const TimeTeam* team, Arena& arena)
    : frames(frame_count), first_frame(first) {
  const std::size_t rows = frames * w.patches();
  const auto hidden = static_cast<std::size_t>(w.sizes().hidden_dim);
  normed = arena.reserve_for<float>(rows * w.width());
  map_normed = arena.reserve_for<float>(rows * w.width());
  u = arena.reserve_for<float>(rows * hidden);
  v = arena.reserve_for<float>(rows * hidden);
  sum = arena.reserve_for<float>(rows * hidden);
  fovea_work = arena.reserve_for<float>(frames * 2 * hidden);
  if (team == nullptr) return;
  const auto r = static_cast<std::size_t>(w.sizes().adapter_dim());
  normed_act = arena.reserve_for<float>(rows * w.width());
  down = arena.reserve_for<float>(rows * r);
  projected = arena.reserve_for<float>(rows * r);
  temporal = arena.reserve_for<float>(rows * w.width());
  temporal_normed = arena.reserve_for<float>(rows * w.width());
  temporal_term = arena.reserve_for<float>(rows * w.width());
  attention_work = arena.reserve_for<float>(static_cast<std::size_t>(w.context->threads()) *
                                            attention_scratch_floats(team->shape()));
}

S2DPromptPart::S2DPromptPart(const S2DWeights& w, std::size_t index, const PromptBuffers& buffers)
    : weights_(&w),
      prompt_(&w.prompts[index]),
      buffers_(&buffers),
      index_(index),
      conv0_0_(prompt_->conv0_0, buffers.frames * w.patches(), Epilogue::kNone, LinearOut::kF32),
      conv0_1_(prompt_->conv0_1, buffers.frames * w.patches(), Epilogue::kNone, LinearOut::kF32),
      conv1x1_(prompt_->conv1x1, buffers.frames * w.patches(), Epilogue::kNone, LinearOut::kF32) {
  scratch_bytes_ =
      std::max({conv0_0_.scratch_bytes(), conv0_1_.scratch_bytes(), conv1x1_.scratch_bytes()});
  if (!prompt_->tma) return;
  const TmaWeights& t = *prompt_->tma;
  const auto bind = [&](const SharedLinear& weights, Epilogue epilogue, LinearOut out) {
    Linear linear(weights, buffers.frames * w.patches(), epilogue, out);
    scratch_bytes_ = std::max(scratch_bytes_, linear.scratch_bytes());
    return linear;
  };
  tma_.emplace(Tma{.t_fc1 = bind(t.t_fc1, Epilogue::kGelu, LinearOut::kAct),
                   .t_qkv = bind(t.t_qkv, Epilogue::kNone, LinearOut::kAct),
                   .t_proj = bind(t.t_proj, Epilogue::kNone, LinearOut::kAct),
                   .t_fc2 = bind(t.t_fc2, Epilogue::kNone, LinearOut::kF32),
                   .s_fc1 = bind(t.s_fc1, Epilogue::kGelu, LinearOut::kAct),
                   .s_fc2 = bind(t.s_fc2, Epilogue::kNone, LinearOut::kF32)});
}

const float* S2DPromptPart::run(const Pass& pass, const float* x, const RowBlocks& blocks,
                                float* map_tokens) {
  const S2DWeights& w = *weights_;
  const PromptBuffers& b = *buffers_;
  constexpr ActKind kF32 = ActKind::kF32;  // the spatial prompt is f32 in every precision
  const std::size_t rows = b.frames * w.patches();
  // prompt_norms[0] serves x at prompts 0 and 1 and the map at every prompt: so does the official
  // code (NOTES.md section 1, item 7).
  const NormWeights& x_norm = w.prompt_norms[index_ == 0 ? 0 : index_ - 1];
  layer_norm(x, blocks, x_norm.params(), kF32, pass.arena->at(b.normed));
  layer_norm(map_tokens, plain_rows(rows, w.width()), w.prompt_norms[0].params(), kF32,
             pass.arena->at(b.map_normed));

  auto* u = pass.arena->at<float>(b.u);
  auto* v = pass.arena->at<float>(b.v);
  conv0_0_.run(*pass.stream, pass.arena->at(b.normed), u, pass.scratch);
  conv0_1_.run(*pass.stream, pass.arena->at(b.map_normed), v, pass.scratch);
  fovea(u, v, b.frames, w.patches(), static_cast<std::size_t>(w.sizes().hidden_dim),
        prompt_->smooth, kF32, pass.arena->at(b.sum), pass.arena->at<float>(b.fovea_work));
  conv1x1_.run(*pass.stream, pass.arena->at(b.sum), map_tokens, pass.scratch);
  if (pass.tap != nullptr) tap_spatial(pass, map_tokens);
  return tma_ ? run_tma(pass) : nullptr;
}

const float* S2DPromptPart::run_tma(const Pass& pass) {
  const S2DWeights& w = *weights_;
  const PromptBuffers& b = *buffers_;
  const Arena& arena = *pass.arena;
  const ActKind kind = w.context->act();
  const auto linear = [&](Linear& layer, Slot from, Slot to) {
    layer.run(*pass.stream, arena.at(from), arena.at(to), pass.scratch);
  };
  // T_Adapter: attention of each patch over time, no skip connection.
  Slot normed = b.normed;
  if (kind != ActKind::kF32) {
    normed = b.normed_act;
    store_act(arena.at<float>(b.normed), b.frames * w.patches() * w.width(), kind,
              arena.at(normed));
  }
  linear(tma_->t_fc1, normed, b.down);
  TimeTeam& team = *pass.team;
  tma_->t_qkv.run(*pass.stream, arena.at(b.down), team.qkv(kind, b.first_frame), pass.scratch);
  team.barrier().wait();
  team.attend(pass.member, kind, arena.at<float>(b.attention_work));
  team.barrier().wait();
  tma_->t_proj.run(*pass.stream, team.mixed(kind, b.first_frame), arena.at(b.projected),
                   pass.scratch);
  linear(tma_->t_fc2, b.projected, b.temporal);
  // Norm and S_Adapter, no skip connection either.
  layer_norm(arena.at<float>(b.temporal), plain_rows(b.frames * w.patches(), w.width()),
             prompt_->tma->norm.params(), kind, arena.at(b.temporal_normed));
  linear(tma_->s_fc1, b.temporal_normed, b.down);
  linear(tma_->s_fc2, b.down, b.temporal_term);
  if (pass.tap != nullptr) tap_temporal(pass);
  return arena.at<float>(b.temporal_term);
}

void S2DPromptPart::tap_spatial(const Pass& pass, const float* map_tokens) const {
  const S2DWeights& w = *weights_;
  const std::string name = "prompt_block" + std::to_string(index_);
  const auto grid = static_cast<std::size_t>(w.sizes().grid());
  put_planar(*pass.tap, name + ".spatial.f0", map_tokens, w.width(), grid);
  if (index_ != 0) return;
  put_planar(*pass.tap, name + ".fovea.f0", pass.arena->at<float>(buffers_->u),
             static_cast<std::size_t>(w.sizes().hidden_dim), grid);
}

void S2DPromptPart::tap_temporal(const Pass& pass) const {
  const S2DWeights& w = *weights_;
  const std::string name = "prompt_block" + std::to_string(index_);
  const std::size_t width = w.width();
  const std::size_t patches = w.patches();
  const auto i = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  pass.tap->put(name + ".tma.f0", {pass.arena->at<float>(buffers_->temporal_term), patches * width},
                {i(patches), i(width)});
  if (index_ != 0) return;
  // The first four patches through all frames, as the official code groups them.
  const auto* temporal = pass.arena->at<float>(buffers_->temporal);
  const std::size_t shown = std::min<std::size_t>(4, patches);
  std::vector<float> grouped;
  for (std::size_t p = 0; p < shown; ++p) {
    for (std::size_t t = 0; t < buffers_->frames; ++t) {
      const float* row = temporal + (t * patches + p) * width;
      grouped.insert(grouped.end(), row, row + width);
    }
  }
  pass.tap->put(name + ".T_Adapter.tok0_3", grouped, {i(shown), i(buffers_->frames), i(width)});
}

}  // namespace mien::engine
