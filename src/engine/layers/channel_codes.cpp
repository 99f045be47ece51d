#include "engine/layers/channel_codes.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace mien::engine {
namespace {

constexpr float kWeightCodes = 127.0F;

// Largest magnitude; NaN when something is not finite.
float largest_of(const float* values, std::size_t count) {
  // As integers magnitudes have the same order, infinity and NaN last, and compilers vectorise it.
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(values[i]) & 0x7FFFFFFFU);
  }
  constexpr std::uint32_t kInfinity = 0x7F800000U;
  return largest < kInfinity ? std::bit_cast<float>(largest)
                             : std::numeric_limits<float>::quiet_NaN();
}

// To the nearest whole number, ties to even, of magnitudes below 2^22: where it has no digits
// behind the point. std::nearbyint is a call, unless SSE4.1 is taken for granted.
float rounded(float value) {
  constexpr float kNoDigits = 12582912.0F;  // 1.5 * 2^23
  return (value + kNoDigits) - kNoDigits;
}

}  // namespace

ChannelCodes code_channels(const std::vector<float>& weights, std::size_t in, std::size_t out) {
  ChannelCodes made;
  made.codes.assign(in * out, 0);
  for (std::size_t n = 0; n < out; ++n) {
    const float* row = weights.data() + n * in;
    const float largest = largest_of(row, in);
    const bool usable = largest > 1e-30F;  // neither 0 nor NaN
    const float inverse = usable ? kWeightCodes / largest : 0.0F;
    std::int32_t sum = 0;
    for (std::size_t k = 0; usable && k < in; ++k) {
      const float held = std::clamp(row[k] * inverse, -kWeightCodes, kWeightCodes);
      const auto code = static_cast<std::int32_t>(rounded(held));
      made.codes[n * in + k] = static_cast<std::int8_t>(code);
      sum += code;
    }
    made.scales.push_back(largest <= 1e-30F ? 0.0F : largest / kWeightCodes);
    made.sums.push_back(sum);
  }
  return made;
}

}  // namespace mien::engine
