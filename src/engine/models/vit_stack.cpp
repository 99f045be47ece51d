#include "engine/models/vit_stack.h"

#include <algorithm>
#include <string>

namespace mien::engine {

VitStack::VitStack(const Context& context, const std::vector<VitBlockWeights>& blocks,
                   const VitStackShape& shape, Arena& arena)
    : shape_(shape),
      buffers_(std::make_unique<const VitBuffers>(context, shape.sizes, shape.sequences,
                                                  shape.tokens, arena)) {
  blocks_.reserve(shape.end - shape.begin);
  for (std::size_t i = shape.begin; i < shape.end; ++i) {
    const VitBlock& block = blocks_.emplace_back(blocks.at(i), *buffers_);
    scratch_bytes_ = std::max(scratch_bytes_, block.scratch_bytes());
  }
}

void VitStack::run(const LayerPass& pass, float* x, Tap* tap, const float* key_bias) {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (tap == nullptr) {
      blocks_[i].run(pass, x, key_bias);
    } else {
      run_tapped(pass, i, x, *tap, key_bias);
    }
  }
}

// The branches add to x inside their last product, so what they add is seen as a difference. x is
// f32 in every precision: nothing to speak of is lost.
void VitStack::run_tapped(const LayerPass& pass, std::size_t index, float* x, Tap& tap,
                          const float* key_bias) {
  const std::size_t count = buffers_->rows() * shape_.sizes.width;
  const auto i64 = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  const core::Shape shape = {i64(shape_.sequences), i64(shape_.tokens), i64(shape_.sizes.width)};
  const std::string name = "block" + std::to_string(shape_.begin + index);
  std::vector<float> before(x, x + count);
  std::vector<float> added(count);
  const auto put_added = [&](const char* branch) {
    for (std::size_t i = 0; i < count; ++i) added[i] = x[i] - before[i];
    tap.put(name + branch, added, shape);
    before.assign(x, x + count);
  };
  blocks_[index].run_attention(pass, x, key_bias);
  put_added(".attn");
  blocks_[index].run_mlp(pass, x);
  put_added(".mlp");
  tap.put(name + ".out", {x, count}, shape);
}

}  // namespace mien::engine
