#include "engine/gemm_peak.h"

#include <algorithm>
#include <cstdint>

#include "core/tensor.h"
#include "engine/context.h"
#include "engine/guard.h"

namespace mien::engine {
namespace {

using dnnl::memory;

constexpr memory::dim kRows = 1568;
constexpr memory::dim kIn = 768;
constexpr memory::dim kOut = 3072;

// The types of a product's three matrices.
struct Types {
  memory::data_type src, weights, dst;
};

Types types_of(const Context& context) {
  if (context.precision() == Precision::kInt8) {
    return {memory::data_type::u8, memory::data_type::s8, memory::data_type::s32};
  }
  // Rounded bf16 is computed in f32.
  const memory::data_type act = onednn_type(context.act());
  return {act, act, act};
}

// Small numbers that no type rounds: subnormal ones would be slow.
void fill(const memory& matrix) {
  constexpr float kValue = 0.5F;
  void* data = matrix.get_data_handle();
  const std::size_t bytes = matrix.get_desc().get_size();
  switch (matrix.get_desc().data_type()) {
    case memory::data_type::bf16:
      std::fill_n(static_cast<std::uint16_t*>(data), bytes / 2, core::f32_to_bf16(kValue));
      break;
    case memory::data_type::f32: std::fill_n(static_cast<float*>(data), bytes / 4, kValue); break;
    default: std::fill_n(static_cast<std::uint8_t*>(data), bytes, std::uint8_t{3}); break;
  }
}

dnnl::matmul::primitive_desc describe(const Context& context) {
  const Types types = types_of(context);
  const memory::desc src({kRows, kIn}, types.src, memory::format_tag::ab);
  const memory::desc weights({kIn, kOut}, types.weights, memory::format_tag::any);
  const memory::desc dst({kRows, kOut}, types.dst, memory::format_tag::ab);
  return {dnnl::matmul::desc(src, weights, dst), context.engine()};
}

}  // namespace

struct GemmPeak::State {
  explicit State(std::shared_ptr<const Context> shared)
      : context(std::move(shared)),
        stream(context->engine()),
        desc(describe(*context)),
        src(desc.src_desc(), context->engine()),
        weights(desc.weights_desc(), context->engine()),
        dst(desc.dst_desc(), context->engine()),
        matmul(desc) {
    fill(src);
    fill(weights);
  }

  std::shared_ptr<const Context> context;
  dnnl::stream stream;
  dnnl::matmul::primitive_desc desc;
  memory src, weights, dst;
  dnnl::matmul matmul;
};

GemmPeak::GemmPeak(std::unique_ptr<State> state) : state_(std::move(state)) {}
GemmPeak::GemmPeak(GemmPeak&&) noexcept = default;
GemmPeak& GemmPeak::operator=(GemmPeak&&) noexcept = default;
GemmPeak::~GemmPeak() = default;

Result<GemmPeak> GemmPeak::create(const EngineOptions& options) {
  return guarded([&]() -> Result<GemmPeak> {
    MIEN_ASSIGN(auto context, Context::create(options));
    const ThreadScope scope(context->threads());
    return GemmPeak(std::make_unique<State>(context));
  });
}

Status GemmPeak::run() {
  return guarded([&]() -> Status {
    State& s = *state_;
    const ThreadScope scope(s.context->threads());
    s.matmul.execute(s.stream,
                     {{DNNL_ARG_SRC, s.src}, {DNNL_ARG_WEIGHTS, s.weights}, {DNNL_ARG_DST, s.dst}});
    s.stream.wait();
    return {};
  });
}

double GemmPeak::giga_operations() {
  return 2e-9 * static_cast<double>(kRows) * static_cast<double>(kIn) * static_cast<double>(kOut);
}

std::string GemmPeak::kernel() const {
  return state_->desc.impl_info_str();
}

}  // namespace mien::engine
