#include "learn/models/attend.h"

#include <vector>

#include "learn/autocast.h"
#include "learn/models/attend_bf16.h"
#include "learn/models/attend_parts.h"

namespace mien::learn {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

struct NoScratch {};

class Attend : public torch::autograd::Function<Attend> {
 public:
  // `inputs`: qkv, and the key bias if there is one.
  static Tensor forward(AutogradContext* context, at::TensorList inputs, std::int64_t heads) {
    const Tensor& qkv = inputs[0];
    const Tensor key_bias = inputs.size() > 1 ? inputs[1] : Tensor();
    const std::int64_t sequences = qkv.size(0);
    const std::int64_t tokens = qkv.size(1);
    const double scale = scale_of(qkv, heads);
    const bool biased = key_bias.defined() && key_bias.requires_grad();
    const bool learns = biased || qkv.requires_grad();
    Tensor weights;  // kept only where a backward pass can follow
    if (learns) weights = torch::empty({sequences, heads, tokens, tokens}, qkv.options());
    Tensor out = torch::empty({sequences, tokens, qkv.size(2) / 3}, qkv.options());
    const std::int64_t head_dim = out.size(2) / heads;
    const auto none = [] { return NoScratch(); };
    for_heads(sequences, heads, none, [&](std::int64_t b, std::int64_t h, NoScratch& /*none*/) {
      const Tensor q = part_of(qkv, 0, b, h, heads);
      const Tensor keys = part_of(qkv, 1, b, h, heads).t();
      const Tensor v = part_of(qkv, 2, b, h, heads);
      const Tensor of_head = learns ? weights.select(0, b).select(0, h) : Tensor();
      const Tensor result = out.select(0, b).narrow(1, h * head_dim, head_dim);
      for_queries(tokens, [&](std::int64_t first, std::int64_t count) {
        Tensor p = learns ? of_head.narrow(0, first, count)
                          : torch::empty({count, tokens}, qkv.options().requires_grad(false));
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
    context->saved_data["heads"] = heads;
    context->saved_data["inputs"] = static_cast<std::int64_t>(inputs.size());
    context->saved_data["biased"] = biased;
    context->save_for_backward({qkv, weights});
    return out;
  }

  // With P the weights, dP = dO v^T and dS = P (dP - sum over keys of dP P): dv = P^T dO,
  // dq = scale dS k, dk = scale dS^T q, and the bias gets the sum of dS over heads and queries.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor& qkv = saved[0];
    const Tensor& weights = saved[1];
    const std::int64_t heads = context->saved_data["heads"].toInt();
    const bool biased = context->saved_data["biased"].toBool();
    const std::int64_t sequences = qkv.size(0);
    const std::int64_t tokens = qkv.size(1);
    const double scale = scale_of(qkv, heads);
    const Tensor d_out = gradients[0].contiguous();
    const std::int64_t head_dim = d_out.size(2) / heads;
    const Tensor d_qkv = torch::empty_like(qkv);
    const Tensor d_bias =
        biased ? torch::zeros({sequences, heads, tokens}, qkv.options()) : Tensor();
    const auto none = [] { return NoScratch(); };
    for_heads(sequences, heads, none, [&](std::int64_t b, std::int64_t h, NoScratch& /*none*/) {
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
        if (biased) d_bias.select(0, b).select(0, h).add_(ds.sum(0));
      });
    });
    variable_list result = {d_qkv};
    if (context->saved_data["inputs"].toInt() > 1) {
      result.push_back(biased ? d_bias.sum(1) : Tensor());
    }
    result.emplace_back();  // heads
    return result;
  }
};

// Whether the products can be made in place in f32. The gradient of a bias of each query is left to
// LibTorch: nothing here learns one.
bool fits(const Tensor& qkv, const Tensor& key_bias) {
  const auto plain = [](const Tensor& x) {
    return x.device().is_cpu() && x.scalar_type() == torch::kFloat;
  };
  if (!plain(qkv) || !qkv.is_contiguous() || autocast_enabled(qkv.device())) return false;
  return !key_bias.defined() ||
         (plain(key_bias) && (key_bias.dim() == 2 || !key_bias.requires_grad()));
}

}  // namespace

Tensor attend(const Tensor& qkv, std::int64_t heads, const Tensor& key_bias) {
#ifdef MIEN_BF16_KERNELS
  if (attends_in_bf16(qkv, key_bias)) return attend_bf16(qkv, heads, key_bias);
#endif
  if (!fits(qkv, key_bias)) return attend_in_steps(qkv, heads, key_bias);
  std::vector<Tensor> inputs = {qkv};
  if (key_bias.defined()) inputs.push_back(key_bias);
  return Attend::apply(at::TensorList(inputs), heads);
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
