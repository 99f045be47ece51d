#include "engine/context.h"

#include <omp.h>

#include <algorithm>

#include "core/cpu.h"
#include "engine/guard.h"

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

}  // namespace

bool has_bf16_instructions() {
  settle_isa();
  // Values are sets of bits: an instruction set contains its predecessors.
  constexpr auto kBit = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_bf16);
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kBit) == kBit;
}

// CPUs made for AMX multiply bf16 in AVX-512 at half the rate: kept off their tiles, an Emerald
// Rapids runs the default model 1.6 times slower in bf16 than in f32.
bool has_fast_bf16() {
  return has_bf16_instructions() && !core::announces_amx_without_tiles();
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
    const bool bf16 = options.precision == Precision::kBf16 ||
                      (options.precision == Precision::kAuto && has_fast_bf16());
    context->precision_ = bf16 ? Precision::kBf16 : Precision::kF32;
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
