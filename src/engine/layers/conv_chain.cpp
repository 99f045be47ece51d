#include "engine/layers/conv_chain.h"

#include <algorithm>
#include <new>

#include "engine/kernels/vector_ops.h"
#include "engine/parallel.h"

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
  const auto read_layer = [&](const core::ConvBlockSpec& spec) -> ChainLayerWeights {
    const bool int8 =
        relu && !first && !spec.prelu && context->quantizes(source.full_name(spec.name) + ".conv");
    if (!int8) return {.plain = read_conv(spec), .int8 = nullptr};
    return {.plain = nullptr,
            .int8 = std::make_shared<const QuantizedConvWeights>(context, spec,
                                                                 fold_conv(source, spec))};
  };
  for (const core::MobileFaceNetStage& spec : stages) {
    Stage stage;
    stage.name = spec.name;
    for (const auto& conv : spec.convs) stage.convs.push_back(read_layer(conv));
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
    : batch_(batch), side_(side), code_scales_(batch) {
  names_.reserve(weights.stages.size());  // steps point into it
  for (const ConvChainWeights::Stage& stage : weights.stages) {
    for (const ChainLayerWeights& layer : stage.convs) {
      const Buffer to = map_ == Buffer::kPictures ? Buffer::kMapA : other(map_);
      if (layer.int8) {
        add_int8(layer.int8, to);
      } else {
        const bool relu = weights.relu && layer.plain->slopes().empty();
        add(layer.plain, map_, to, relu ? ConvEpilogue::kRelu : ConvEpilogue::kNone);
      }
      map_ = to;
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
  codes_ = arena.reserve(code_bytes_);
}

void ConvChain::add_step(Step step, const core::ConvBlockSpec& spec) {
  side_ = step.plain ? step.plain->out_side() : step.int8->out_side();
  channels_ = static_cast<std::size_t>(spec.out);
  step.side = side_;
  step.channels = channels_;
  const std::size_t elements = batch_ * step.picture();
  const bool wide = step.to == Buffer::kExpanded || step.to == Buffer::kDepthwise;
  (wide ? wide_elements_ : map_elements_) =
      std::max(wide ? wide_elements_ : map_elements_, elements);
  const std::size_t scratch = step.plain ? step.plain->scratch_bytes() : step.int8->scratch_bytes();
  scratch_bytes_ = std::max(scratch_bytes_, scratch);
  steps_.push_back(std::move(step));
}

void ConvChain::add(const std::shared_ptr<const ConvWeights>& weights, Buffer from, Buffer to,
                    ConvEpilogue epilogue) {
  check_fits(weights->spec(), batch_, side_);
  Step step;
  step.plain.emplace(weights, batch_, side_, epilogue);
  step.from = from;
  step.to = to;
  act_ = weights->context().act();
  code_limit_ = weights->context().code_limit();
  add_step(std::move(step), weights->spec());
}

// Never the first of a chain.
void ConvChain::add_int8(const std::shared_ptr<const QuantizedConvWeights>& weights, Buffer to) {
  check_fits(weights->spec(), batch_, side_);
  Step& before = steps_.back();
  before.codes_next = true;
  code_bytes_ = std::max(code_bytes_, batch_ * before.picture());
  Step step;
  step.int8.emplace(weights, batch_, side_);
  step.to = to;
  add_step(std::move(step), weights->spec());
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

// The pictures' maps to what the next layer in int8 reads.
void ConvChain::code_maps(const Step& step, const void* maps, ActKind kind, const Arena& arena) {
  auto* codes = arena.at<std::uint8_t>(codes_);
  const std::size_t size = step.picture();
  const std::int32_t limit = code_limit_;
  parallel_ranges(batch_, 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      code_scales_[i] = code_map(act_at(maps, kind, i * size), kind, size, limit, codes + i * size);
    }
  });
}

void ConvChain::run_plain(Step& step, const dnnl::stream& stream, const Arena& arena,
                          const float* pictures, void* scratch) {
  const ConvWeights& weights = step.plain->weights();
  void* to = at(arena, step.to);
  const void* from = step.from == Buffer::kPictures ? pictures : at(arena, step.from);
  // A first layer writes f32 beside its place when activations are narrower.
  const bool aside = weights.kind() == ActKind::kF32 && act_ == ActKind::kBf16;
  void* sums = aside ? arena.at(expanded_) : to;
  step.plain->run(stream, from, sums, scratch);
  if (step.codes_next) return code_maps(step, sums, weights.kind(), arena);
  const std::size_t rows = step.plain->out_rows();
  if (!weights.slopes().empty()) {
    prelu(sums, weights.kind(), weights.slopes().data(), rows, step.channels, act_, to);
  } else if (aside || act_ == ActKind::kRounded) {
    store_act(static_cast<const float*>(sums), rows * step.channels, act_, to);
  }
}

void ConvChain::run_int8(Step& step, const dnnl::stream& stream, const Arena& arena,
                         void* scratch) {
  auto* codes = arena.at<std::uint8_t>(codes_);
  auto* sums = arena.at<std::int32_t>(expanded_);
  step.int8->run(stream, codes, sums, scratch);
  const MapScales scales = step.int8->weights().map_scales();
  const std::size_t size = step.picture();
  parallel_ranges(batch_, 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      std::int32_t* own = sums + i * size;
      const std::size_t rows = step.side * step.side;
      if (step.codes_next) {
        finish_relu(own, code_scales_[i], rows, scales, ActKind::kF32, own);
        code_scales_[i] = code_map(own, ActKind::kF32, size, code_limit_, codes + i * size);
      } else {
        finish_relu(own, code_scales_[i], rows, scales, act_,
                    act_at(at(arena, step.to), act_, i * size));
      }
    }
  });
}

const void* ConvChain::run(const dnnl::stream& stream, const Arena& arena, const float* pictures,
                           void* scratch, const Observer* observer) {
  for (Step& step : steps_) {
    if (step.int8) {
      run_int8(step, stream, arena, scratch);
    } else {
      run_plain(step, stream, arena, pictures, scratch);
    }
    if (observer != nullptr && step.stage_end != nullptr) {
      (*observer)(*step.stage_end, at(arena, step.to), act_, step.side, step.channels);
    }
  }
  return at(arena, map_);
}

}  // namespace mien::engine
