#include "engine/layers/linear.h"

#include <string_view>

#include "engine/kernels/image.h"
#include "engine/kernels/vector_ops.h"

namespace mien::engine {
namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

dnnl::memory::dim dim(std::size_t n) {
  return static_cast<dnnl::memory::dim>(n);
}

dnnl::primitive_attr attributes(Epilogue epilogue) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops ops;
  switch (epilogue) {
    case Epilogue::kNone: break;
    case Epilogue::kGelu: ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_gelu_erf, 0, 0); break;
    case Epilogue::kAddToDst: ops.append_sum(1.0F); break;
  }
  attr.set_post_ops(ops);
  return attr;
}

struct Sizes {
  std::size_t rows, in, out;
};

dnnl::matmul::desc matmul_desc(const Sizes& s, Type in_type, Type out_type, bool bias) {
  const Desc src({dim(s.rows), dim(s.in)}, in_type, Tag::ab);
  const Desc weights({dim(s.in), dim(s.out)}, in_type, Tag::any);
  const Desc dst({dim(s.rows), dim(s.out)}, out_type, Tag::ab);
  if (!bias) return {src, weights, dst};
  return {src, weights, Desc({1, dim(s.out)}, Type::f32, Tag::ab), dst};
}

// A 1x1 convolution over a picture of one column: the same product, for which oneDNN has blocked
// kernels with packed weights on CPUs where its matmul is only a plain GEMM (AVX2).
dnnl::convolution_forward::desc convolution_desc(const Sizes& s, Type in_type, Type out_type,
                                                 bool bias) {
  const Desc src({1, dim(s.in), dim(s.rows), 1}, in_type, Tag::nhwc);
  const Desc weights({dim(s.out), dim(s.in), 1, 1}, in_type, Tag::any);
  const Desc dst({1, dim(s.out), dim(s.rows), 1}, out_type, Tag::nhwc);
  const Desc b = bias ? Desc({dim(s.out)}, Type::f32, Tag::a) : Desc();
  return {dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct,
          src,
          weights,
          b,
          dst,
          {1, 1},
          {0, 0},
          {0, 0}};
}

bool starts_with(const char* text, std::string_view prefix) {
  return std::string_view(text).starts_with(prefix);
}

}  // namespace

LinearWeights::Kind LinearWeights::best_kind(const Context& context, ActKind act, std::size_t in,
                                             std::size_t out) {
  const Type type = onednn_type(act);
  const Sizes sizes{256, in, out};
  const auto attr = attributes(Epilogue::kNone);
  const dnnl::matmul::primitive_desc matmul(matmul_desc(sizes, type, type, true), attr,
                                            context.engine(), true);
  if (matmul && starts_with(matmul.impl_info_str(), "brg")) return Kind::kMatmul;
  const dnnl::convolution_forward::primitive_desc convolution(
      convolution_desc(sizes, type, type, true), attr, context.engine(), true);
  const bool jitted = convolution && (starts_with(convolution.impl_info_str(), "jit") ||
                                      starts_with(convolution.impl_info_str(), "brg"));
  return jitted ? Kind::kConvolution : Kind::kMatmul;
}

LinearWeights::LinearWeights(std::shared_ptr<const Context> context, ActKind kind,
                             std::vector<float> weight, std::vector<float> bias, std::size_t in,
                             std::size_t out)
    : context_(std::move(context)),
      act_(kind),
      in_(in),
      out_(out),
      kind_(best_kind(*context_, kind, in, out)),
      bias_(std::move(bias)),
      packed_(context_, std::move(weight),
              kind_ == Kind::kMatmul ? Desc({dim(in), dim(out)}, Type::f32, Tag::ba)
                                     : Desc({dim(out), dim(in), 1, 1}, Type::f32, Tag::oihw),
              kind != ActKind::kF32) {}

namespace {

std::shared_ptr<const LinearWeights> read_as(std::shared_ptr<const Context> context, ActKind kind,
                                             const TensorSource& source, const std::string& name) {
  const core::Shape shape = source.shape(name + ".weight");
  const auto out = static_cast<std::size_t>(shape.at(0));
  return std::make_shared<const LinearWeights>(
      std::move(context), kind, source.floats(name + ".weight"), read_bias(source, name, out),
      static_cast<std::size_t>(shape.at(1)), out);
}

}  // namespace

std::shared_ptr<const LinearWeights> LinearWeights::read(std::shared_ptr<const Context> context,
                                                         const TensorSource& source,
                                                         const std::string& name) {
  const ActKind kind = context->act();
  return read_as(std::move(context), kind, source, name);
}

std::shared_ptr<const LinearWeights> LinearWeights::read_f32(std::shared_ptr<const Context> context,
                                                             const TensorSource& source,
                                                             const std::string& name) {
  return read_as(std::move(context), ActKind::kF32, source, name);
}

namespace {

// Filters over channels-last patches.
struct PatchFilters {
  PatchFilters(const TensorSource& source, const std::string& name) {
    const std::vector<float> filters = source.floats(name + ".weight");
    const core::Shape shape = source.shape(name + ".weight");
    out = static_cast<std::size_t>(shape.at(0));
    channels = static_cast<std::size_t>(shape.at(1));
    places = filters.size() / (out * channels);
    matrix.resize(filters.size());
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t p = 0; p < places; ++p) {
          matrix[(o * places + p) * channels + c] = filters[(o * channels + c) * places + p];
        }
      }
    }
    bias = source.floats(name + ".bias");
  }
  std::size_t in() const { return channels * places; }

  std::size_t out = 0, channels = 0, places = 0;
  std::vector<float> matrix;  // [out, places, channels]
  std::vector<float> bias;    // [out]
};

}  // namespace

std::shared_ptr<const LinearWeights> LinearWeights::read_patches(
    std::shared_ptr<const Context> context, const TensorSource& source, const std::string& name) {
  PatchFilters f(source, name);
  return std::make_shared<const LinearWeights>(
      std::move(context), ActKind::kF32, std::move(f.matrix), std::move(f.bias), f.in(), f.out);
}

// w (pixel / 255 - mean) / std = w' (pixel - zero) + w' (zero - 255 mean), w' = w / (255 std).
std::shared_ptr<const LinearWeights> LinearWeights::read_pixel_patches(
    std::shared_ptr<const Context> context, const TensorSource& source, const std::string& name,
    const core::InputNorm& norm) {
  PatchFilters f(source, name);
  for (std::size_t o = 0; o < f.out; ++o) {
    double shift = 0.0;
    for (std::size_t i = 0; i < f.in(); ++i) {
      const std::size_t c = i % f.channels;
      float& w = f.matrix[o * f.in() + i];
      w /= 255.0F * norm.std[c];
      shift += static_cast<double>(w) * (kPixelZero - 255.0 * static_cast<double>(norm.mean[c]));
    }
    f.bias[o] += static_cast<float>(shift);
  }
  const ActKind kind = context->act();
  return std::make_shared<const LinearWeights>(std::move(context), kind, std::move(f.matrix),
                                               std::move(f.bias), f.in(), f.out);
}

Linear::Linear(std::shared_ptr<const LinearWeights> weights, std::size_t rows, Epilogue epilogue,
               LinearOut out)
    : weights_(std::move(weights)),
      out_type_(out == LinearOut::kAct ? onednn_type(weights_->act_) : Type::f32),
      rows_(rows),
      round_output_(out == LinearOut::kAct && weights_->act_ == ActKind::kRounded) {
  if (weights_->kind_ == LinearWeights::Kind::kMatmul) {
    build_matmul(rows, epilogue);
  } else {
    build_convolution(rows, epilogue);
  }
}

void Linear::build_matmul(std::size_t rows, Epilogue epilogue) {
  const Context& context = *weights_->context_;
  const dnnl::matmul::primitive_desc desc(
      matmul_desc({rows, weights_->in_, weights_->out_}, onednn_type(weights_->act_), out_type_,
                  !weights_->bias_.empty()),
      attributes(epilogue), context.engine());
  finish(desc, dnnl::matmul(desc));
}

void Linear::build_convolution(std::size_t rows, Epilogue epilogue) {
  const Context& context = *weights_->context_;
  const dnnl::convolution_forward::primitive_desc desc(
      convolution_desc({rows, weights_->in_, weights_->out_}, onednn_type(weights_->act_),
                       out_type_, !weights_->bias_.empty()),
      attributes(epilogue), context.engine());
  finish(desc, dnnl::convolution_forward(desc));
}

template <typename PrimitiveDesc>
void Linear::finish(const PrimitiveDesc& desc, dnnl::primitive primitive) {
  const dnnl::engine& engine = weights_->context_->engine();
  call_ = PrimitiveCall(std::move(primitive));
  src_ = call_.add(DNNL_ARG_SRC, unbound(desc.src_desc(), engine));
  dst_ = call_.add(DNNL_ARG_DST, unbound(desc.dst_desc(), engine));
  call_.add(DNNL_ARG_WEIGHTS, weights_->packed_.packed(desc.weights_desc()));
  if (!weights_->bias_.empty()) {
    const auto place = call_.add(DNNL_ARG_BIAS, unbound(desc.bias_desc(), engine));
    call_.set(place, weights_->bias_.data());
  }
  scratch_ = call_.add(DNNL_ARG_SCRATCHPAD, unbound(desc.scratchpad_desc(), engine));
  scratch_bytes_ = desc.scratchpad_desc().get_size();
  implementation_ = desc.impl_info_str();
}

void Linear::run(const dnnl::stream& stream, const void* x, void* y, void* scratch) {
  call_.set(src_, x);
  call_.set(dst_, y);
  call_.set(scratch_, scratch);
  call_.run(stream);
  if (round_output_) round_to_bf16(static_cast<float*>(y), rows_ * weights_->out_);
}

}  // namespace mien::engine
