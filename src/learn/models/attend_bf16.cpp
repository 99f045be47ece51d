#include "learn/models/attend_bf16.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "learn/bf16_product.h"
#include "learn/models/attend_parts.h"
#include "learn/models/softmax_rows.h"

namespace mien::learn {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

std::uint16_t* bits(const Tensor& x) {
  return reinterpret_cast<std::uint16_t*>(x.data_ptr<at::BFloat16>());
}

// Sizes of a call, and where the parts of a head lie.
struct Heads {
  Heads(const Tensor& qkv, std::int64_t heads)
      : sequences(qkv.size(0)),
        tokens(qkv.size(1)),
        width(qkv.size(2) / 3),
        count(heads),
        head_dim(width / heads),
        pitch(pitch_of(tokens)),
        block(block_queries(tokens)),
        scale(scale_of(qkv, heads)) {}

  // [N, d]: the queries, keys or values (`which`: 0, 1, 2) of a head in [B, N, 3D].
  MatrixView part(const Tensor& qkv, std::int64_t which, std::int64_t sequence,
                  std::int64_t head) const {
    const std::int64_t row = 3 * width;
    return {bits(qkv) + sequence * tokens * row + which * width + head * head_dim, tokens, head_dim,
            row};
  }

  // [N, d] of a head in [B, N, D].
  MatrixView result(const Tensor& out, std::int64_t sequence, std::int64_t head) const {
    return {bits(out) + sequence * tokens * width + head * head_dim, tokens, head_dim, width};
  }

  // [N, N] of a head in [B, heads, N, pitch].
  MatrixView weights(const Tensor& kept, std::int64_t sequence, std::int64_t head) const {
    return square(bits(kept) + (sequence * count + head) * tokens * pitch);
  }

  // [N, N] in rows of `pitch`.
  MatrixView square(void* data) const { return {data, tokens, tokens, pitch}; }

  // The scores of a block of queries, in f32.
  MatrixView scores(const Tensor& scratch, std::int64_t queries) const {
    return {scratch.data_ptr<float>(), queries, tokens, pitch, 1, MatrixView::Type::kF32};
  }

  std::int64_t sequences, tokens, width, count, head_dim, pitch, block;
  double scale;
};

float* floats(const MatrixView& x) {
  return static_cast<float*>(x.data);
}

std::uint16_t* rounded(const MatrixView& x) {
  return static_cast<std::uint16_t*>(x.data);
}

// A bias whose rows are as far apart as those of the scores.
struct KeyBias {
  KeyBias(const Tensor& bias, const Heads& h) {
    if (!bias.defined()) return;
    rows = torch::constant_pad_nd(bias.detach(), {0, h.pitch - h.tokens}).contiguous();
    of_sequence = rows.size(-1) * (rows.dim() == 3 ? h.tokens : 1);
    step = rows.dim() == 3 ? h.pitch : 0;
  }
  const float* at(std::int64_t sequence, std::int64_t query) const {
    return rows.defined() ? rows.data_ptr<float>() + sequence * of_sequence + query * step
                          : nullptr;
  }
  Tensor rows;
  std::int64_t of_sequence = 0;
  std::int64_t step = 0;  // from query to query
};

Tensor scratch_rows(std::int64_t rows, std::int64_t columns, torch::ScalarType type) {
  return torch::zeros({rows, columns}, torch::TensorOptions().dtype(type));
}

// A thread's own.
struct ForwardScratch {
  ForwardScratch(const Heads& h, bool learns)
      : scores(scratch_rows(h.block, h.pitch, torch::kFloat)),
        weights(scratch_rows(learns ? 0 : h.tokens, h.pitch, torch::kBFloat16)) {}
  Tensor scores;   // of a block of queries
  Tensor weights;  // of a head, if nobody keeps them
};

struct BackwardScratch {
  explicit BackwardScratch(const Heads& h)
      : d_weights(scratch_rows(h.block, h.pitch, torch::kFloat)),
        d_scores(scratch_rows(h.tokens, h.pitch, torch::kBFloat16)) {}
  Tensor d_weights;  // of a block of queries
  Tensor d_scores;   // of a head
};

std::size_t z(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

void attend_head(const Heads& h, const Tensor& qkv, const KeyBias& bias, const MatrixView& weights,
                 const Tensor& out, std::int64_t b, std::int64_t head, ForwardScratch& own) {
  const MatrixView q = h.part(qkv, 0, b, head);
  const MatrixView keys = h.part(qkv, 1, b, head).transposed();
  const MatrixView v = h.part(qkv, 2, b, head);
  const MatrixView result = h.result(out, b, head);
  for_queries(h.tokens, [&](std::int64_t first, std::int64_t count) {
    const MatrixView scores = h.scores(own.scores, count);
    const MatrixView p = weights.some_rows(first, count);
    bf16_product(q.some_rows(first, count), keys, scores, h.scale);
    softmax_rows(floats(scores), bias.at(b, first), z(bias.step), z(count), z(h.tokens),
                 rounded(p));
    bf16_product(p, v, result.some_rows(first, count));
  });
}

// d_bias: f32 [pitch] to which that of the head's keys is added, or null.
void differentiate_head(const Heads& h, const Tensor& qkv, const Tensor& weights,
                        const Tensor& d_out, const Tensor& d_qkv, float* d_bias, std::int64_t b,
                        std::int64_t head, BackwardScratch& own) {
  const MatrixView values = h.part(qkv, 2, b, head).transposed();
  const MatrixView p = h.weights(weights, b, head);
  const MatrixView d_result = h.result(d_out, b, head);
  const MatrixView ds = h.square(own.d_scores.data_ptr());
  for_queries(h.tokens, [&](std::int64_t first, std::int64_t count) {
    const MatrixView dp = h.scores(own.d_weights, count);
    bf16_product(d_result.some_rows(first, count), values, dp);
    softmax_backward_rows(floats(dp), rounded(p.some_rows(first, count)), z(count), z(h.tokens),
                          rounded(ds.some_rows(first, count)), d_bias);
  });
  bf16_product(ds, h.part(qkv, 1, b, head), h.part(d_qkv, 0, b, head), h.scale);
  bf16_product(ds.transposed(), h.part(qkv, 0, b, head), h.part(d_qkv, 1, b, head), h.scale);
  bf16_product(p.transposed(), d_result, h.part(d_qkv, 2, b, head));
}

class AttendBf16 : public torch::autograd::Function<AttendBf16> {
 public:
  // `inputs`: qkv, and the key bias if there is one.
  static Tensor forward(AutogradContext* context, at::TensorList inputs, std::int64_t heads) {
    const Tensor& qkv = inputs[0];
    const Tensor key_bias = inputs.size() > 1 ? inputs[1] : Tensor();
    const Heads h(qkv, heads);
    const KeyBias bias(key_bias, h);
    const bool biased = key_bias.defined() && key_bias.requires_grad();
    const bool learns = biased || qkv.requires_grad();
    const auto like = qkv.options().requires_grad(false);
    Tensor weights;  // kept only where a backward pass can follow
    if (learns) weights = torch::empty({h.sequences, heads, h.tokens, h.pitch}, like);
    const Tensor out = torch::empty({h.sequences, h.tokens, h.width}, like);
    const auto scratch = [&] { return ForwardScratch(h, learns); };
    for_heads(h.sequences, heads, scratch,
              [&](std::int64_t b, std::int64_t head, ForwardScratch& own) {
                const MatrixView p =
                    learns ? h.weights(weights, b, head) : h.square(own.weights.data_ptr());
                attend_head(h, qkv, bias, p, out, b, head, own);
              });
    context->saved_data["heads"] = heads;
    context->saved_data["inputs"] = static_cast<std::int64_t>(inputs.size());
    context->saved_data["biased"] = biased;
    context->save_for_backward({qkv, weights});
    return out;
  }

  // As that of f32 (attend.cpp), with dS rounded to bf16 before it is multiplied.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor& qkv = saved[0];
    const Heads h(qkv, context->saved_data["heads"].toInt());
    const bool biased = context->saved_data["biased"].toBool();
    const Tensor d_out = gradients[0].to(torch::kBFloat16).contiguous();
    const Tensor d_qkv = torch::empty_like(qkv);
    const Tensor d_bias =
        biased ? torch::zeros({h.sequences, h.count, h.pitch}, qkv.options().dtype(torch::kFloat))
               : Tensor();
    const auto scratch = [&] { return BackwardScratch(h); };
    for_heads(h.sequences, h.count, scratch,
              [&](std::int64_t b, std::int64_t head, BackwardScratch& own) {
                float* of_head =
                    biased ? d_bias.data_ptr<float>() + (b * h.count + head) * h.pitch : nullptr;
                differentiate_head(h, qkv, saved[1], d_out, d_qkv, of_head, b, head, own);
              });
    variable_list result = {d_qkv};
    if (context->saved_data["inputs"].toInt() > 1) {
      result.push_back(biased ? d_bias.sum(1).narrow(1, 0, h.tokens) : Tensor());
    }
    result.emplace_back();  // heads
    return result;
  }
};

}  // namespace

bool attends_in_bf16(const Tensor& qkv, const Tensor& key_bias) {
  if (!qkv.device().is_cpu() || qkv.scalar_type() != torch::kBFloat16 || !qkv.is_contiguous()) {
    return false;
  }
  if (!has_bf16_product()) return false;
  if (!key_bias.defined()) return true;
  return key_bias.device().is_cpu() && key_bias.scalar_type() == torch::kFloat &&
         (key_bias.dim() == 2 || !key_bias.requires_grad());
}

Tensor attend_bf16(const Tensor& qkv, std::int64_t heads, const Tensor& key_bias) {
  std::vector<Tensor> inputs = {qkv};
  if (key_bias.defined()) inputs.push_back(key_bias);
  return AttendBf16::apply(at::TensorList(inputs), heads);
}

}  // namespace mien::learn
