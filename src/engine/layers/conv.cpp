#include "engine/layers/conv.h"

#include <utility>

#include "engine/kernels/vector_ops.h"

namespace mien::engine {
namespace {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

Dims filter_dims(const core::ConvBlockSpec& s) {
  if (s.groups == 1) return {s.out, s.in, s.kernel, s.kernel};
  return {s.groups, s.out / s.groups, s.in / s.groups, s.kernel, s.kernel};
}

Desc filter_desc(const core::ConvBlockSpec& s, Type type, bool any) {
  const Tag plain = s.groups == 1 ? Tag::oihw : Tag::goihw;
  return {filter_dims(s), type, any ? Tag::any : plain};
}

dnnl::primitive_attr attributes(ConvEpilogue epilogue) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops ops;
  if (epilogue == ConvEpilogue::kRelu) {
    ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  } else if (epilogue == ConvEpilogue::kAddToDst) {
    ops.append_sum(1.0F);
  }
  attr.set_post_ops(ops);
  return attr;
}

}  // namespace

FoldedConv fold_conv(const TensorSource& source, const core::ConvBlockSpec& spec) {
  FoldedConv folded{source.floats(spec.name + ".conv.weight"), {}};
  FoldedNorm norm = fold_batch_norm(source, spec.name + ".bn");
  const std::size_t per_channel = folded.filters.size() / norm.scale.size();
  for (std::size_t c = 0; c < norm.scale.size(); ++c) {
    for (std::size_t i = 0; i < per_channel; ++i) {
      folded.filters[c * per_channel + i] *= norm.scale[c];
    }
  }
  folded.bias = std::move(norm.shift);
  return folded;
}

std::size_t conv_out_side(const core::ConvBlockSpec& spec, std::size_t side) {
  return (side + 2 * static_cast<std::size_t>(spec.padding) -
          static_cast<std::size_t>(spec.kernel)) /
             static_cast<std::size_t>(spec.stride) +
         1;
}

std::shared_ptr<const ConvWeights> ConvWeights::read(std::shared_ptr<const Context> context,
                                                     const TensorSource& source,
                                                     const core::ConvBlockSpec& spec, bool f32) {
  FoldedConv folded = fold_conv(source, spec);
  std::vector<float> slopes;
  if (spec.prelu) slopes = source.floats(spec.name + ".prelu.weight");
  return std::make_shared<const ConvWeights>(std::move(context), spec, f32,
                                             std::move(folded.filters), std::move(folded.bias),
                                             std::move(slopes));
}

ConvWeights::ConvWeights(std::shared_ptr<const Context> context, core::ConvBlockSpec spec, bool f32,
                         std::vector<float> filters, std::vector<float> bias,
                         std::vector<float> slopes)
    : context_(std::move(context)),
      spec_(std::move(spec)),
      f32_(f32),
      bias_(std::move(bias)),
      slopes_(std::move(slopes)),
      packed_(context_, std::move(filters), filter_desc(spec_, Type::f32, false),
              !f32 && context_->rounds_weights()) {}

Conv::Conv(std::shared_ptr<const ConvWeights> weights, std::size_t batch, std::size_t side,
           ConvEpilogue epilogue)
    : weights_(std::move(weights)),
      batch_(batch),
      out_side_(conv_out_side(weights_->spec(), side)) {
  const core::ConvBlockSpec& s = weights_->spec();
  const dnnl::engine& engine = weights_->context().engine();
  const Type type = onednn_type(weights_->kind());
  const auto n = static_cast<dnnl::memory::dim>(batch);
  const auto in = static_cast<dnnl::memory::dim>(side);
  const auto out = static_cast<dnnl::memory::dim>(out_side_);
  const dnnl::convolution_forward::desc layer(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      Desc({n, s.in, in, in}, type, Tag::nhwc), filter_desc(s, type, true),
      Desc({s.out}, Type::f32, Tag::a), Desc({n, s.out, out, out}, type, Tag::nhwc),
      {s.stride, s.stride}, {s.padding, s.padding}, {s.padding, s.padding});
  const dnnl::convolution_forward::primitive_desc desc(layer, attributes(epilogue), engine);
  call_ = PrimitiveCall(dnnl::convolution_forward(desc));
  src_ = call_.add(DNNL_ARG_SRC, unbound(desc.src_desc(), engine));
  dst_ = call_.add(DNNL_ARG_DST, unbound(desc.dst_desc(), engine));
  call_.add(DNNL_ARG_WEIGHTS, weights_->packed_.packed(desc.weights_desc()));
  call_.set(call_.add(DNNL_ARG_BIAS, unbound(desc.bias_desc(), engine)), weights_->bias_.data());
  scratch_ = call_.add(DNNL_ARG_SCRATCHPAD, unbound(desc.scratchpad_desc(), engine));
  scratch_bytes_ = desc.scratchpad_desc().get_size();
  implementation_ = desc.impl_info_str();
}

void Conv::run(const dnnl::stream& stream, const void* x, void* y, void* scratch) {
  call_.set(src_, x);
  call_.set(dst_, y);
  call_.set(scratch_, scratch);
  call_.run(stream);
}

}  // namespace mien::engine
