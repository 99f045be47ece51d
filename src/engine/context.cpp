#include "engine/context.h"

#include <omp.h>

#include <algorithm>

#include "core/cpu.h"
#include "engine/guard.h"
#include "engine/kernels/quantize.h"

namespace mien::engine {
namespace {

constexpr int kMaxThreads = 256;

// oneDNN settles its instruction set at the first question about it, so this comes before.
void settle_isa() {
  static const bool settled = [] {
    if (core::announces_amx_without_tiles() && !core::onednn_isa_is_chosen()) {
      // Refused when the program around us has used oneDNN already; its choice then stands.
      dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_bf16);
    }
    return true;
  }();
  (void)settled;
}

// Values of dnnl_cpu_isa_t are sets of bits: an instruction set contains its predecessors.
bool has_instructions(dnnl_cpu_isa_t isa) {
  settle_isa();
  const auto bits = static_cast<unsigned>(isa);
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & bits) == bits;
}

bool has_bf16_instructions() {
  return has_instructions(dnnl_cpu_isa_avx512_core_bf16);
}

// What is not quantised in precision int8 is rounded only where that makes it faster.
bool wants_bf16(const EngineOptions& options) {
  switch (options.precision) {
    case Precision::kF32: return false;
    case Precision::kBf16: return true;
    case Precision::kAuto: break;
    case Precision::kInt8:
      if (options.native_bf16 != NativeBf16::kAuto) return options.native_bf16 == NativeBf16::kOn;
      break;
  }
  return has_fast_bf16();
}

}  // namespace

bool has_fast_bf16() {
  return has_bf16_instructions() && !core::misses_its_amx();
}

bool has_fast_int8() {
  return has_instructions(dnnl_cpu_isa_avx512_core_vnni);
}

EngineOptions options_for(EngineOptions options, const core::ModelConfig& config) {
  if (options.precision == Precision::kInt8 && core::int8_layers(config).empty()) {
    options.precision = Precision::kAuto;
  } else if (options.precision == Precision::kAuto && core::holds_in_int8(config) &&
             has_fast_int8()) {
    options.precision = Precision::kInt8;
  }
  if (options.precision == Precision::kInt8 && !options.keep) {
    options.keep = config.quantization ? config.quantization->keep : std::vector<std::string>();
  }
  return options;
}

bool has_any_bf16() {
  settle_isa();
  using dnnl::memory;
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const memory::desc square({16, 16}, memory::data_type::bf16, memory::format_tag::ab);
  const dnnl::matmul::desc desc(square, square, square);
  const auto probe = dnnl::matmul::primitive_desc(desc, engine, true);  // true: no exception
  return static_cast<bool>(probe);
}

Result<std::shared_ptr<const Context>> Context::create(const EngineOptions& options) {
  return guarded([&]() -> Result<std::shared_ptr<const Context>> {
    settle_isa();
    std::shared_ptr<Context> context(new Context());
    context->engine_ = dnnl::engine(dnnl::engine::kind::cpu, 0);
    const int wanted = options.threads > 0 ? options.threads : omp_get_num_procs();
    context->threads_ = std::clamp(wanted, 1, kMaxThreads);
    const bool bf16 = wants_bf16(options);
    context->precision_ = bf16 ? Precision::kBf16 : Precision::kF32;
    if (options.precision == Precision::kInt8) {
      context->precision_ = Precision::kInt8;
      context->code_limit_ = has_fast_int8() ? kFullCodes : kNarrowCodes;
      if (options.keep)
        context->keep_ = std::set<std::string>(options.keep->begin(), options.keep->end());
    }
    if (!bf16) return std::shared_ptr<const Context>(std::move(context));
    if (options.native_bf16 == NativeBf16::kOn && !has_any_bf16()) {
      return make_error(ErrorCode::kUnsupported,
                        "oneDNN has no bf16 primitives on this CPU (they need AVX-512)");
    }
    const bool native = options.native_bf16 == NativeBf16::kOn ||
                        (options.native_bf16 == NativeBf16::kAuto && has_bf16_instructions());
    context->act_ = native ? ActKind::kBf16 : ActKind::kRounded;
    return std::shared_ptr<const Context>(std::move(context));
  });
}

ThreadScope::ThreadScope(int threads) : before_(omp_get_max_threads()) {
  omp_set_num_threads(threads);
}

ThreadScope::~ThreadScope() {
  omp_set_num_threads(before_);
}

dnnl::memory::data_type onednn_type(ActKind kind) {
  return kind == ActKind::kBf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

}  // namespace mien::engine
