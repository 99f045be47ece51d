#include "engine/layers/quantized_conv.h"

#include <stdexcept>
#include <utility>

#include "engine/layers/channel_codes.h"

namespace mien::engine {
namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

std::size_t filter_size(const core::ConvBlockSpec& s) {
  return static_cast<std::size_t>(s.in) * static_cast<std::size_t>(s.kernel) *
         static_cast<std::size_t>(s.kernel);
}

Desc filter_desc(const core::ConvBlockSpec& s, Tag tag) {
  return Desc({s.out, s.in, s.kernel, s.kernel}, Type::s8, tag);
}

dnnl::convolution_forward::primitive_desc describe(const QuantizedConvWeights& weights,
                                                   std::size_t batch, std::size_t side,
                                                   std::size_t out_side) {
  const core::ConvBlockSpec& s = weights.spec();
  const auto n = static_cast<dnnl::memory::dim>(batch);
  const auto in = static_cast<dnnl::memory::dim>(side);
  const auto out = static_cast<dnnl::memory::dim>(out_side);
  const dnnl::convolution_forward::desc layer(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      Desc({n, s.in, in, in}, Type::u8, Tag::nhwc), filter_desc(s, Tag::any),
      Desc({n, s.out, out, out}, Type::s32, Tag::nhwc), {s.stride, s.stride},
      {s.padding, s.padding}, {s.padding, s.padding});
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {layer, attr, weights.context().engine()};
}

}  // namespace

QuantizedConvWeights::QuantizedConvWeights(std::shared_ptr<const Context> context,
                                           core::ConvBlockSpec spec, const FoldedConv& folded)
    : context_(std::move(context)), spec_(std::move(spec)), bias_(folded.bias) {
  if (spec_.groups != 1 || spec_.prelu || filter_size(spec_) > kMaxCodedInputs) {
    throw std::runtime_error("a convolution is not one for int8");
  }
  ChannelCodes made = code_channels(folded.filters, filter_size(spec_), bias_.size());
  scales_ = std::move(made.scales);
  packed_ = std::make_unique<const PackedWeights>(context_, std::move(made.codes),
                                                  filter_desc(spec_, Tag::oihw));
}

QuantizedConv::QuantizedConv(std::shared_ptr<const QuantizedConvWeights> weights, std::size_t batch,
                             std::size_t side)
    : weights_(std::move(weights)), out_side_(conv_out_side(weights_->spec(), side)) {
  const dnnl::engine& engine = weights_->context().engine();
  const auto desc = describe(*weights_, batch, side, out_side_);
  call_ = PrimitiveCall(dnnl::convolution_forward(desc));
  src_ = call_.add(DNNL_ARG_SRC, unbound(desc.src_desc(), engine));
  dst_ = call_.add(DNNL_ARG_DST, unbound(desc.dst_desc(), engine));
  call_.add(DNNL_ARG_WEIGHTS, weights_->packed_->packed(desc.weights_desc()));
  scratch_ = call_.add(DNNL_ARG_SCRATCHPAD, unbound(desc.scratchpad_desc(), engine));
  scratch_bytes_ = desc.scratchpad_desc().get_size();
  implementation_ = desc.impl_info_str();
}

void QuantizedConv::run(const dnnl::stream& stream, const std::uint8_t* codes, std::int32_t* sums,
                        void* scratch) {
  call_.set(src_, codes);
  call_.set(dst_, sums);
  call_.set(scratch_, scratch);
  call_.run(stream);
}

}  // namespace mien::engine
