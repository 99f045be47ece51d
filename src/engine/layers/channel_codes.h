// Weights in int8, one scale per output channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mien::engine {

// So many inputs at most: |sum| <= inputs * 255 * 127 must stay below 2^31.
inline constexpr std::size_t kMaxCodedInputs = 65536;

// w ~ scale * code, codes in -127..127.
struct ChannelCodes {
  std::vector<std::int8_t> codes;  // [out, in]
  std::vector<float> scales;       // [out]
  std::vector<std::int32_t> sums;  // [out], of a channel's codes
};

// weights: [out, in] row-major. The scale of a channel is 0 when it is 0 (or below 1e-30), NaN when
// a weight of it is not finite.
ChannelCodes code_channels(const std::vector<float>& weights, std::size_t in, std::size_t out);

}  // namespace mien::engine
