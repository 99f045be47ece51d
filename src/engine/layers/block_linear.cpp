#include "engine/layers/block_linear.h"

#include <utility>

namespace mien::engine {
namespace {

// The same for a layer in f32 or bf16, whose rows are never codes.
Epilogue epilogue_of(QuantizedOut out) {
  switch (out) {
    case QuantizedOut::kAct: return Epilogue::kNone;
    case QuantizedOut::kGeluAct:
    case QuantizedOut::kGeluCodes: return Epilogue::kGelu;
    case QuantizedOut::kAddToDst: return Epilogue::kAddToDst;
  }
  return Epilogue::kNone;
}

}  // namespace

BlockLinearWeights BlockLinearWeights::make(const std::shared_ptr<const Context>& context,
                                            const std::string& layer, std::vector<float> weight,
                                            std::vector<float> bias, std::size_t in,
                                            std::size_t out) {
  BlockLinearWeights made;
  if (context->quantizes(layer)) {
    made.int8 =
        std::make_shared<const QuantizedLinearWeights>(context, weight, std::move(bias), in, out);
  } else {
    made.plain = std::make_shared<const LinearWeights>(context, context->act(), std::move(weight),
                                                       std::move(bias), in, out);
  }
  return made;
}

BlockLinearWeights BlockLinearWeights::read(const std::shared_ptr<const Context>& context,
                                            const TensorSource& source, const std::string& name) {
  const core::Shape shape = source.shape(name + ".weight");
  const auto in = static_cast<std::size_t>(shape.at(1));
  const auto out = static_cast<std::size_t>(shape.at(0));
  return make(context, source.full_name(name), source.floats(name + ".weight"),
              read_bias(source, name, out), in, out);
}

BlockLinear::BlockLinear(const BlockLinearWeights& weights, std::size_t rows, QuantizedOut out) {
  if (weights.quantized()) {
    int8_.emplace(weights.int8, rows, out);
  } else {
    const bool adds = out == QuantizedOut::kAddToDst;
    plain_.emplace(weights.plain, rows, epilogue_of(out), adds ? LinearOut::kF32 : LinearOut::kAct);
  }
}

std::size_t BlockLinear::scratch_bytes() const {
  return int8_ ? int8_->scratch_bytes() : plain_->scratch_bytes();
}

const std::string& BlockLinear::implementation() const {
  return int8_ ? int8_->implementation() : plain_->implementation();
}

}  // namespace mien::engine
