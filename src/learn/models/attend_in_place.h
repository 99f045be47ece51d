// What attention in place is to LibTorch, whatever type its rows have.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace mien::learn {

// Whether attend_in_place() takes these: rows of `type` as a linear layer leaves them, on the CPU.
// `key_bias` is undefined or f32; the gradient of one of each query is left to LibTorch, as nothing
// here learns one.
inline bool lies_in_place(const torch::Tensor& qkv, const torch::Tensor& key_bias,
                          torch::ScalarType type) {
  if (!qkv.device().is_cpu() || qkv.scalar_type() != type || !qkv.is_contiguous()) return false;
  if (!key_bias.defined()) return true;
  return key_bias.device().is_cpu() && key_bias.scalar_type() == torch::kFloat &&
         (key_bias.dim() == 2 || !key_bias.requires_grad());
}

// `Rows` computes, into tensors that are there:
//
//   static std::int64_t pitch(std::int64_t tokens);  // values of a row of the weights
//   // out: [B, N, D]; weights: [B, heads, N, pitch], or undefined where nobody keeps them.
//   static void attend(qkv, heads, key_bias, weights, out);
//   // d_qkv: like qkv; d_bias: f32 zeros [B, heads, pitch] to add to, or undefined.
//   static void differentiate(qkv, heads, weights, d_out, d_qkv, d_bias);
template <typename Rows>
class AttendInPlace : public torch::autograd::Function<AttendInPlace<Rows>> {
 public:
  // `inputs`: qkv, and the key bias if there is one.
  static torch::Tensor forward(torch::autograd::AutogradContext* context, at::TensorList inputs,
                               std::int64_t heads) {
    const torch::Tensor& qkv = inputs[0];
    const torch::Tensor key_bias = inputs.size() > 1 ? inputs[1] : torch::Tensor();
    const std::int64_t tokens = qkv.size(1);
    const bool biased = key_bias.defined() && key_bias.requires_grad();
    torch::Tensor weights;  // kept only where a backward pass can follow
    if (biased || qkv.requires_grad()) {
      weights = torch::empty({qkv.size(0), heads, tokens, Rows::pitch(tokens)}, qkv.options());
    }
    torch::Tensor out = torch::empty({qkv.size(0), tokens, qkv.size(2) / 3}, qkv.options());
    Rows::attend(qkv, heads, key_bias, weights, out);
    context->saved_data["heads"] = heads;
    context->saved_data["inputs"] = static_cast<std::int64_t>(inputs.size());
    context->saved_data["biased"] = biased;
    context->save_for_backward({qkv, weights});
    return out;
  }

  // With P the weights, dP = dO v^T and dS = P (dP - sum over keys of dP P): dv = P^T dO,
  // dq = scale dS k, dk = scale dS^T q, and the bias gets the sum of dS over heads and queries.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor& qkv = saved[0];
    const std::int64_t heads = context->saved_data["heads"].toInt();
    const std::int64_t tokens = qkv.size(1);
    const torch::Tensor d_out = gradients[0].to(qkv.scalar_type()).contiguous();
    const torch::Tensor d_qkv = torch::empty_like(qkv);
    torch::Tensor d_bias;
    if (context->saved_data["biased"].toBool()) {
      d_bias = torch::zeros({qkv.size(0), heads, Rows::pitch(tokens)},
                            qkv.options().dtype(torch::kFloat));
    }
    Rows::differentiate(qkv, heads, saved[1], d_out, d_qkv, d_bias);
    torch::autograd::variable_list result = {d_qkv};
    if (context->saved_data["inputs"].toInt() > 1) {
      result.push_back(d_bias.defined() ? d_bias.sum(1).narrow(1, 0, tokens) : torch::Tensor());
    }
    result.emplace_back();  // heads
    return result;
  }
};

// As attend(), by `Rows`.
template <typename Rows>
torch::Tensor attend_in_place(const torch::Tensor& qkv, std::int64_t heads,
                              const torch::Tensor& key_bias) {
  std::vector<torch::Tensor> inputs = {qkv};
  if (key_bias.defined()) inputs.push_back(key_bias);
  return AttendInPlace<Rows>::apply(at::TensorList(inputs), heads);
}

}  // namespace mien::learn
