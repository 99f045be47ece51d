// Transformer blocks one after the other over a fixed number of tokens.
#pragma once

#include <memory>
#include <vector>

#include "engine/models/vit_block.h"
#include "engine/tap.h"

namespace mien::engine {

// Which blocks of a network a stack runs, and on how much.
struct VitStackShape {
  VitSizes sizes;
  std::size_t begin = 0;  // blocks begin..end of the network
  std::size_t end = 0;
  std::size_t sequences = 1;
  std::size_t tokens = 0;  // per sequence
};

// Bound to its shape; its buffers are in use only inside run(). Whoever drops tokens between two
// blocks makes one stack for the blocks before and one for those after, per number of tokens; their
// buffers may lie over each other (Arena::release between the constructors).
class VitStack {
 public:
  // Under ThreadScope; throws dnnl::error. `blocks`: all of the network's, which outlive this.
  VitStack(const Context& context, const std::vector<VitBlockWeights>& blocks,
           const VitStackShape& shape, Arena& arena);

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  const VitStackShape& shape() const { return shape_; }

  // x: f32 [sequences, tokens, width], updated in place. `tap` may be null; it is given, per block
  // i of the network, "block<i>.attn" and "block<i>.mlp" (what the two branches add to x) and
  // "block<i>.out" (x after it), each [sequences, tokens, width]. `key_bias`, f32 [sequences,
  // tokens] or null: of every block's attention().
  void run(const LayerPass& pass, float* x, Tap* tap, const float* key_bias = nullptr);

 private:
  void run_tapped(const LayerPass& pass, std::size_t index, float* x, Tap& tap,
                  const float* key_bias);

  VitStackShape shape_;
  std::unique_ptr<const VitBuffers> buffers_;  // blocks point to it
  std::vector<VitBlock> blocks_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace mien::engine
