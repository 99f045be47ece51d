#include "engine/kernels/vector_ops.h"

#include <algorithm>
#include <cstdint>

#include "engine/parallel.h"

// Compiled once per instruction set; the order matters to Highway.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/vector_ops.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include "engine/kernels/vector_types-inl.h"
#include "engine/kernels/norm_stats-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {

template <class Out>
HWY_INLINE void NormRow(const float* HWY_RESTRICT x, std::size_t n, const NormParams& p,
                        typename Out::T* HWY_RESTRICT out) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto [mean, scale] = StatsOfRow(x, n, p.eps);
  const auto vmean = hn::Set(d, mean);
  const auto vscale = hn::Set(d, scale);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto y = hn::Mul(hn::Sub(hn::LoadU(d, x + i), vmean), vscale);
    Out::Store(hn::MulAdd(y, hn::LoadU(d, p.gamma + i), hn::LoadU(d, p.beta + i)), out + i);
  }
  for (; i < n; ++i) Out::Put((x[i] - mean) * scale * p.gamma[i] + p.beta[i], out + i);
}

void NormRows(const float* x, const RowBlocks& b, const NormParams& p, ActKind kind, void* out,
              std::size_t begin, std::size_t end) {
  WithAccess(kind, [&](auto access) {
    using Out = decltype(access);
    auto* to = static_cast<typename Out::T*>(out);
    for (std::size_t r = begin; r < end; ++r) {
      const float* row = x + (r / b.rows) * b.stride + (r % b.rows) * b.width;
      NormRow<Out>(row, b.width, p, to + r * b.width);
    }
  });
}

void AddRows(float* x, const RowBlocks& blocks, const float* a, const float* b, std::size_t begin,
             std::size_t end) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t n = blocks.width;
  for (std::size_t r = begin; r < end; ++r) {
    float* HWY_RESTRICT row = x + (r / blocks.rows) * blocks.stride + (r % blocks.rows) * n;
    const float* HWY_RESTRICT first = a + r * n;
    const float* HWY_RESTRICT second = b == nullptr ? nullptr : b + r * n;
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      auto sum = hn::Add(hn::LoadU(d, row + i), hn::LoadU(d, first + i));
      if (second != nullptr) sum = hn::Add(sum, hn::LoadU(d, second + i));
      hn::StoreU(sum, d, row + i);
    }
    for (; i < n; ++i) row[i] += first[i] + (second == nullptr ? 0.0F : second[i]);
  }
}

template <class In, class Out>
void PreluRowsAs(const void* in, const float* HWY_RESTRICT slopes, std::size_t channels, void* out,
                 std::size_t begin, std::size_t end) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d);
  for (std::size_t r = begin; r < end; ++r) {
    const auto* from = static_cast<const typename In::T*>(in) + r * channels;
    auto* to = static_cast<typename Out::T*>(out) + r * channels;
    std::size_t c = 0;
    for (; c + lanes <= channels; c += lanes) {
      const auto x = In::Load(from + c);
      const auto negative = hn::Mul(hn::Min(x, zero), hn::LoadU(d, slopes + c));
      Out::Store(hn::Add(hn::Max(x, zero), negative), to + c);
    }
    for (; c < channels; ++c) {
      const float x = In::Get(from + c);
      Out::Put(x > 0.0F ? x : slopes[c] * x, to + c);
    }
  }
}

void PreluRows(const void* in, ActKind in_kind, const float* slopes, std::size_t channels,
               ActKind out_kind, void* out, std::size_t begin, std::size_t end) {
  WithAccess(out_kind, [&](auto access) {
    using Out = decltype(access);
    if (in_kind == ActKind::kBf16) {
      PreluRowsAs<AccessBf16, Out>(in, slopes, channels, out, begin, end);
    } else {
      PreluRowsAs<AccessF32, Out>(in, slopes, channels, out, begin, end);
    }
  });
}

void StoreAct(const float* in, ActKind kind, void* out, std::size_t begin, std::size_t end) {
  WithAccess(kind, [&](auto access) {
    using Out = decltype(access);
    auto* to = static_cast<typename Out::T*>(out);
    const std::size_t lanes = hn::Lanes(F32Tag());
    std::size_t i = begin;
    for (; i + lanes <= end; i += lanes) Out::Store(AccessF32::Load(in + i), to + i);
    for (; i < end; ++i) Out::Put(in[i], to + i);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::engine {

HWY_EXPORT(NormRows);
HWY_EXPORT(AddRows);
HWY_EXPORT(PreluRows);
HWY_EXPORT(StoreAct);

namespace {

// Elements that are worth waking a thread for.
constexpr std::size_t kGrain = 16384;

std::size_t grain_rows(std::size_t width) {
  return kGrain / (width + 1) + 1;
}

}  // namespace

void layer_norm(const float* x, const RowBlocks& blocks, const NormParams& params, ActKind kind,
                void* out) {
  parallel_ranges(blocks.total_rows(), grain_rows(blocks.width),
                  [&](std::size_t begin, std::size_t end, int) {
                    HWY_DYNAMIC_DISPATCH(NormRows)(x, blocks, params, kind, out, begin, end);
                  });
}

void add_rows(float* x, const RowBlocks& blocks, const float* a, const float* b) {
  parallel_ranges(blocks.total_rows(), grain_rows(blocks.width),
                  [&](std::size_t begin, std::size_t end, int) {
                    HWY_DYNAMIC_DISPATCH(AddRows)(x, blocks, a, b, begin, end);
                  });
}

void prelu(const void* in, ActKind in_kind, const float* slopes, std::size_t rows,
           std::size_t channels, ActKind out_kind, void* out) {
  parallel_ranges(rows, grain_rows(channels), [&](std::size_t begin, std::size_t end, int) {
    HWY_DYNAMIC_DISPATCH(PreluRows)(in, in_kind, slopes, channels, out_kind, out, begin, end);
  });
}

void store_act(const float* in, std::size_t count, ActKind kind, void* out) {
  parallel_ranges(count, kGrain, [&](std::size_t begin, std::size_t end, int) {
    HWY_DYNAMIC_DISPATCH(StoreAct)(in, kind, out, begin, end);
  });
}

void load_act(const void* in, ActKind kind, std::size_t count, float* out) {
  if (kind != ActKind::kBf16) {
    const auto* from = static_cast<const float*>(in);
    std::copy(from, from + count, out);
    return;
  }
  const auto* from = static_cast<const std::uint16_t*>(in);
  for (std::size_t i = 0; i < count; ++i) out[i] = core::bf16_to_f32(from[i]);
}

void round_to_bf16(float* values, std::size_t count) {
  store_act(values, count, ActKind::kRounded, values);
}

}  // namespace mien::engine
#endif  // HWY_ONCE
