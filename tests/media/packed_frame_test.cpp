#include "media/packed_frame.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "support.h"

namespace mien::media::test {
namespace {

constexpr int kWidth = 38;
constexpr int kHeight = 22;

// Bytes of `picture` with `gap` bytes of something else behind every row.
struct Packed {
  std::vector<std::uint8_t> bytes;
  PixelBuffer buffer;
};

Packed empty_frame(PixelLayout layout, int rows, int gap) {
  Packed out;
  const std::ptrdiff_t stride = row_bytes(layout, kWidth) + gap;
  // The last row ends where its pixels end: nobody may read on.
  out.bytes.assign(static_cast<std::size_t>(stride * rows - gap), 0xA5);
  out.buffer = {nullptr, kWidth, kHeight, stride, layout};
  return out;
}

// `order`: which channel of RGB comes first, second ...; 3 is alpha.
Packed channels(const Image& picture, PixelLayout layout, const std::vector<int>& order, int gap) {
  Packed out = empty_frame(layout, kHeight, gap);
  for (int y = 0; y < kHeight; ++y) {
    std::uint8_t* to = out.bytes.data() + out.buffer.stride * y;
    for (int x = 0; x < kWidth; ++x) {
      for (const int c : order) *to++ = c == 3 ? 77 : picture.view().row(y)[3 * x + c];
    }
  }
  out.buffer.data = out.bytes.data();
  return out;
}

struct Yuv {
  double y, u, v;
};

// BT.601, limited range (ITU-R BT.601-7, 2.5.3).
Yuv yuv_of(const std::uint8_t* rgb) {
  const double r = rgb[0] / 255.0;
  const double g = rgb[1] / 255.0;
  const double b = rgb[2] / 255.0;
  const double luma = 0.299 * r + 0.587 * g + 0.114 * b;
  return {16 + 219 * luma, 128 + 224 * (b - luma) / 1.772, 128 + 224 * (r - luma) / 1.402};
}

std::uint8_t byte(double value) {
  return static_cast<std::uint8_t>(std::lround(value));
}

// A picture whose colour changes slowly, so that sharing it between neighbours loses little.
Image smooth() {
  Image out = Image::black(kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      std::uint8_t* p = out.row(y) + 3 * x;
      p[0] = static_cast<std::uint8_t>(40 + 4 * x);
      p[1] = static_cast<std::uint8_t>(200 - 5 * y);
      p[2] = static_cast<std::uint8_t>(60 + 2 * x + 2 * y);
    }
  }
  return out;
}

Packed yuyv(const Image& picture, int gap) {
  Packed out = empty_frame(PixelLayout::kYuyv, kHeight, gap);
  for (int y = 0; y < kHeight; ++y) {
    std::uint8_t* to = out.bytes.data() + out.buffer.stride * y;
    for (int x = 0; x < kWidth; x += 2, to += 4) {
      const Yuv a = yuv_of(picture.view().row(y) + 3 * x);
      const Yuv b = yuv_of(picture.view().row(y) + 3 * (x + 1));
      to[0] = byte(a.y);
      to[1] = byte((a.u + b.u) / 2);
      to[2] = byte(b.y);
      to[3] = byte((a.v + b.v) / 2);
    }
  }
  out.buffer.data = out.bytes.data();
  return out;
}

Packed nv12(const Image& picture, int gap) {
  Packed out = empty_frame(PixelLayout::kNv12, kHeight / 2 * 3, gap);
  for (int y = 0; y < kHeight; ++y) {
    std::uint8_t* luma = out.bytes.data() + out.buffer.stride * y;
    std::uint8_t* pairs = out.bytes.data() + out.buffer.stride * (kHeight + y / 2);
    for (int x = 0; x < kWidth; ++x) {
      const Yuv a = yuv_of(picture.view().row(y) + 3 * x);
      luma[x] = byte(a.y);
      if (x % 2 != 0 || y % 2 != 0) continue;
      pairs[x] = byte(a.u);
      pairs[x + 1] = byte(a.v);
    }
  }
  out.buffer.data = out.bytes.data();
  return out;
}

int worst_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  int worst = 0;
  for (std::size_t i = 0; i < std::min(a.rgb.size(), b.rgb.size()); ++i) {
    worst = std::max(worst, std::abs(a.rgb[i] - b.rgb[i]));
  }
  return worst;
}

TEST(PackedFrame, FormatsWithWholePixelsGiveTheSameBytes) {
  const Image picture = pattern(kWidth, kHeight);
  const std::vector<std::pair<PixelLayout, std::vector<int>>> all = {
      {PixelLayout::kRgb, {0, 1, 2}},
      {PixelLayout::kBgr, {2, 1, 0}},
      {PixelLayout::kRgba, {0, 1, 2, 3}},
      {PixelLayout::kBgra, {2, 1, 0, 3}}};
  for (const auto& [layout, order] : all) {
    for (const int gap : {0, 1, 29}) {
      const Packed packed = channels(picture, layout, order, gap);
      const auto rgb = to_rgb(packed.buffer);
      ASSERT_TRUE(rgb.ok()) << rgb.error().to_string();
      EXPECT_EQ(rgb->rgb, picture.rgb) << static_cast<int>(layout) << " gap " << gap;
    }
  }
}

TEST(PackedFrame, GreyIsTheSameInAllChannels) {
  const Image picture = pattern(kWidth, kHeight);
  const Packed packed = channels(picture, PixelLayout::kGray, {1}, 3);
  const auto rgb = to_rgb(packed.buffer);
  ASSERT_TRUE(rgb.ok()) << rgb.error().to_string();
  for (std::size_t i = 0; i < rgb->rgb.size(); ++i) {
    ASSERT_EQ(rgb->rgb[i], picture.rgb[i / 3 * 3 + 1]) << i;
  }
}

TEST(PackedFrame, SharedColourComesBackWithinRounding) {
  const Image picture = smooth();
  for (const int gap : {0, 10}) {
    const Packed packed = yuyv(picture, gap);
    const auto rgb = to_rgb(packed.buffer);
    ASSERT_TRUE(rgb.ok()) << rgb.error().to_string();
    EXPECT_LE(worst_difference(*rgb, picture), 8) << "YUYV, gap " << gap;
    const Packed planes = nv12(picture, gap);
    const auto other = to_rgb(planes.buffer);
    ASSERT_TRUE(other.ok()) << other.error().to_string();
    EXPECT_LE(worst_difference(*other, picture), 12) << "NV12, gap " << gap;
  }
}

TEST(PackedFrame, BlackAndWhiteOfLimitedRangeAreBlackAndWhite) {
  for (const int level : {0, 255}) {
    Image picture = Image::black(kWidth, kHeight);
    std::fill(picture.rgb.begin(), picture.rgb.end(), static_cast<std::uint8_t>(level));
    const Packed packed = yuyv(picture, 0);
    const auto rgb = to_rgb(packed.buffer);
    ASSERT_TRUE(rgb.ok()) << rgb.error().to_string();
    EXPECT_LE(worst_difference(*rgb, picture), 1) << level;
  }
}

TEST(PackedFrame, WhatCannotBeIsRefused) {
  const std::vector<std::uint8_t> bytes(4096, 0);
  const auto code = [&](PixelBuffer pixels) {
    const auto rgb = to_rgb(pixels);
    EXPECT_FALSE(rgb.ok());
    return rgb.ok() ? ErrorCode::kInternal : rgb.error().code;
  };
  const PixelBuffer good{bytes.data(), 8, 8, 24, PixelLayout::kRgb};
  ASSERT_TRUE(to_rgb(good).ok());
  EXPECT_EQ(code({nullptr, 8, 8, 24, PixelLayout::kRgb}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({bytes.data(), 0, 8, 24, PixelLayout::kRgb}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({bytes.data(), 8, -8, 24, PixelLayout::kRgb}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({bytes.data(), 8, 8, 23, PixelLayout::kRgb}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({bytes.data(), 8, 8, -24, PixelLayout::kBgr}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({bytes.data(), 8, 8, 31, PixelLayout::kRgba}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({bytes.data(), 7, 8, 64, PixelLayout::kYuyv}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({bytes.data(), 8, 7, 64, PixelLayout::kNv12}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({bytes.data(), 20000, 8, 60000, PixelLayout::kRgb}), ErrorCode::kLimit);
}

}  // namespace
}  // namespace mien::media::test
