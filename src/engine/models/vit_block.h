// The pre-norm transformer block that S2D, VideoMAE and AdaTosk share (timm's Block):
//   x += attention(norm1(x)), x += fc2(gelu(fc1(norm2(x)))).
// Constructors run under ThreadScope and throw dnnl::error; run() neither allocates nor fails but
// by dnnl::error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/vector_ops.h"
#include "engine/layers/block_linear.h"

namespace mien::engine {

using SharedLinear = std::shared_ptr<const LinearWeights>;

struct NormWeights {
  std::vector<float> gamma, beta;
  float eps = 0.0F;

  NormParams params() const { return {gamma.data(), beta.data(), eps}; }
};

// Reads <name>.weight and <name>.bias.
NormWeights read_norm(const TensorSource& source, const std::string& name, float eps);

// Immutable, shared by sessions. A row of qkv gives q, k and v behind each other, each [heads,
// head_dim].
struct VitBlockWeights {
  NormWeights norm1, norm2;
  BlockLinearWeights qkv, proj, fc1, fc2;
};

// Sizes that all blocks of a network have in common.
struct VitSizes {
  std::size_t width = 0;
  std::size_t heads = 0;
  std::size_t mlp = 0;  // hidden width of the MLP
};

// Stream, arena and workspace of a running pass: what layers need to run.
struct LayerPass {
  const dnnl::stream* stream = nullptr;
  const Arena* arena = nullptr;
  void* scratch = nullptr;
};

// Buffers that all blocks of a pass share: `sequences` sequences of `tokens` tokens at a time, the
// tokens of a sequence attending to each other.
struct VitBuffers {
  VitBuffers(const Context& context, const VitSizes& sizes, std::size_t sequences,
             std::size_t tokens, Arena& arena);

  std::size_t rows() const { return attention.sequences * attention.tokens; }

  ActKind kind;
  std::int32_t code_limit;  // of u8 rows
  std::size_t mlp;
  AttentionShape attention;
  Slot normed, qkv, mixed, hidden, attention_work;
  // In precision int8: u8 rows of width or mlp with their scales, and the scales of `hidden` when
  // that holds u8 rows.
  Slot codes, scales, hidden_scales;
};

// One block bound to those sizes. `weights` and `buffers` outlive it.
class VitBlock {
 public:
  VitBlock(const VitBlockWeights& weights, const VitBuffers& buffers);

  std::size_t scratch_bytes() const { return scratch_bytes_; }

  // x: f32 [sequences, tokens, width], updated in place. `key_bias`: see attention().
  void run(const LayerPass& pass, float* x, const float* key_bias = nullptr) {
    run_attention(pass, x, key_bias);
    run_mlp(pass, x);
  }

  // The two halves of run(), for looking in between.
  void run_attention(const LayerPass& pass, float* x, const float* key_bias = nullptr);
  void run_mlp(const LayerPass& pass, float* x);

 private:
  // y = layer(norm(x)), u8 rows with y_scales where the layer gives such; and y += layer(act) of
  // activations [rows, width].
  void run_normed(const LayerPass& pass, const float* x, const NormWeights& norm,
                  BlockLinear& layer, void* y, float* y_scales);
  void run_rows(const LayerPass& pass, const void* act, std::size_t width, BlockLinear& layer,
                float* y);
  QuantizedRows codes(const Arena& arena) const;

  const VitBlockWeights* weights_;
  const VitBuffers* buffers_;
  BlockLinear qkv_, proj_, fc1_, fc2_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace mien::engine
