// Which tokens a hard mask hides, and what is to be rebuilt of them.
#include "learn/models/hard_mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "learn/losses/cube_targets.h"

namespace mien::learn::hard_mask_test {
namespace {

using torch::Tensor;

core::VideoMaeConfig config_of(int side, int frames) {
  core::VideoMaeConfig config;
  config.img_size = side * 4;
  config.patch_size = 4;
  config.num_frames = frames;
  return config;
}

std::vector<std::int64_t> numbers(const Tensor& row) {
  const Tensor flat = row.contiguous();
  return {flat.data_ptr<std::int64_t>(), flat.data_ptr<std::int64_t>() + flat.numel()};
}

TEST(HardMask, CountsAsTheOfficialCode) {
  const core::VideoMaeConfig paper = config_of(10, 16);  // 8 slots of 100 places
  EXPECT_EQ(hidden_tokens(HardMaskKind::kTube, 0.9, paper), 90 * 8);
  EXPECT_EQ(hidden_tokens(HardMaskKind::kTube, 0.755, paper), 75 * 8);
  EXPECT_EQ(hidden_tokens(HardMaskKind::kRandom, 0.755, paper), 604);
  EXPECT_EQ(hidden_tokens(HardMaskKind::kFrame, 0.4, paper), 3 * 100);
  EXPECT_EQ(hidden_tokens(HardMaskKind::kFrame, 0.999, paper), 7 * 100);
  EXPECT_EQ(hidden_tokens(HardMaskKind::kFrame, 0.1, paper), 0);
  const core::VideoMaeConfig golden = config_of(4, 16);
  EXPECT_EQ(hidden_tokens(HardMaskKind::kTube, 0.75, golden), 12 * 8);
}

TEST(HardMask, VisibleAndHiddenAreAllTokensOnce) {
  const core::VideoMaeConfig config = config_of(3, 8);  // 4 slots of 9 places
  for (const auto kind : {HardMaskKind::kTube, HardMaskKind::kRandom, HardMaskKind::kFrame}) {
    const HardMask mask = draw_hard_mask(kind, 0.5, config, 5, 17);
    const std::int64_t hidden = hidden_tokens(kind, 0.5, config);
    ASSERT_EQ(mask.hidden.sizes(), (std::vector<std::int64_t>{5, hidden}));
    ASSERT_EQ(mask.visible.sizes(), (std::vector<std::int64_t>{5, 36 - hidden}));
    for (std::int64_t clip = 0; clip < 5; ++clip) {
      std::set<std::int64_t> all;
      for (const Tensor& part : {mask.visible[clip], mask.hidden[clip]}) {
        const std::vector<std::int64_t> tokens = numbers(part);
        EXPECT_TRUE(std::is_sorted(tokens.begin(), tokens.end()));
        for (const std::int64_t token : tokens) EXPECT_TRUE(all.insert(token).second) << token;
      }
      EXPECT_EQ(all.size(), 36U);
      EXPECT_EQ(*all.begin(), 0);
      EXPECT_EQ(*all.rbegin(), 35);
    }
  }
}

TEST(HardMask, TubesGoThroughAllSlotsAndFramesTakeWholeOnes) {
  const core::VideoMaeConfig config = config_of(3, 8);
  const HardMask tube = draw_hard_mask(HardMaskKind::kTube, 0.5, config, 3, 1);
  const HardMask frame = draw_hard_mask(HardMaskKind::kFrame, 0.5, config, 3, 1);
  for (std::int64_t clip = 0; clip < 3; ++clip) {
    std::set<std::int64_t> places;
    for (const std::int64_t token : numbers(tube.hidden[clip])) places.insert(token % 9);
    EXPECT_EQ(places.size(), 4U);  // and 16 tokens: each place in each of the four slots
    std::set<std::int64_t> slots;
    for (const std::int64_t token : numbers(frame.hidden[clip])) slots.insert(token / 9);
    EXPECT_EQ(slots.size(), 2U);  // and 18 tokens
  }
}

TEST(HardMask, IsAFunctionOfItsSeed) {
  const core::VideoMaeConfig config = config_of(7, 16);
  const auto draw = [&](std::int64_t clips, std::uint64_t seed) {
    return draw_hard_mask(HardMaskKind::kRandom, 0.5, config, clips, seed).hidden;
  };
  EXPECT_TRUE(torch::equal(draw(4, 5), draw(4, 5)));
  EXPECT_FALSE(torch::equal(draw(4, 5), draw(4, 6)));
  // Clip k's does not depend on how many there are, and differs from its neighbour's.
  EXPECT_TRUE(torch::equal(draw(4, 5).narrow(0, 0, 2), draw(2, 5)));
  EXPECT_FALSE(torch::equal(draw(2, 5)[0], draw(2, 5)[1]));
}

TEST(HardMask, HidesEveryPlaceAlikeOften) {
  const core::VideoMaeConfig config = config_of(2, 2);  // one slot of four places
  constexpr std::int64_t kClips = 4000;
  const Tensor hidden = draw_hard_mask(HardMaskKind::kTube, 0.5, config, kClips, 3).hidden;
  for (std::int64_t place = 0; place < 4; ++place) {
    const double share = hidden.eq(place).sum().item<double>() / kClips;
    EXPECT_NEAR(share, 0.5, 0.04) << place;  // five deviations
  }
}

TEST(HardMask, NamesAreKnownOrRefused) {
  EXPECT_EQ(hard_mask_kind("tube").value(), HardMaskKind::kTube);
  EXPECT_EQ(hard_mask_kind("random").value(), HardMaskKind::kRandom);
  EXPECT_EQ(hard_mask_kind("frame").value(), HardMaskKind::kFrame);
  EXPECT_EQ(hard_mask_kind("tubes").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(cube_target("norm_pix").value(), CubeTarget::kNormPix);
  EXPECT_EQ(cube_target("raw").value(), CubeTarget::kRaw);
  EXPECT_EQ(cube_target("frame_diff").value(), CubeTarget::kFrameDiff);
  EXPECT_EQ(cube_target("pixels").error().code, ErrorCode::kInvalidArgument);
}

TEST(TakeTokens, OfATableAndOfClips) {
  const Tensor which = torch::tensor({{2, 0}, {1, 1}}, torch::kLong);
  const Tensor table = torch::arange(6, torch::kFloat).view({3, 2});
  const Tensor expected = torch::tensor({4.0F, 5.0F, 0.0F, 1.0F, 2.0F, 3.0F, 2.0F, 3.0F});
  EXPECT_TRUE(torch::equal(take_tokens(table, which), expected.view({2, 2, 2})));
  const Tensor clips = torch::stack({table, table + 10.0});
  const Tensor second = torch::tensor({12.0F, 13.0F, 12.0F, 13.0F}).view({2, 2});
  EXPECT_TRUE(torch::equal(take_tokens(clips, which)[1], second));
}

// Two frames of 4x4 pixels in two channels, cubes of 2x2x2: four of them.
struct CubeCase {
  core::VideoMaeConfig config = [] {
    core::VideoMaeConfig c;
    c.img_size = 4;
    c.patch_size = 2;
    c.tubelet_size = 2;
    c.num_frames = 2;
    c.in_chans = 2;
    return c;
  }();
  core::InputNorm input{.mean = {0.5F, 0.25F, 0.0F}, .std = {0.5F, 0.25F, 1.0F}};
  // Pixels in 0..1: value = (32 c + 16 t + 4 y + x) / 64.
  Tensor pixels = torch::arange(64, torch::kFloat).view({1, 2, 2, 4, 4}) / 64.0;
  Tensor clips = (pixels - torch::tensor({0.5F, 0.25F}).view({1, 2, 1, 1, 1})) /
                 torch::tensor({0.5F, 0.25F}).view({1, 2, 1, 1, 1});
  Tensor last = torch::tensor({3}, torch::kLong).view({1, 1});

  Tensor targets(CubeTarget kind) const { return cube_targets(clips, last, config, input, kind); }
};

TEST(CubeTargets, RawPixelsInTheOfficialOrder) {
  // The cube at the lower right: rows 2 and 3, columns 2 and 3; channels go fastest.
  std::vector<float> expected;
  for (int t = 0; t < 2; ++t) {
    for (int y = 2; y < 4; ++y) {
      for (int x = 2; x < 4; ++x) {
        for (int c = 0; c < 2; ++c) {
          expected.push_back(static_cast<float>(32 * c + 16 * t + 4 * y + x) / 64.0F);
        }
      }
    }
  }
  const Tensor raw = CubeCase().targets(CubeTarget::kRaw);
  ASSERT_EQ(raw.sizes(), (std::vector<std::int64_t>{1, 1, 16}));
  EXPECT_TRUE(torch::allclose(raw.view({-1}), torch::tensor(expected), 1e-5, 1e-6));
}

TEST(CubeTargets, NormedPerCubeAndChannel) {
  const CubeCase c{};
  const Tensor raw = c.targets(CubeTarget::kRaw).view({8, 2});
  const Tensor normed = c.targets(CubeTarget::kNormPix).view({8, 2});
  for (std::int64_t channel = 0; channel < 2; ++channel) {
    const Tensor values = raw.select(1, channel);
    const Tensor expected = (values - values.mean()) / (values.std() + 1e-6);  // unbiased
    EXPECT_TRUE(torch::allclose(normed.select(1, channel), expected, 1e-4, 1e-5)) << channel;
  }
  const Tensor frames = normed.view({2, 4, 2});
  const Tensor difference = c.targets(CubeTarget::kFrameDiff).view({2, 4, 2});
  EXPECT_TRUE(torch::equal(difference[0], frames[0]));
  EXPECT_TRUE(torch::allclose(difference[1], frames[1] - frames[0], 1e-4, 1e-5));
}

TEST(CubeTargets, AFlatCubeIsNothing) {
  CubeCase c;
  c.clips = torch::full({1, 2, 2, 4, 4}, 0.3F);
  EXPECT_LT(c.targets(CubeTarget::kNormPix).abs().max().item<double>(), 1e-1);
  EXPECT_TRUE(torch::isfinite(c.targets(CubeTarget::kFrameDiff)).all().item<bool>());
}

TEST(CubeTargets, LossIsTheMeanSquare) {
  const Tensor rebuilt = torch::tensor({1.0F, 2.0F, 3.0F});
  EXPECT_FLOAT_EQ(cube_loss(rebuilt, torch::tensor({1.0F, 0.0F, 0.0F})).item<float>(), 13.0F / 3);
}

}  // namespace
}  // namespace mien::learn::hard_mask_test
