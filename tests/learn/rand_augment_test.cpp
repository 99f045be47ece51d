// RandAugment: the operations against Pillow and against cases worked by hand, and the draws.
#include "learn/data/rand_augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace mien::learn::rand_augment_test {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr ClipShape kPictureShape{.frames = 2, .height = 30, .width = 40};

// Two frames with levels 30..209, textured.
Bytes pictures() {
  Bytes out;
  for (int f = 0; f < kPictureShape.frames; ++f) {
    for (int y = 0; y < kPictureShape.height; ++y) {
      for (int x = 0; x < kPictureShape.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const int level = 30 + (x * 5 + y * 3 + c * 40 + f * 17 + (x * y) % 23) % 180;
          out.push_back(static_cast<std::uint8_t>(level));
        }
      }
    }
  }
  return out;
}

// FNV-1a, 64 bits.
std::uint64_t hash_of(const Bytes& bytes) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const std::uint8_t v : bytes) hash = (hash ^ v) * 0x100000001B3ULL;
  return hash;
}

int sum_of(const Bytes& bytes) {
  int sum = 0;
  for (const std::uint8_t v : bytes) sum += v;
  return sum;
}

Bytes apply(const ClipShape& shape, Bytes rgb, AugmentOp op, double magnitude, bool negative) {
  apply_augment(shape, rgb, {.op = op, .magnitude = magnitude, .negative = negative});
  return rgb;
}

// One frame, one row, of grey pixels.
Bytes apply_to_greys(const Bytes& greys, AugmentOp op, double magnitude, bool negative = false) {
  Bytes rgb;
  for (const std::uint8_t v : greys) rgb.insert(rgb.end(), 3, v);
  const ClipShape shape{.frames = 1, .height = 1, .width = static_cast<int>(greys.size())};
  rgb = apply(shape, rgb, op, magnitude, negative);
  Bytes out;
  for (std::size_t i = 0; i < rgb.size(); i += 3) {
    EXPECT_EQ(rgb[i], rgb[i + 1]);
    EXPECT_EQ(rgb[i], rgb[i + 2]);
    out.push_back(rgb[i]);
  }
  return out;
}

// What Pillow 9.4 makes of pictures() by the calls and arguments of timm's auto_augment.py
// (bicubic, fill 128): hash and sum of all bytes of both frames.
struct PillowCase {
  AugmentOp op;
  double magnitude;
  bool negative;
  std::uint64_t hash;
  int sum;
};

constexpr std::array<PillowCase, 27> kPillow = {{
    {AugmentOp::kAutoContrast, 7.3, false, 0xAEC32360461E12CCULL, 920911},
    {AugmentOp::kEqualize, 7.3, false, 0x977B1490268DD716ULL, 1050663},
    {AugmentOp::kInvert, 7.3, false, 0xDAC1A0D4E03E78AFULL, 971070},
    {AugmentOp::kRotate, 7.3, false, 0xA6DD51630766FD7EULL, 875205},
    {AugmentOp::kRotate, 6.1, true, 0x048BE2A310DEA9DDULL, 863560},
    {AugmentOp::kPosterize, 7.3, false, 0x51A46B284D354FE5ULL, 635456},
    {AugmentOp::kPosterize, 6.1, true, 0x51A46B284D354FE5ULL, 635456},
    {AugmentOp::kSolarize, 7.3, false, 0xEDBCF0D84D3AEDCEULL, 730369},
    {AugmentOp::kSolarize, 6.1, true, 0x66696926EFEFA288ULL, 627965},
    {AugmentOp::kSolarizeAdd, 7.3, false, 0x291527B670ECD65FULL, 1174210},
    {AugmentOp::kSolarizeAdd, 6.1, true, 0xB09D2E26DF9A92E1ULL, 1123952},
    {AugmentOp::kColor, 7.3, false, 0xB4BEF3A027A40BACULL, 872371},
    {AugmentOp::kColor, 6.1, true, 0xC25CC29B8EDC13E9ULL, 863520},
    {AugmentOp::kContrast, 7.3, false, 0xBEF9A87642C5D2FDULL, 871314},
    {AugmentOp::kContrast, 6.1, true, 0x0A9A422132B7BEF6ULL, 860793},
    {AugmentOp::kBrightness, 7.3, false, 0x435CEB14FC25E76BULL, 1329946},
    {AugmentOp::kBrightness, 6.1, true, 0xC1742DEA39136EE3ULL, 386488},
    {AugmentOp::kSharpness, 7.3, false, 0x72C91C02303A8265ULL, 863882},
    {AugmentOp::kSharpness, 6.1, true, 0x9E3D5F609764D004ULL, 862203},
    {AugmentOp::kShearX, 7.3, false, 0xBD9FAB20730E9863ULL, 858522},
    {AugmentOp::kShearX, 6.1, true, 0x65B448802DD69E0AULL, 856213},
    {AugmentOp::kShearY, 7.3, false, 0xB38947772153870FULL, 877498},
    {AugmentOp::kShearY, 6.1, true, 0x82B5826A8B27D559ULL, 865796},
    {AugmentOp::kTranslateXRel, 7.3, false, 0x8D8CA738090FE49CULL, 856487},
    {AugmentOp::kTranslateXRel, 6.1, true, 0xA0113EC8AEE56A26ULL, 876719},
    {AugmentOp::kTranslateYRel, 7.3, false, 0x92F1F4181543317DULL, 886866},
    {AugmentOp::kTranslateYRel, 6.1, true, 0xE3656F1866C6AFFEULL, 874219},
}};

TEST(RandAugment, EveryOperationIsPillowsToTheBit) {
  const Bytes input = pictures();
  ASSERT_EQ(hash_of(input), 0xD28ABE0B447C205FULL);
  std::set<AugmentOp> seen;
  for (const PillowCase& c : kPillow) {
    const Bytes mine = apply(kPictureShape, input, c.op, c.magnitude, c.negative);
    EXPECT_EQ(sum_of(mine), c.sum) << augment_op_name(c.op) << " " << c.magnitude;
    EXPECT_EQ(hash_of(mine), c.hash) << augment_op_name(c.op) << " " << c.magnitude;
    seen.insert(c.op);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kAugmentOpCount));
}

TEST(RandAugment, PointOperationsByHand) {
  EXPECT_EQ(apply_to_greys({50, 100, 150}, AugmentOp::kAutoContrast, 0), (Bytes{0, 127, 255}));
  EXPECT_EQ(apply_to_greys({0, 100, 255}, AugmentOp::kInvert, 0), (Bytes{255, 155, 0}));
  // Magnitude 7: int(2.8) = 2, so 2 of 8 bits stay; magnitude 10 leaves none.
  EXPECT_EQ(apply_to_greys({63, 64, 200}, AugmentOp::kPosterize, 7), (Bytes{0, 64, 192}));
  EXPECT_EQ(apply_to_greys({63, 64, 200}, AugmentOp::kPosterize, 10), (Bytes{0, 0, 0}));
  // Magnitude 5: threshold 128, and 55 more for the dark half.
  EXPECT_EQ(apply_to_greys({127, 128, 255}, AugmentOp::kSolarize, 5), (Bytes{127, 127, 0}));
  EXPECT_EQ(apply_to_greys({0, 127, 128}, AugmentOp::kSolarizeAdd, 5), (Bytes{55, 182, 128}));
  // Magnitude 10: factors 1.9 and 0.1.
  EXPECT_EQ(apply_to_greys({10, 100, 200}, AugmentOp::kBrightness, 10), (Bytes{19, 190, 255}));
  EXPECT_EQ(apply_to_greys({11, 100, 200}, AugmentOp::kBrightness, 10, true), (Bytes{1, 10, 20}));
  // The mean level is 100: 50 = 100 + 0.1 (-50) is 95, and 100 + 1.9 (-50) is 5.
  EXPECT_EQ(apply_to_greys({50, 100, 150}, AugmentOp::kContrast, 10, true), (Bytes{95, 100, 105}));
  EXPECT_EQ(apply_to_greys({50, 100, 150}, AugmentOp::kContrast, 10), (Bytes{5, 100, 195}));
  // Grey has no colour to lose or to gain.
  EXPECT_EQ(apply_to_greys({50, 100, 150}, AugmentOp::kColor, 10), (Bytes{50, 100, 150}));
}

TEST(RandAugment, EqualizeSpreadsTwoLevelsApart) {
  // 510 pixels of level 10 before the last level: step 2, half a step first.
  Bytes greys(510, 10);
  greys.insert(greys.end(), 90, 20);
  const Bytes out = apply_to_greys(greys, AugmentOp::kEqualize, 0);
  EXPECT_EQ(out.front(), 0);
  EXPECT_EQ(out.back(), 255);
  // Too few pixels for a step: nothing to do.
  EXPECT_EQ(apply_to_greys({1, 2, 3}, AugmentOp::kEqualize, 0), (Bytes{1, 2, 3}));
}

TEST(RandAugment, SharpnessLooksAtTheNeighbours) {
  Bytes rgb(27, 0);
  std::fill_n(rgb.begin() + 12, 3, 130);  // the middle of 3 x 3
  const ClipShape shape{.frames = 1, .height = 3, .width = 3};
  // Smoothed: 5/13 of 130 is 50, and with factor 0.1 the middle becomes 50 + 0.1 * 80.
  Bytes expected(27, 0);
  std::fill_n(expected.begin() + 12, 3, 58);
  EXPECT_EQ(apply(shape, rgb, AugmentOp::kSharpness, 10, true), expected);
}

TEST(RandAugment, TranslationMovesWholePixelsAndFillsGrey) {
  Bytes greys(20);
  for (std::size_t i = 0; i < greys.size(); ++i) greys[i] = static_cast<std::uint8_t>(10 * i);
  // Magnitude 10: 0.45 of 20 pixels are 9, taken from the right.
  const Bytes out = apply_to_greys(greys, AugmentOp::kTranslateXRel, 10);
  for (std::size_t i = 0; i < 11; ++i) EXPECT_EQ(out[i], greys[i + 9]) << i;
  for (std::size_t i = 11; i < 20; ++i) EXPECT_EQ(out[i], 128) << i;
  const Bytes back = apply_to_greys(greys, AugmentOp::kTranslateXRel, 10, true);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(back[i], 128) << i;
  for (std::size_t i = 9; i < 20; ++i) EXPECT_EQ(back[i], greys[i - 9]) << i;
}

TEST(RandAugment, ShearMovesRowsApart) {
  // Magnitude 10: row y comes from x + 0.3 (y + 1/2): row 1 of a ramp of slope 10 is 4.5 brighter.
  const ClipShape shape{.frames = 1, .height = 2, .width = 8};
  Bytes rgb;
  for (int y = 0; y < 2; ++y) {
    for (int x = 0; x < 8; ++x) rgb.insert(rgb.end(), 3, static_cast<std::uint8_t>(20 + 10 * x));
  }
  const Bytes out = apply(shape, rgb, AugmentOp::kShearX, 10, false);
  for (std::size_t x = 2; x < 5; ++x) {
    EXPECT_NEAR(out[3 * x], 20 + 10 * static_cast<int>(x) + 1.5, 0.6) << x;
    EXPECT_NEAR(out[24 + 3 * x], 20 + 10 * static_cast<int>(x) + 4.5, 0.6) << x;
  }
}

TEST(RandAugment, RotationTurnsCounterClockwise) {
  // A bright spot right of the centre goes up.
  const ClipShape shape{.frames = 1, .height = 21, .width = 21};
  Bytes rgb(shape.bytes(), 0);
  const auto spot = [](int x, int y) { return static_cast<std::size_t>((y * 21 + x) * 3); };
  for (int y = 9; y <= 11; ++y) {
    for (int x = 17; x <= 19; ++x) std::fill_n(rgb.begin() + (y * 21 + x) * 3, 3, 200);
  }
  const Bytes out = apply(shape, rgb, AugmentOp::kRotate, 10, false);  // 30 degrees
  // 8 pixels right of the centre (10, 10): now 6.9 right and 4 up.
  EXPECT_GT(out[spot(17, 6)], 150);
  EXPECT_LT(out[spot(17, 14)], 50);
  EXPECT_EQ(out[spot(0, 0)], 128);  // a corner comes from outside
  EXPECT_GT(apply(shape, rgb, AugmentOp::kRotate, 10, true)[spot(17, 14)], 150);
}

TEST(RandAugment, ZeroMagnitudeChangesNothingWhereThatHolds) {
  const Bytes input = pictures();
  for (int i = 0; i < kAugmentOpCount; ++i) {
    const auto op = static_cast<AugmentOp>(i);
    const bool always_acts = op == AugmentOp::kAutoContrast || op == AugmentOp::kEqualize ||
                             op == AugmentOp::kInvert || op == AugmentOp::kPosterize;
    for (const bool negative : {false, true}) {
      const bool same = apply(kPictureShape, input, op, 0.0, negative) == input;
      EXPECT_EQ(same, !always_acts) << augment_op_name(op);
    }
  }
}

// An operation that needs the frame alone must treat each frame as if the others were not there.
TEST(RandAugment, EveryFrameIsTreatedAlike) {
  const Bytes both = pictures();
  const auto half = static_cast<std::ptrdiff_t>(kPictureShape.frame_bytes());
  const ClipShape one{.frames = 1, .height = kPictureShape.height, .width = kPictureShape.width};
  for (int i = 0; i < kAugmentOpCount; ++i) {
    const auto op = static_cast<AugmentOp>(i);
    const Bytes out = apply(kPictureShape, both, op, 6.6, true);
    const Bytes first = apply(one, Bytes(both.begin(), both.begin() + half), op, 6.6, true);
    const Bytes second = apply(one, Bytes(both.begin() + half, both.end()), op, 6.6, true);
    EXPECT_TRUE(std::equal(first.begin(), first.end(), out.begin())) << augment_op_name(op);
    EXPECT_TRUE(std::equal(second.begin(), second.end(), out.begin() + half))
        << augment_op_name(op);
  }
}

TEST(RandAugment, DrawsFollowTheOptions) {
  const RandAugmentOptions options;
  std::array<int, kAugmentOpCount> counts{};
  int applied = 0;
  int negative = 0;
  double sum = 0.0;
  double square = 0.0;
  constexpr int kClips = 6000;
  for (std::uint64_t seed = 0; seed < kClips; ++seed) {
    Rng rng(Rng::mix(11, seed));
    for (const AugmentStep& step : draw_rand_augment(options, rng)) {
      ++counts[static_cast<std::size_t>(step.op)];
      ++applied;
      negative += step.negative ? 1 : 0;
      sum += step.magnitude;
      square += (step.magnitude - 7.0) * (step.magnitude - 7.0);
      ASSERT_TRUE(step.magnitude >= 0.0 && step.magnitude <= 10.0);
    }
  }
  // Half of 4 per clip: 12000 expected, deviation 77.
  EXPECT_NEAR(applied, 2 * kClips, 400);
  EXPECT_NEAR(negative, applied / 2, 300);
  EXPECT_NEAR(sum / applied, 7.0, 0.03);
  EXPECT_NEAR(std::sqrt(square / applied), 0.5, 0.02);
  for (const int count : counts) EXPECT_NEAR(count, applied / kAugmentOpCount, 150);
}

TEST(RandAugment, SameSeedSameDrawAndOffIsOff) {
  const auto draw = [](std::uint64_t seed, const RandAugmentOptions& options) {
    Rng rng(seed);
    return draw_rand_augment(options, rng);
  };
  const auto a = draw(5, {.probability = 1.0});
  const auto b = draw(5, {.probability = 1.0});
  ASSERT_EQ(a.size(), 4U);
  ASSERT_EQ(b.size(), 4U);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].op, b[i].op);
    EXPECT_EQ(a[i].magnitude, b[i].magnitude);
    EXPECT_EQ(a[i].negative, b[i].negative);
  }
  EXPECT_TRUE(draw(5, {.ops = 0}).empty());
  EXPECT_TRUE(draw(5, {.probability = 0.0}).empty());
  for (const AugmentStep& step : draw(6, {.magnitude = 12.0, .magnitude_std = 0.0})) {
    EXPECT_EQ(step.magnitude, 10.0);
  }
}

}  // namespace
}  // namespace mien::learn::rand_augment_test
