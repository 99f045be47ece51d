// AdaTosk: its tensors, and its soft mask to the digit (arXiv 2502.21004; no code is public, so
// this is a reading of the paper). Trainer and engine both follow this file.
//
// The mask of a clip is a function of its tokens alone.
//
//   S slots, P places of a slot (rows * columns), D the width; tokens in the order (slot, row,
//   column). z [S * P, D]: what leaves block gate - 1; of a slotwise model the tokens of a slot
//   have attended to each other alone so far. v in {0, 1}: the token is there; all are at run time,
//   while in training the hard mask hides some. Everything below is in f32.
//
//   zn      = LayerNorm(z; mask.norm), eps kVitNormEps
//   y_s,p   = zn_s,p - slot_mean_s
//   M_s     = mean of y_s,p over the p that are there; a slot without any token is empty: it takes
//             no part in anything below
//   n_u,p   = y_u,p when that token is there, else M_u
//   h_s,p   = y_s,p less the mean of n_u,p over the slots u that are not empty: what is there
//             beside what that place shows all the time (whose face it is says nothing about what
//             it expresses)
//   cos     (a, b) = a.b / max(|a| |b|, kMaskNormFloor)
//   std'ise (x) = (x - mean) / sqrt(variance + kMaskStdFloor^2), variance biased
//
// Class-agnostic, when `agnostic`: what changes, and has not been seen before.
//
//   c_s,p   = mean of (1 - cos(y_s,p, n_u,p)) / 2 over u in {s - 1, s + 1} that exist and are not
//             empty; 0 when there is none
//   R_s,p   = cos(y_s,p, mean of n_u,p over the u < s that are not empty): resemblance to what that
//             place has shown so far. The first slot that is not empty has R = 1: what a clip
//             begins with is what the rest is measured against
//   r(y)    = agnostic.readout . relu(agnostic.hidden.weight y + agnostic.hidden.bias), with
//             `agnostic_hidden` units, else 0 (ours): change alone finds where an expression begins
//             and ends rather than where it is seen
//   r_s,p   = the mean of r(n_u,p) over the u in {s - 1, s, s + 1} that exist and are not empty, s
//             itself counting twice: expressions last, noise does not
//   a_s,p   = c_s,p - softplus(agnostic.repeat) R_s,p + r_s,p less the mean of r_u,p over the slots
//             u that are not empty: what shows all the time says nothing about when
//   x^a     = softplus(agnostic.scale) std'ise(a over the clip's tokens) + agnostic.offset
//   m^a     = sigmoid(x^a)
//
// Class-semantic, when `semantic`: what says something about the class, and has not been said.
//
//   w_c     = row c of aux_head.weight less the mean of the rows: the class's prototype
//   aux     = aux_head(sum g zn / sum g), g = m^a when `agnostic`, else 1: logits of their own
//   e_s,p   = sum_c softmax(aux)_c h_s,p.w_c / max(max(|h_s,p|, kMaskStill |y_s,p|) |w_c|,
//             kMaskNormFloor): relevance. The softmax leaves out the class `background` (the face
//             at rest), if there is one: a clip taken for neutral would otherwise hide the very
//             moments that speak against it
//   q_s     = softmax_c(softplus(semantic.sharpness) cos(M_s, w_c)): the slot's class profile
//   k_s     = sigmoid(std'ise(mean_p e_s,p, over the slots)): how much the slot is worth keeping
//   d_s     = cos(q_s, sum_{u<s} k_u q_u / sum_{u<s} k_u): redundancy; the first slot's is the mean
//             of the others' (0 when there are none)
//   b_s,p   = e_s,p - softplus(semantic.repeat) d_s
//   x^s     = softplus(semantic.scale) std'ise(b over the clip's tokens) + semantic.offset
//   m^s     = sigmoid(x^s)
//
// m = m^a m^s, kept as log m = logsigmoid(x^a) + logsigmoid(x^s), which is always finite. A factor
// that is switched off is 1; without both log m = 0.
//
// A slotwise model adds adatosk_slot_positions() to its tokens here. Past the gate the blocks add
// log m_j to the scores of key j before their softmax. Then comes head(fc_norm(sum_j m_j x_j /
// sum_j m_j)). With a budget the kept_tokens() tokens of the largest log m go on, in their old
// order and with their log m; the others are gone from all that follows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/mobilefacenet_spec.h"
#include "core/tensor_table.h"

namespace mien::core {

inline constexpr float kMaskNormFloor = 1e-6F;  // tokens at their slot's mean have no direction
inline constexpr float kMaskStill = 0.1F;       // places that move less than this hardly count
inline constexpr float kMaskStdFloor = 0.01F;   // a clip in which nothing differs gets a flat mask

// VideoMAE's tensors (videomae_spec.h) and:
//   patch_embed.stem.<i>  instead of the cubes' embedding, as S2D's; proj is then [D, last, 1, 1]
//   mask.norm.{weight,bias} [D], mask.slot_mean [S, D] (a buffer: running mean of zn per slot)
//   mask.agnostic.{scale,offset,repeat} [1], when agnostic, and with H = agnostic_hidden units
//   mask.agnostic.hidden.{weight,bias} [H, D], [H], mask.agnostic.readout [H]
//   mask.semantic.{scale,offset,repeat,sharpness} [1], when semantic
//   aux_head.{weight,bias} [num_classes, D], [num_classes]
// Those of the mask and aux_head are there when agnostic or semantic is. The decoder is not: it is
// for training only.
TensorTable adatosk_table(const AdaToskConfig& config);

// The convolutions of the stem, named "patch_embed.stem.0" and on; empty without a stem. Each is
// followed by a ReLU.
std::vector<ConvBlockSpec> adatosk_stem(const AdaToskConfig& config);

// Added to the embedded tokens, [S * P, D] in their order: VideoMAE's sinusoids over all tokens,
// or, when slotwise, over the places of a slot, the same in each.
std::vector<float> adatosk_positions(const AdaToskConfig& config);

// Added to the tokens of slot s behind the mask: row s of [S, D], sinusoids over the slots. Empty
// unless slotwise.
std::vector<float> adatosk_slot_positions(const AdaToskConfig& config);

// How many of `tokens` go on past the gate: budget * tokens, rounded up, in 1..tokens. Budgets are
// decimals, so what exceeds a whole number by less than rounding can tell is that number.
std::int64_t kept_tokens(double budget, std::int64_t tokens);

// Which: the first `count` numbers of `order` (log_mask.size() of them, overwritten) become the
// tokens with the largest log_mask, in ascending order; of equals the lower number is kept.
// count <= size. Allocates nothing.
void keep_largest(std::span<const float> log_mask, std::size_t count,
                  std::span<std::int32_t> order);

}  // namespace mien::core
