// A linear layer of a transformer block: in int8 where the context quantises it, else as Linear
// computes it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/layers/linear.h"
#include "engine/layers/quantized_linear.h"

namespace mien::engine {

// One of the two. Immutable, shared by sessions.
struct BlockLinearWeights {
  std::shared_ptr<const LinearWeights> plain;
  std::shared_ptr<const QuantizedLinearWeights> int8;

  bool quantized() const { return int8 != nullptr; }

  // `layer`: its name in core::int8_layers(). weight: [out, in] row-major; bias: [out] or empty.
  static BlockLinearWeights make(const std::shared_ptr<const Context>& context,
                                 const std::string& layer, std::vector<float> weight,
                                 std::vector<float> bias, std::size_t in, std::size_t out);

  // Reads <name>.weight [out, in] and <name>.bias if there is one.
  static BlockLinearWeights read(const std::shared_ptr<const Context>& context,
                                 const TensorSource& source, const std::string& name);
};

// A layer bound to a number of rows. Construct under ThreadScope; throws dnnl::error.
class BlockLinear {
 public:
  BlockLinear(const BlockLinearWeights& weights, std::size_t rows, QuantizedOut out);

  bool quantized() const { return int8_.has_value(); }
  std::size_t scratch_bytes() const;
  const std::string& implementation() const;  // see Linear and QuantizedLinear

  // Which of the two depends on quantized(). See Linear::run and QuantizedLinear::run.
  void run(const dnnl::stream& stream, const void* x, void* y, void* scratch) {
    plain_->run(stream, x, y, scratch);
  }
  void run(const QuantizedRows& x, void* y, float* y_scales, void* scratch) {
    int8_->run(x, y, y_scales, scratch);
  }

 private:
  std::optional<Linear> plain_;
  std::optional<QuantizedLinear> int8_;
};

}  // namespace mien::engine
