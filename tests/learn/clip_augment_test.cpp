// From frames to network inputs: sampling against LibTorch, normalisation, and the random choices.
#include "learn/data/clip_augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "learn/golden.h"

namespace mien::learn::clip_augment_test {
namespace {

using test::relative_error;
using torch::Tensor;
namespace functional = torch::nn::functional;

constexpr ClipShape kShape{.frames = 3, .height = 20, .width = 28};

std::vector<std::uint8_t> noise_frames(const ClipShape& shape, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<std::uint8_t> out(shape.bytes());
  for (std::uint8_t& v : out) v = static_cast<std::uint8_t>(rng.below(256));
  return out;
}

ClipView view(const ClipShape& shape, const std::vector<std::uint8_t>& rgb) {
  return {shape, rgb};
}

// The same frames as [3, T, H, W] f32, normalised by the formula.
Tensor normalised(const ClipView& clip, const core::InputNorm& norm) {
  const Tensor bytes =
      torch::tensor(std::vector<std::uint8_t>(clip.rgb.begin(), clip.rgb.end()), torch::kByte);
  Tensor x = bytes.view({clip.shape.frames, clip.shape.height, clip.shape.width, 3})
                 .permute({3, 0, 1, 2})
                 .to(torch::kFloat) /
             255.0;
  if (norm.gray) {
    x = (0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2]).unsqueeze(0).expand_as(x);
  }
  const auto channel = [](const std::array<float, 3>& v) {
    return torch::tensor({v[0], v[1], v[2]}).view({3, 1, 1, 1});
  };
  return (x - channel(norm.mean)) / channel(norm.std);
}

// Everything off.
ClipAugmentOptions nothing() {
  ClipAugmentOptions options;
  options.rand_augment.ops = 0;
  options.crop_scale_low = 0.0;
  options.flip = 0.0;
  options.erase = 0.0;
  return options;
}

TEST(ClipAugment, PlainClipIsTheNormalisedFrames) {
  const ClipShape square{.frames = 2, .height = 16, .width = 16};
  const auto rgb = noise_frames(square, 1);
  for (const bool gray : {false, true}) {
    core::InputNorm norm;
    norm.gray = gray;
    const Tensor mine = plain_clip(view(square, rgb), 16, norm);
    EXPECT_EQ(mine.sizes(), (std::vector<std::int64_t>{3, 2, 16, 16}));
    EXPECT_LT(relative_error(mine, normalised(view(square, rgb), norm)), 1e-6) << gray;
  }
  core::InputNorm other{.mean = {0.5F, 0.25F, 0.0F}, .std = {0.5F, 1.0F, 2.0F}};
  const Tensor mine = plain_clip(view(square, rgb), 16, other);
  // Frame 1, row 2, column 3, green: (v / 255 - 0.25) / 1.
  const double green = rgb[square.frame_bytes() + (2 * 16 + 3) * 3 + 1];
  EXPECT_NEAR(mine[1][1][2][3].item<double>(), green / 255.0 - 0.25, 1e-6);
}

TEST(ClipAugment, CropsAreSampledAsLibTorchDoes) {
  const auto rgb = noise_frames(kShape, 2);
  for (const bool gray : {false, true}) {
    core::InputNorm norm;
    norm.gray = gray;
    const Tensor whole = normalised(view(kShape, rgb), norm);
    for (const PixelBox& box : {PixelBox{0, 0, 20, 28}, PixelBox{3, 5, 9, 7},
                                PixelBox{19, 27, 1, 1}, PixelBox{2, 0, 18, 1}}) {
      const Tensor part = whole.narrow(2, box.top, box.height).narrow(3, box.left, box.width);
      const Tensor truth =
          functional::interpolate(part, functional::InterpolateFuncOptions()
                                            .size(std::vector<std::int64_t>{16, 16})
                                            .mode(torch::kBilinear)
                                            .align_corners(false));
      const Tensor mine = render_clip(view(kShape, rgb), box, false, 16, norm);
      EXPECT_LT(relative_error(mine, truth), 1e-5) << gray << " " << box.width;
      const Tensor mirrored = render_clip(view(kShape, rgb), box, true, 16, norm);
      EXPECT_TRUE(torch::equal(mirrored, mine.flip(3)));
    }
  }
}

TEST(ClipAugment, CropsKeepTheirArea) {
  const ClipAugmentOptions options;
  double smallest = 1.0;
  double largest = 0.0;
  int tall = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Rng rng(Rng::mix(3, seed));
    const PixelBox box = draw_crop(224, 224, options, rng);
    ASSERT_TRUE(box.top >= 0 && box.left >= 0 && box.height > 0 && box.width > 0);
    ASSERT_TRUE(box.top + box.height <= 224 && box.left + box.width <= 224);
    const double share = box.height * box.width / (224.0 * 224.0);
    const double ratio = static_cast<double>(box.width) / box.height;
    ASSERT_TRUE(ratio > 0.73 && ratio < 1.37) << ratio;
    smallest = std::min(smallest, share);
    largest = std::max(largest, share);
    tall += ratio < 1.0 ? 1 : 0;
  }
  EXPECT_NEAR(smallest, 0.08, 0.01);
  EXPECT_GT(largest, 0.93);
  EXPECT_NEAR(tall, 1000, 120);
}

TEST(ClipAugment, FramesTooLongAreCroppedInTheMiddle) {
  ClipAugmentOptions options;
  options.crop_scale_low = options.crop_scale_high = 1.0;
  Rng rng(4);
  const PixelBox wide = draw_crop(30, 100, options, rng);  // the whole area never fits 4/3
  EXPECT_EQ(wide.height, 30);
  EXPECT_EQ(wide.width, 40);
  EXPECT_EQ(wide.top, 0);
  EXPECT_EQ(wide.left, 30);
  const PixelBox tall = draw_crop(100, 30, options, rng);
  EXPECT_EQ(tall.height, 40);
  EXPECT_EQ(tall.width, 30);
  EXPECT_EQ(tall.top, 30);
  options.crop_scale_low = 0.0;
  EXPECT_EQ(draw_crop(30, 100, options, rng).width, 100);
}

TEST(ClipAugment, ErasuresFollowTheOptions) {
  const ClipAugmentOptions options;
  int drawn = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Rng rng(Rng::mix(5, seed));
    const auto box = draw_erasure(112, options, rng);
    if (!box) continue;
    ++drawn;
    ASSERT_TRUE(box->top >= 0 && box->left >= 0 && box->height < 112 && box->width < 112);
    ASSERT_TRUE(box->top + box->height <= 112 && box->left + box->width <= 112);
    const double share = box->height * box->width / (112.0 * 112.0);
    EXPECT_TRUE(share > 0.018 && share < 0.345) << share;
    const double ratio = static_cast<double>(box->height) / box->width;
    EXPECT_TRUE(ratio > 0.27 && ratio < 3.7) << ratio;
  }
  EXPECT_NEAR(drawn, 1000, 120);
}

TEST(ClipAugment, ErasingCoversOneBoxWithFreshNoise) {
  const PixelBox box{.top = 4, .left = 6, .height = 40, .width = 30};
  for (const bool gray : {false, true}) {
    core::InputNorm norm;
    norm.gray = gray;
    Tensor clip = torch::full({3, 4, 64, 64}, 9.0, torch::kFloat);
    Rng rng(6);
    erase_clip(clip, box, norm, rng);
    const Tensor inside = clip.narrow(2, 4, 40).narrow(3, 6, 30).contiguous();
    EXPECT_NEAR(inside.mean().item<double>(), 0.0, 0.05);
    EXPECT_NEAR(inside.std(true).item<double>(), 1.0, 0.05);
    EXPECT_EQ((clip == 9.0).sum().item<std::int64_t>(), clip.numel() - inside.numel());
    EXPECT_FALSE(torch::equal(inside.select(1, 0), inside.select(1, 1)));
    EXPECT_EQ(torch::equal(inside[0], inside[1]), gray);
    EXPECT_EQ(torch::equal(inside[0], inside[2]), gray);
  }
}

TEST(ClipAugment, EverythingOffIsThePlainClip) {
  const auto rgb = noise_frames(kShape, 7);
  const core::InputNorm norm;
  Rng rng(8);
  EXPECT_TRUE(torch::equal(augment_clip(view(kShape, rgb), 16, norm, nothing(), rng),
                           plain_clip(view(kShape, rgb), 16, norm)));
}

TEST(ClipAugment, EachPartActsAlone) {
  const ClipShape square{.frames = 2, .height = 24, .width = 24};
  const auto rgb = noise_frames(square, 9);
  const core::InputNorm norm;
  const Tensor plain = plain_clip(view(square, rgb), 24, norm);
  const auto made = [&](const ClipAugmentOptions& options) {
    Rng rng(10);
    return augment_clip(view(square, rgb), 24, norm, options, rng);
  };
  ClipAugmentOptions flip = nothing();
  flip.flip = 1.0;
  EXPECT_TRUE(torch::equal(made(flip), plain.flip(3)));

  ClipAugmentOptions crop = nothing();
  crop.crop_scale_low = crop.crop_scale_high = 0.3;
  EXPECT_FALSE(torch::allclose(made(crop), plain));

  ClipAugmentOptions erase = nothing();
  erase.erase = 1.0;
  const double share = (made(erase) != plain).to(torch::kFloat).mean().item<double>();
  EXPECT_TRUE(share > 0.01 && share < 0.36) << share;

  ClipAugmentOptions randomised = nothing();
  randomised.rand_augment = {.ops = 6, .probability = 1.0};
  EXPECT_FALSE(torch::allclose(made(randomised), plain));
}

TEST(ClipAugment, SameSeedSameClipAndTheBytesStay) {
  const auto rgb = noise_frames(kShape, 11);
  const auto before = rgb;
  const core::InputNorm norm;
  const auto made = [&](std::uint64_t seed) {
    Rng rng(seed);
    return augment_clip(view(kShape, rgb), 16, norm, {}, rng);
  };
  std::vector<Tensor> clips;
  for (std::uint64_t seed = 0; seed < 8; ++seed) clips.push_back(made(seed));
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_TRUE(torch::equal(clips[seed], made(seed)));
    EXPECT_EQ(torch::equal(clips[seed], clips[0]), seed == 0);
  }
  EXPECT_EQ(rgb, before);
}

// All frames go through the same choices: a clip that does not move still does not.
TEST(ClipAugment, AStillClipStaysStill) {
  const ClipShape one{.frames = 1, .height = 24, .width = 24};
  const auto frame = noise_frames(one, 12);
  std::vector<std::uint8_t> rgb;
  for (int t = 0; t < 4; ++t) rgb.insert(rgb.end(), frame.begin(), frame.end());
  const ClipShape four{.frames = 4, .height = 24, .width = 24};
  ClipAugmentOptions options;
  options.erase = 0.0;  // its noise is fresh in each frame
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    const Tensor clip = augment_clip(view(four, rgb), 16, {}, options, rng);
    for (int t = 1; t < 4; ++t) {
      EXPECT_TRUE(torch::equal(clip.select(1, t), clip.select(1, 0))) << seed;
    }
  }
}

}  // namespace
}  // namespace mien::learn::clip_augment_test
