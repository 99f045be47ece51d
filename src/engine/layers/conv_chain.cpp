#include "engine/layers/conv_chain.h"

#include <algorithm>
#include <new>

#include "engine/kernels/vector_ops.h"

namespace mien::engine {
namespace {

// oneDNN 2.6 divides by zero while it plans a convolution far beyond any memory, so a map that the
// arena would refuse is refused before it is planned.
void check_fits(const core::ConvBlockSpec& spec, std::size_t batch, std::size_t side) {
  const std::size_t pixels = batch * side * side;
  const auto channels = static_cast<std::size_t>(std::max(spec.in, spec.out));
  if (pixels > kMaxArenaBytes / sizeof(float) / channels) throw std::bad_alloc();
}

}  // namespace

ConvChainWeights ConvChainWeights::read(const std::shared_ptr<const Context>& context,
                                        const TensorSource& source,
                                        const std::vector<core::MobileFaceNetStage>& stages,
                                        bool relu) {
  ConvChainWeights chain;
  chain.relu = relu;
  bool first = true;
  const auto read_conv = [&](const core::ConvBlockSpec& spec) {
    auto weights = ConvWeights::read(context, source, spec, first);
    first = false;
    return weights;
  };
  for (const core::MobileFaceNetStage& spec : stages) {
    Stage stage;
    stage.name = spec.name;
    for (const auto& conv : spec.convs) stage.convs.push_back(read_conv(conv));
    for (const auto& block : spec.bottlenecks) {
      stage.bottlenecks.push_back({read_conv(block.conv()), read_conv(block.conv_dw()),
                                   read_conv(block.project()), block.residual});
    }
    chain.stages.push_back(std::move(stage));
  }
  return chain;
}

ConvChain::ConvChain(const ConvChainWeights& weights, std::size_t batch, std::size_t side,
                     Arena& arena)
    : batch_(batch), side_(side) {
  names_.reserve(weights.stages.size());  // steps point into it
  for (const ConvChainWeights::Stage& stage : weights.stages) {
    for (const auto& conv : stage.convs) {
      const bool relu = weights.relu && conv->slopes().empty();
      add(conv, map_, map_ == Buffer::kPictures ? Buffer::kMapA : other(map_),
          relu ? ConvEpilogue::kRelu : ConvEpilogue::kNone);
      map_ = steps_.back().to;
    }
    for (const auto& block : stage.bottlenecks) add_bottleneck(block);
    names_.push_back(stage.name);
    steps_.back().stage_end = &names_.back();
  }
  // f32 for all: what a first layer writes before it is converted.
  map_a_ = arena.reserve_for<float>(map_elements_);
  map_b_ = arena.reserve_for<float>(map_elements_);
  expanded_ = arena.reserve_for<float>(std::max(wide_elements_, map_elements_));
  depthwise_ = arena.reserve_for<float>(wide_elements_);
}

void ConvChain::add(const std::shared_ptr<const ConvWeights>& weights, Buffer from, Buffer to,
                    ConvEpilogue epilogue) {
  check_fits(weights->spec(), batch_, side_);
  Conv conv(weights, batch_, side_, epilogue);
  side_ = conv.out_side();
  channels_ = static_cast<std::size_t>(weights->spec().out);
  const std::size_t elements = conv.out_rows() * channels_;
  const bool wide = to == Buffer::kExpanded || to == Buffer::kDepthwise;
  (wide ? wide_elements_ : map_elements_) =
      std::max(wide ? wide_elements_ : map_elements_, elements);
  scratch_bytes_ = std::max(scratch_bytes_, conv.scratch_bytes());
  steps_.push_back({std::move(conv), from, to, nullptr});
}

void ConvChain::add_bottleneck(const ConvChainWeights::Bottleneck& block) {
  add(block.conv, map_, Buffer::kExpanded, ConvEpilogue::kNone);
  add(block.conv_dw, Buffer::kExpanded, Buffer::kDepthwise, ConvEpilogue::kNone);
  const Buffer to = block.residual ? map_ : other(map_);
  add(block.project, Buffer::kDepthwise, to,
      block.residual ? ConvEpilogue::kAddToDst : ConvEpilogue::kNone);
  map_ = to;
}

void* ConvChain::at(const Arena& arena, Buffer buffer) const {
  switch (buffer) {
    case Buffer::kMapA: return arena.at(map_a_);
    case Buffer::kMapB: return arena.at(map_b_);
    case Buffer::kExpanded: return arena.at(expanded_);
    case Buffer::kDepthwise: return arena.at(depthwise_);
    case Buffer::kPictures: break;
  }
  return nullptr;
}

void ConvChain::run_step(Step& step, const dnnl::stream& stream, const Arena& arena,
                         const float* pictures, void* scratch) {
  const ConvWeights& weights = step.conv.weights();
  const ActKind kind = weights.context().act();
  void* to = at(arena, step.to);
  const void* from = step.from == Buffer::kPictures ? pictures : at(arena, step.from);
  // A first layer writes f32 beside its place when activations are narrower.
  const bool aside = weights.kind() == ActKind::kF32 && kind == ActKind::kBf16;
  void* sums = aside ? arena.at(expanded_) : to;
  step.conv.run(stream, from, sums, scratch);
  const std::size_t rows = step.conv.out_rows();
  const auto channels = static_cast<std::size_t>(weights.spec().out);
  if (!weights.slopes().empty()) {
    prelu(sums, weights.kind(), weights.slopes().data(), rows, channels, kind, to);
  } else if (aside || kind == ActKind::kRounded) {
    store_act(static_cast<const float*>(sums), rows * channels, kind, to);
  }
}

const void* ConvChain::run(const dnnl::stream& stream, const Arena& arena, const float* pictures,
                           void* scratch, const Observer* observer) {
  for (Step& step : steps_) {
    run_step(step, stream, arena, pictures, scratch);
    if (observer != nullptr && step.stage_end != nullptr) {
      const ConvWeights& weights = step.conv.weights();
      (*observer)(*step.stage_end, at(arena, step.to), weights.context().act(),
                  step.conv.out_side(), static_cast<std::size_t>(weights.spec().out));
    }
  }
  return at(arena, map_);
}

}  // namespace mien::engine
