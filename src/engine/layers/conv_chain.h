// Runs of convolutions: MobileFaceNet and the convolutional stem, from pictures to a map.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/layers/conv.h"
#include "engine/layers/quantized_conv.h"

namespace mien::engine {

// A layer of a chain: in int8 where the context quantises it, else as Conv computes it.
struct ChainLayerWeights {
  std::shared_ptr<const ConvWeights> plain;  // one of the two
  std::shared_ptr<const QuantizedConvWeights> int8;
};

// Weights of a chain; the first layer computes in f32 (see ConvWeights).
struct ConvChainWeights {
  struct Bottleneck {
    std::shared_ptr<const ConvWeights> conv, conv_dw, project;
    bool residual = false;
  };
  struct Stage {
    std::string name;
    std::vector<ChainLayerWeights> convs;
    std::vector<Bottleneck> bottlenecks;
  };

  std::vector<Stage> stages;
  // Convolutions without PReLU end in ReLU (the stem); these the context may quantise, by the names
  // of core::int8_layers().
  bool relu = false;

  static ConvChainWeights read(const std::shared_ptr<const Context>& context,
                               const TensorSource& source,
                               const std::vector<core::MobileFaceNetStage>& stages, bool relu);
};

// A chain bound to a batch and size. Construct under ThreadScope; throws dnnl::error.
class ConvChain {
 public:
  // Called after each stage with its output [batch, side, side, channels] of `kind`. For chains
  // without a layer in int8.
  using Observer = std::function<void(const std::string& stage, const void* data, ActKind kind,
                                      std::size_t side, std::size_t channels)>;

  // Reserves its buffers in `arena`; they are in use from run() until its output was read.
  ConvChain(const ConvChainWeights& weights, std::size_t batch, std::size_t side, Arena& arena);

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  std::size_t out_side() const { return side_; }
  std::size_t out_channels() const { return channels_; }

  // pictures: f32 [batch, side, side, in]. Returns the map [batch, out_side, out_side,
  // out_channels] of the context's activation kind, valid until the next run. `observer` may be
  // null.
  const void* run(const dnnl::stream& stream, const Arena& arena, const float* pictures,
                  void* scratch, const Observer* observer);

 private:
  enum class Buffer { kPictures, kMapA, kMapB, kExpanded, kDepthwise };
  // One layer. What it gives goes to `to`, or, before a layer in int8, to the codes.
  struct Step {
    std::optional<Conv> plain;  // one of the two
    std::optional<QuantizedConv> int8;
    Buffer from = Buffer::kPictures;  // of a plain one; the other reads the codes
    Buffer to = Buffer::kMapA;
    bool codes_next = false;
    const std::string* stage_end = nullptr;  // name of the stage that this step ends, or null
    std::size_t side = 0;                    // of what it gives
    std::size_t channels = 0;

    std::size_t picture() const { return side * side * channels; }  // values of one
  };

  void add(const std::shared_ptr<const ConvWeights>& weights, Buffer from, Buffer to,
           ConvEpilogue epilogue);
  void add_int8(const std::shared_ptr<const QuantizedConvWeights>& weights, Buffer to);
  void add_step(Step step, const core::ConvBlockSpec& spec);
  void add_bottleneck(const ConvChainWeights::Bottleneck& block);
  void run_plain(Step& step, const dnnl::stream& stream, const Arena& arena, const float* pictures,
                 void* scratch);
  void run_int8(Step& step, const dnnl::stream& stream, const Arena& arena, void* scratch);
  void code_maps(const Step& step, const void* maps, ActKind kind, const Arena& arena);
  void* at(const Arena& arena, Buffer buffer) const;
  static Buffer other(Buffer map) { return map == Buffer::kMapA ? Buffer::kMapB : Buffer::kMapA; }

  std::size_t batch_;
  std::size_t side_;
  std::size_t channels_ = 0;
  Buffer map_ = Buffer::kPictures;  // where the newest map is
  std::vector<Step> steps_;
  std::vector<std::string> names_;
  std::size_t map_elements_ = 0;
  std::size_t wide_elements_ = 0;
  Slot map_a_, map_b_, expanded_, depthwise_;
  std::size_t code_bytes_ = 0;
  Slot codes_;                      // u8, what the next layer in int8 reads
  std::vector<float> code_scales_;  // of its pictures
  std::int32_t code_limit_ = 0;
  ActKind act_ = ActKind::kF32;  // of the maps
  std::size_t scratch_bytes_ = 0;
};

}  // namespace mien::engine
