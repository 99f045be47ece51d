#include "learn/models/attend_bf16.h"

#include <cstddef>
#include <cstdint>

#include "learn/bf16_product.h"
#include "learn/models/attend_in_place.h"
#include "learn/models/attend_parts.h"
#include "learn/models/softmax_rows.h"

namespace mien::learn {

using torch::Tensor;

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
  ForwardScratch(const Heads& h, bool kept)
      : scores(scratch_rows(h.block, h.pitch, torch::kFloat)),
        weights(scratch_rows(kept ? 0 : h.tokens, h.pitch, torch::kBFloat16)) {}
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

// dS is rounded to bf16 before it is multiplied.
struct Bf16Rows {
  static std::int64_t pitch(std::int64_t tokens) { return pitch_of(tokens); }

  static void attend(const Tensor& qkv, std::int64_t heads, const Tensor& key_bias,
                     const Tensor& weights, const Tensor& out) {
    const Heads h(qkv, heads);
    const KeyBias bias(key_bias, h);
    const bool kept = weights.defined();
    const auto scratch = [&] { return ForwardScratch(h, kept); };
    for_heads(h.sequences, heads, scratch,
              [&](std::int64_t b, std::int64_t head, ForwardScratch& own) {
                const MatrixView p =
                    kept ? h.weights(weights, b, head) : h.square(own.weights.data_ptr());
                attend_head(h, qkv, bias, p, out, b, head, own);
              });
  }

  static void differentiate(const Tensor& qkv, std::int64_t heads, const Tensor& weights,
                            const Tensor& d_out, const Tensor& d_qkv, const Tensor& d_bias) {
    const Heads h(qkv, heads);
    const auto scratch = [&] { return BackwardScratch(h); };
    for_heads(
        h.sequences, heads, scratch, [&](std::int64_t b, std::int64_t head, BackwardScratch& own) {
          float* of_head =
              d_bias.defined() ? d_bias.data_ptr<float>() + (b * heads + head) * h.pitch : nullptr;
          differentiate_head(h, qkv, weights, d_out, d_qkv, of_head, b, head, own);
        });
  }
};

}  // namespace

bool attends_in_bf16(const Tensor& qkv, const Tensor& key_bias) {
  return lies_in_place(qkv, key_bias, torch::kBFloat16) && has_bf16_product();
}

Tensor attend_bf16(const Tensor& qkv, std::int64_t heads, const Tensor& key_bias) {
  return attend_in_place<Bf16Rows>(qkv, heads, key_bias);
}

}  // namespace mien::learn
