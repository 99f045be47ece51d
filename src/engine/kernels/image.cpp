#include "engine/kernels/image.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "engine/parallel.h"

namespace mien::engine {
namespace {

constexpr std::size_t kGrain = 16384;

using PixelTable = std::array<std::array<float, 256>, 3>;

PixelTable pixel_table(const core::InputNorm& norm) {
  PixelTable table;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0F - norm.mean[c]) / norm.std[c];
    }
  }
  return table;
}

float luma(const std::uint8_t* p) {
  return 0.299F * static_cast<float>(p[0]) + 0.587F * static_cast<float>(p[1]) +
         0.114F * static_cast<float>(p[2]);
}

}  // namespace

void normalize_pixels(const std::uint8_t* rgb, std::size_t frames, std::size_t side,
                      const core::InputNorm& norm, std::size_t channels, float* out) {
  const bool gray = norm.gray || channels == 1;
  const PixelTable table = pixel_table(norm);
  parallel_ranges(frames * side * side, kGrain, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint8_t* p = rgb + 3 * i;
      float* to = out + channels * i;
      if (gray) {
        const float y = luma(p) / 255.0F;
        for (std::size_t c = 0; c < channels; ++c) to[c] = (y - norm.mean[c]) / norm.std[c];
      } else {
        for (std::size_t c = 0; c < channels; ++c) to[c] = table[c][p[c]];
      }
    }
  });
}

void planar_to_frames(const float* planar, std::size_t channel_stride, std::size_t frame_stride,
                      std::size_t frames, std::size_t side, std::size_t channels, float* out) {
  const std::size_t size = side * side;
  parallel_ranges(frames, kGrain / (size + 1) + 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t f = begin; f < end; ++f) {
      for (std::size_t c = 0; c < channels; ++c) {
        const float* from = planar + c * channel_stride + f * frame_stride;
        float* to = out + f * size * channels + c;
        for (std::size_t i = 0; i < size; ++i) to[i * channels] = from[i];
      }
    }
  });
}

void resize_aligned(const float* in, std::size_t frames, std::size_t side, std::size_t channels,
                    std::size_t out_side, float* out) {
  if (side == out_side) {
    std::memcpy(out, in, frames * side * side * channels * sizeof(float));
    return;
  }
  const float scale =
      out_side > 1 ? static_cast<float>(side - 1) / static_cast<float>(out_side - 1) : 0.0F;
  const std::size_t row = side * channels;
  const auto source = [&](std::size_t i) { return scale * static_cast<float>(i); };
  parallel_ranges(frames * out_side, kGrain / (out_side * channels) + 1,
                  [&](std::size_t begin, std::size_t end, int) {
                    for (std::size_t r = begin; r < end; ++r) {
                      const float y = source(r % out_side);
                      const std::size_t y0 = std::min(static_cast<std::size_t>(y), side - 1);
                      const float fy = y - static_cast<float>(y0);
                      const float* top = in + (r / out_side) * side * row + y0 * row;
                      const float* bottom = top + (y0 + 1 < side ? row : 0);
                      for (std::size_t i = 0; i < out_side; ++i) {
                        const float x = source(i);
                        const std::size_t x0 = std::min(static_cast<std::size_t>(x), side - 1);
                        const float fx = x - static_cast<float>(x0);
                        const std::size_t left = x0 * channels;
                        const std::size_t right = left + (x0 + 1 < side ? channels : 0);
                        float* to = out + (r * out_side + i) * channels;
                        for (std::size_t c = 0; c < channels; ++c) {
                          const float upper = (1.0F - fx) * top[left + c] + fx * top[right + c];
                          const float lower =
                              (1.0F - fx) * bottom[left + c] + fx * bottom[right + c];
                          to[c] = (1.0F - fy) * upper + fy * lower;
                        }
                      }
                    }
                  });
}

void gather_patches(const void* in, std::size_t frames, std::size_t side, std::size_t channels,
                    std::size_t patch, std::size_t element, void* out) {
  const std::size_t grid = side / patch;
  const std::size_t line = patch * channels * element;  // one row of one patch
  const std::size_t row = side * channels * element;    // one row of the picture
  const auto* from = static_cast<const std::byte*>(in);
  auto* to = static_cast<std::byte*>(out);
  parallel_ranges(
      frames * grid, kGrain * 4 / (row * patch) + 1, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t strip = begin; strip < end; ++strip) {  // grid strips per frame
          const std::size_t frame = strip / grid;
          const std::byte* source = from + frame * side * row + (strip % grid) * patch * row;
          for (std::size_t g = 0; g < grid; ++g) {
            for (std::size_t y = 0; y < patch; ++y) {
              std::memcpy(to + ((strip * grid + g) * patch + y) * line, source + y * row + g * line,
                          line);
            }
          }
        }
      });
}

namespace {

// Calls copy(values before the row of a patch in the clip, values before it in `out`) for each row
// of each patch of each frame of each cube, in parallel.
template <typename Copy>
void for_cube_rows(std::size_t slots, std::size_t tubelet, std::size_t side, std::size_t channels,
                   std::size_t patch, const Copy& copy) {
  const std::size_t grid = side / patch;
  const std::size_t line = patch * channels;  // one row of one patch
  const std::size_t row = side * channels;    // one row of the picture
  const std::size_t cube = tubelet * patch * line;
  parallel_ranges(slots * grid, kGrain / (grid * cube) + 1,
                  [&](std::size_t begin, std::size_t end, int) {
                    for (std::size_t strip = begin; strip < end; ++strip) {  // grid strips per slot
                      const std::size_t top =
                          (strip / grid) * tubelet * side * row + strip % grid * patch * row;
                      for (std::size_t g = 0; g < grid; ++g) {
                        std::size_t to = (strip * grid + g) * cube;
                        for (std::size_t f = 0; f < tubelet; ++f) {
                          const std::size_t from = top + f * side * row + g * line;
                          for (std::size_t y = 0; y < patch; ++y, to += line) {
                            copy(from + y * row, to);
                          }
                        }
                      }
                    }
                  });
}

float centred(std::uint8_t pixel) {
  return static_cast<float>(static_cast<int>(pixel) - kPixelZero);
}

}  // namespace

void gather_cubes(const float* in, std::size_t slots, std::size_t tubelet, std::size_t side,
                  std::size_t channels, std::size_t patch, float* out) {
  for_cube_rows(slots, tubelet, side, channels, patch, [&](std::size_t from, std::size_t to) {
    std::memcpy(out + to, in + from, patch * channels * sizeof(float));
  });
}

void gather_pixel_cubes(const std::uint8_t* rgb, std::size_t slots, std::size_t tubelet,
                        std::size_t side, std::size_t patch, ActKind kind, void* out) {
  const std::size_t line = patch * 3;
  for_cube_rows(slots, tubelet, side, 3, patch, [&](std::size_t from, std::size_t to) {
    const std::uint8_t* pixels = rgb + from;
    if (kind != ActKind::kBf16) {
      auto* values = static_cast<float*>(out) + to;
      for (std::size_t i = 0; i < line; ++i) values[i] = centred(pixels[i]);
      return;
    }
    // Whole numbers of eight bits: the upper half of the f32 is all of it.
    auto* values = static_cast<std::uint16_t*>(out) + to;
    for (std::size_t i = 0; i < line; ++i) {
      values[i] =
          static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(centred(pixels[i])) >> 16U);
    }
  });
}

void stack_frames(const float* in, std::size_t slots, std::size_t tubelet, std::size_t side,
                  std::size_t channels, float* out) {
  const std::size_t place = side * side;
  const std::size_t deep = tubelet * channels;
  parallel_ranges(slots * place, kGrain / deep + 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      const float* from = in + (i / place * tubelet * place + i % place) * channels;
      for (std::size_t f = 0; f < tubelet; ++f) {
        std::copy_n(from + f * place * channels, channels, out + i * deep + f * channels);
      }
    }
  });
}

}  // namespace mien::engine
