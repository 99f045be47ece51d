// y = x W^T + b with what follows it fused in: the one place where linear layers become oneDNN
// primitives.
#pragma once

#include <memory>
#include <vector>

#include "core/model_config.h"
#include "engine/weights.h"

namespace mien::engine {

// What a linear layer does to its sums.
enum class Epilogue {
  kNone,
  kGelu,      // exact, by erf
  kAddToDst,  // y += : the residual connection, into an f32 stream
};

// The type of y.
enum class LinearOut { kAct, kF32 };

// Weights of one layer: immutable, shared by sessions.
class LinearWeights {
 public:
  // weight: [out, in] row-major; bias: [out] or empty; `kind`: what the layer reads and computes
  // in.
  LinearWeights(std::shared_ptr<const Context> context, ActKind kind, std::vector<float> weight,
                std::vector<float> bias, std::size_t in, std::size_t out);

  // Reads <name>.weight ([out, in] or [out, in, 1, 1]) and <name>.bias if there is one. In the
  // context's activation kind, or always in f32 (for layers whose errors would be magnified and
  // that cost next to nothing).
  static std::shared_ptr<const LinearWeights> read(std::shared_ptr<const Context> context,
                                                   const TensorSource& source,
                                                   const std::string& name);
  static std::shared_ptr<const LinearWeights> read_f32(std::shared_ptr<const Context> context,
                                                       const TensorSource& source,
                                                       const std::string& name);

  // A convolution over patches that do not overlap, <name>.weight [out, channels, ...] with the
  // places of a patch behind, as a layer over channels-last patches: x is [rows, places, channels].
  // In f32, as every first layer: pictures suffer most from rounding.
  static std::shared_ptr<const LinearWeights> read_patches(std::shared_ptr<const Context> context,
                                                           const TensorSource& source,
                                                           const std::string& name);

  // The same over RGB pixels less kPixelZero, as bytes have them, in the context's kind: `norm` is
  // folded into weights and bias. What is multiplied is exact in bf16 as well; weights are rounded
  // as in every layer. Channels must be three, without norm.gray.
  static std::shared_ptr<const LinearWeights> read_pixel_patches(
      std::shared_ptr<const Context> context, const TensorSource& source, const std::string& name,
      const core::InputNorm& norm);

  ActKind kind() const { return act_; }

  std::size_t in() const { return in_; }
  std::size_t out() const { return out_; }

 private:
  friend class Linear;

  // The primitive that oneDNN does best on this CPU, chosen once, so that every use of the layer
  // shares one packed copy.
  enum class Kind { kMatmul, kConvolution };
  static Kind best_kind(const Context& context, ActKind act, std::size_t in, std::size_t out);

  std::shared_ptr<const Context> context_;
  ActKind act_;
  std::size_t in_;
  std::size_t out_;
  Kind kind_;
  std::vector<float> bias_;
  PackedWeights packed_;
};

// A layer bound to a number of rows. Construct under ThreadScope; throws dnnl::error.
class Linear {
 public:
  Linear(std::shared_ptr<const LinearWeights> weights, std::size_t rows, Epilogue epilogue,
         LinearOut out);

  // Bytes of workspace that run() needs.
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  // x: [rows, in] of the weights' kind; y: [rows, out] of that kind or f32; scratch:
  // scratch_bytes(), aligned to 64.
  void run(const dnnl::stream& stream, const void* x, void* y, void* scratch);

  // What oneDNN chose, e.g. "jit_1x1:avx2". For benchmarks and bug reports.
  const std::string& implementation() const { return implementation_; }

 private:
  void build_matmul(std::size_t rows, Epilogue epilogue);
  void build_convolution(std::size_t rows, Epilogue epilogue);
  template <typename PrimitiveDesc>
  void finish(const PrimitiveDesc& desc, dnnl::primitive primitive);

  std::shared_ptr<const LinearWeights> weights_;
  PrimitiveCall call_;
  dnnl::memory::data_type out_type_;
  std::size_t rows_;
  bool round_output_;
  std::size_t scratch_bytes_ = 0;
  std::size_t src_ = 0;
  std::size_t dst_ = 0;
  std::size_t scratch_ = 0;
  std::string implementation_;
};

}  // namespace mien::engine
