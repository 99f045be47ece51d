// The first layer of video transformers: cubes of tubelet x patch x patch pixels become tokens, by
// one product or by convolutions over the stacked frames of a slot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/model_config.h"
#include "engine/layers/conv_chain.h"
#include "engine/models/vit_block.h"

namespace mien::engine {

// Sizes of a clip and of its cubes.
struct TubeletSizes {
  std::size_t frames = 0;
  std::size_t side = 0;
  std::size_t channels = 0;
  std::size_t tubelet = 1;  // frames of a cube; divides frames
  std::size_t patch = 1;    // side of a cube; divides side

  std::size_t slots() const { return frames / tubelet; }
  std::size_t patches() const { return (side / patch) * (side / patch); }  // of a slot
  std::size_t tokens() const { return slots() * patches(); }
  std::size_t frame_values() const { return side * side * channels; }

  static TubeletSizes of(const core::VideoMaeConfig& config);
};

// Clips; exactly one of the three is given.
struct ClipInput {
  const std::uint8_t* rgb = nullptr;  // u8 [clips, frames, side, side, 3]
  const float* planar = nullptr;      // normalised f32 [clips, channels, frames, side, side]
  const float* tokens = nullptr;  // f32 [clips, tokens, width], from AdaToskEmbedder; for AdaTosk

  // The same seen from a later clip on. `width` is that of the tokens.
  ClipInput from_clip(const TubeletSizes& sizes, std::size_t clip, std::size_t width = 0) const;

  // `count` frames of the first clip, from `first` on, as network input: pictures is f32 [count,
  // side, side, channels]. Pixels need one or three channels.
  void load(const TubeletSizes& sizes, const core::InputNorm& norm, std::size_t first,
            std::size_t count, float* pictures) const;
};

// The product that makes tokens of cubes. Immutable, shared by sessions.
struct PatchProjection {
  SharedLinear values;  // over (frame, row, column, channel) of a cube of normalised f32
  SharedLinear pixels;  // the same over pixels, where activations are bf16; may be empty

  // See LinearWeights::read_patches and read_pixel_patches.
  static PatchProjection read(const std::shared_ptr<const Context>& context,
                              const TensorSource& source, const std::string& name,
                              const core::InputNorm& norm);
};

// Bound to a clip's sizes and to its place in the arena. Construct under ThreadScope; throws
// dnnl::error.
class TubeletEmbedding {
 public:
  // `norm` is for pixels and outlives this.
  TubeletEmbedding(const TubeletSizes& sizes, const core::InputNorm& norm,
                   const PatchProjection& proj, Arena& arena);

  std::size_t scratch_bytes() const;

  // One clip -> f32 [tokens, width], in the order (slot, row, column), without position. Pixels
  // need one or three channels.
  void run(const LayerPass& pass, const ClipInput& clip, float* tokens);

 private:
  TubeletSizes sizes_;
  const core::InputNorm* norm_;
  std::size_t chunk_;  // slots at a time
  std::size_t width_;
  Linear proj_;
  std::optional<Linear> pixel_proj_;
  ActKind pixel_kind_ = ActKind::kF32;
  Slot pictures_, cubes_;
};

// The same with a convolutional stem, which sees the frames of a slot as channels of one picture
// (frame by frame, in each its channels), and a projection of its map. Construct under ThreadScope;
// throws dnnl::error.
class StemEmbedding {
 public:
  // `stem`: from tubelet * channels channels and `side` to the grid; it and `norm` outlive this.
  // `proj`: from the stem's channels.
  StemEmbedding(const TubeletSizes& sizes, const core::InputNorm& norm,
                const ConvChainWeights& stem, const SharedLinear& proj, Arena& arena);

  std::size_t scratch_bytes() const;

  // As TubeletEmbedding::run().
  void run(const LayerPass& pass, const ClipInput& clip, float* tokens);

 private:
  TubeletSizes sizes_;
  const core::InputNorm* norm_;
  std::size_t chunk_;  // slots at a time
  std::size_t width_;
  ConvChain stem_;
  Linear proj_;
  Slot pictures_, stacked_;
};

}  // namespace mien::engine
