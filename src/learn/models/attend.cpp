#include "learn/models/attend.h"

#include "learn/autocast.h"
#include "learn/models/attend_bf16.h"
#include "learn/models/attend_in_place.h"
#include "learn/models/attend_parts.h"

namespace mien::learn {

using torch::Tensor;

namespace {

struct F32Rows {
  static std::int64_t pitch(std::int64_t tokens) { return tokens; }

  static void attend(const Tensor& qkv, std::int64_t heads, const Tensor& key_bias,
                     const Tensor& weights, const Tensor& out) {
    const std::int64_t tokens = qkv.size(1);
    const std::int64_t head_dim = out.size(2) / heads;
    const double scale = scale_of(qkv, heads);
    for_heads(qkv.size(0), heads, [&](std::int64_t b, std::int64_t h) {
      const Tensor q = part_of(qkv, 0, b, h, heads);
      const Tensor keys = part_of(qkv, 1, b, h, heads).t();
      const Tensor v = part_of(qkv, 2, b, h, heads);
      const bool kept = weights.defined();
      const Tensor of_head = kept ? weights.select(0, b).select(0, h) : Tensor();
      const Tensor result = out.select(0, b).narrow(1, h * head_dim, head_dim);
      for_queries(tokens, [&](std::int64_t first, std::int64_t count) {
        Tensor p =
            kept ? of_head.narrow(0, first, count) : torch::empty({count, tokens}, qkv.options());
        const Tensor some = q.narrow(0, first, count);
        if (key_bias.defined()) {
          const Tensor bias = key_bias.select(0, b);
          at::addmm_out(p, bias.dim() == 1 ? bias : bias.narrow(0, first, count), some, keys, 1.0,
                        scale);
        } else {
          at::addmm_out(p, p, some, keys, 0.0, scale);
        }
        at::_softmax_out(p, p, -1, false);
        Tensor rows = result.narrow(0, first, count);
        at::mm_out(rows, p, v);
      });
    });
  }

  static void differentiate(const Tensor& qkv, std::int64_t heads, const Tensor& weights,
                            const Tensor& d_out, const Tensor& d_qkv, const Tensor& d_bias) {
    const std::int64_t tokens = qkv.size(1);
    const std::int64_t head_dim = d_out.size(2) / heads;
    const double scale = scale_of(qkv, heads);
    for_heads(qkv.size(0), heads, [&](std::int64_t b, std::int64_t h) {
      const Tensor q = part_of(qkv, 0, b, h, heads);
      const Tensor k = part_of(qkv, 1, b, h, heads);
      const Tensor values = part_of(qkv, 2, b, h, heads).t();
      const Tensor dq = part_of(d_qkv, 0, b, h, heads);
      Tensor dk = part_of(d_qkv, 1, b, h, heads);
      Tensor dv = part_of(d_qkv, 2, b, h, heads);
      const Tensor of_head = weights.select(0, b).select(0, h);
      const Tensor d_result = d_out.select(0, b).narrow(1, h * head_dim, head_dim);
      for_queries(tokens, [&](std::int64_t first, std::int64_t count) {
        const double before = first == 0 ? 0.0 : 1.0;
        const Tensor p = of_head.narrow(0, first, count);
        const Tensor d_rows = d_result.narrow(0, first, count);
        at::addmm_out(dv, dv, p.t(), d_rows, before, 1.0);
        Tensor ds = at::mm(d_rows, values);
        at::_softmax_backward_data_out(ds, ds, p, -1, torch::kFloat);
        Tensor d_some = dq.narrow(0, first, count);
        at::addmm_out(d_some, d_some, ds, k, 0.0, scale);
        at::addmm_out(dk, dk, ds.t(), q.narrow(0, first, count), before, scale);
        if (d_bias.defined()) d_bias.select(0, b).select(0, h).add_(ds.sum(0));
      });
    });
  }
};

}  // namespace

Tensor attend(const Tensor& qkv, std::int64_t heads, const Tensor& key_bias) {
#ifdef MIEN_BF16_KERNELS
  if (attends_in_bf16(qkv, key_bias)) return attend_bf16(qkv, heads, key_bias);
#endif
  if (lies_in_place(qkv, key_bias, torch::kFloat) && !autocast_enabled(qkv.device())) {
    return attend_in_place<F32Rows>(qkv, heads, key_bias);
  }
  return attend_in_steps(qkv, heads, key_bias);
}

Tensor attend_in_steps(const Tensor& qkv, std::int64_t heads, const Tensor& key_bias) {
  const std::int64_t head_dim = qkv.size(2) / (3 * heads);
  // [B, N, 3, H, d] -> three of [B, H, N, d]
  const auto parts = qkv.reshape({qkv.size(0), qkv.size(1), 3, heads, head_dim})
                         .permute({2, 0, 3, 1, 4})
                         .unbind(0);
  Tensor scores = (parts[0] * scale_of(qkv, heads)).matmul(parts[1].transpose(-2, -1));
  if (key_bias.defined()) {
    scores = scores + (key_bias.dim() == 2 ? key_bias.unsqueeze(1) : key_bias).unsqueeze(1);
  }
  const Tensor out = scores.softmax(-1).matmul(parts[2]).transpose(1, 2);
  return out.reshape({qkv.size(0), qkv.size(1), heads * head_dim});
}

}  // namespace mien::learn
