#include "engine/layers/quantized_linear.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "engine/guard.h"
#include "engine/layers/channel_codes.h"
#include "engine/parallel.h"

namespace mien::engine {
namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

// The sums of a chunk: half of a core's second-level cache where that is 1 MiB (Zen 4 and 5).
constexpr std::size_t kChunkBytes = std::size_t{1} << 19;

// Rows that fill oneDNN's kernels: more gain nothing, and with fewer each thread would read all
// weights for next to no work.
constexpr std::size_t kMinChunk = 16;
constexpr std::size_t kMaxChunk = 256;

dnnl::memory::dim dim(std::size_t n) {
  return static_cast<dnnl::memory::dim>(n);
}

std::size_t aligned(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

std::size_t ceil_divide(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

Desc plain_weights(std::size_t in, std::size_t out) {
  return Desc({dim(in), dim(out)}, Type::s8, Tag::ba);
}

}  // namespace

QuantizedLinearWeights::QuantizedLinearWeights(std::shared_ptr<const Context> context,
                                               const std::vector<float>& weight,
                                               std::vector<float> bias, std::size_t in,
                                               std::size_t out)
    : context_(std::move(context)), in_(in), out_(out), bias_(std::move(bias)) {
  if (in_ > kMaxCodedInputs) throw std::runtime_error("a layer is too wide for int8");
  if (bias_.empty()) bias_.assign(out_, 0.0F);
  ChannelCodes made = code_channels(weight, in_, out_);
  for (const std::int32_t sum : made.sums) offsets_.push_back(zero_code(code_limit()) * sum);
  scales_ = std::move(made.scales);
  packed_ = std::make_unique<const PackedWeights>(context_, std::move(made.codes),
                                                  plain_weights(in_, out_));
}

QuantizedLinear::QuantizedLinear(std::shared_ptr<const QuantizedLinearWeights> weights,
                                 std::size_t rows, QuantizedOut out)
    : weights_(std::move(weights)), out_(out), rows_(rows) {
  if (rows_ == 0) return;
  const auto threads = static_cast<std::size_t>(omp_get_max_threads());
  const std::size_t row_bytes = weights_->out() * sizeof(std::int32_t);
  const std::size_t most = std::clamp(kChunkBytes / row_bytes, kMinChunk, kMaxChunk);
  // As many chunks as give each thread the same number of them.
  const std::size_t wanted = ceil_divide(ceil_divide(rows_, most), threads) * threads;
  chunk_ = std::max(ceil_divide(rows_, wanted), std::min(rows_, kMinChunk));
  chunks_ = ceil_divide(rows_, chunk_);
  sums_bytes_ = aligned(chunk_ * row_bytes);
  const ThreadScope scope(1);  // a product is one thread's
  lanes_.reserve(std::min(threads, chunks_));
  while (lanes_.size() < std::min(threads, chunks_)) {
    lanes_.push_back({dnnl::stream(weights_->context_->engine()), make_product(chunk_),
                      make_product(rows_of(chunks_ - 1))});
  }
  lane_bytes_ = aligned(lane_bytes_) + sums_bytes_;
}

QuantizedLinear::Product QuantizedLinear::make_product(std::size_t rows) {
  const dnnl::engine& engine = weights_->context_->engine();
  const std::size_t in = weights_->in();
  const std::size_t out = weights_->out();
  const Desc src({dim(rows), dim(in)}, Type::u8, Tag::ab);
  const Desc weights({dim(in), dim(out)}, Type::s8, Tag::any);
  const Desc dst({dim(rows), dim(out)}, Type::s32, Tag::ab);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::primitive_desc desc(dnnl::matmul::desc(src, weights, dst), attr, engine);
  Product product;
  product.call = PrimitiveCall(dnnl::matmul(desc));
  product.src = product.call.add(DNNL_ARG_SRC, unbound(desc.src_desc(), engine));
  product.dst = product.call.add(DNNL_ARG_DST, unbound(desc.dst_desc(), engine));
  product.call.add(DNNL_ARG_WEIGHTS, weights_->packed_->packed(desc.weights_desc()));
  product.scratch = product.call.add(DNNL_ARG_SCRATCHPAD, unbound(desc.scratchpad_desc(), engine));
  lane_bytes_ = std::max(lane_bytes_, desc.scratchpad_desc().get_size());
  implementation_ = desc.impl_info_str();
  return product;
}

std::size_t QuantizedLinear::rows_of(std::size_t chunk) const {
  return std::min(chunk_, rows_ - chunk * chunk_);
}

void QuantizedLinear::finish(std::int32_t* sums, std::size_t first, std::size_t rows,
                             const float* scales, void* y, float* y_scales) const {
  const SumScales s = weights_->sum_scales();
  const std::size_t place = first * s.width;
  const ActKind act = weights_->context_->act();
  switch (out_) {
    case QuantizedOut::kAct:
    case QuantizedOut::kGeluAct:
      finish_act(sums, scales, rows, s, out_ == QuantizedOut::kGeluAct, act, act_at(y, act, place));
      break;
    case QuantizedOut::kGeluCodes:
      finish_gelu_quantize(sums, scales, rows, s, weights_->code_limit(),
                           {static_cast<std::uint8_t*>(y) + place, y_scales + first});
      break;
    case QuantizedOut::kAddToDst:
      finish_add(sums, scales, rows, s, static_cast<float*>(y) + place);
      break;
  }
}

void QuantizedLinear::run_chunk(Lane& lane, std::size_t chunk, const QuantizedRows& x, void* y,
                                float* y_scales, std::byte* scratch) const {
  const std::size_t first = chunk * chunk_;
  Product& product = chunk + 1 == chunks_ ? lane.last : lane.whole;
  product.call.set(product.src, x.codes + first * weights_->in());
  product.call.set(product.dst, scratch);
  product.call.set(product.scratch, scratch + sums_bytes_);
  product.call.run(lane.stream);
  // The workspace holds s32 sums: the arena gave bytes that are aligned for them.
  auto* sums = static_cast<std::int32_t*>(static_cast<void*>(scratch));
  finish(sums, first, rows_of(chunk), x.scales + first, y, y_scales);
}

void QuantizedLinear::run(const QuantizedRows& x, void* y, float* y_scales, void* scratch) {
  SharedStatus status;
  const auto range = [&](std::size_t begin, std::size_t end, int thread) {
    const auto number = static_cast<std::size_t>(thread);
    if (number >= lanes_.size()) {
      return status.add(make_error(ErrorCode::kInternal, "more threads than a layer was made for"));
    }
    auto* own = static_cast<std::byte*>(scratch) + number * lane_bytes_;
    status.add(guarded([&]() -> Status {
      const ThreadScope scope(1);
      for (std::size_t chunk = begin; chunk < end; ++chunk) {
        run_chunk(lanes_[number], chunk, x, y, y_scales, own);
      }
      return {};
    }));
  };
  parallel_ranges(chunks_, 1, range);
  if (const Status done = status.take(); !done.ok()) {
    throw std::runtime_error(done.error().to_string());
  }
}

}  // namespace mien::engine
