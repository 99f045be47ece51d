// A mask against the true intensity, with figures worked by hand, and what reports say of it.
#include "report/mask_quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "report/html.h"
#include "report/xml_check.h"

namespace mien::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a model said of a clip, and the truth.
struct Example {
  std::vector<float> mask;
  std::vector<std::uint8_t> kept;
  std::vector<double> intensity;

  MaskView view() const { return {.mask = mask, .kept = kept, .intensity = intensity}; }
};

// Four slots of two places and two frames. Means of the intensity 0, 0.4, 0.975, 0.25, ranks 1 3 4
// 2; of the mask 0.1, 0.5, 0.4, 0.2, ranks 1 4 3 2: d^2 = 0 1 1 0, rho = 1 - 12 / 60 = 0.8. Four of
// eight tokens are kept, an even share is one. Apex: frames 4 and 5, in slot 2, which kept one.
const Example kFirst = {{0.1F, 0.1F, 0.4F, 0.6F, 0.5F, 0.3F, 0.25F, 0.15F},
                        {0, 0, 1, 1, 1, 0, 1, 0},
                        {0, 0, 0.2, 0.6, 1, 0.95, 0.5, 0}};

// Means of the intensity 0.475, 0.95, 0, 0, ranks 3 4 1.5 1.5; of the mask 0.2, 0.1, 0.4, 0.3,
// ranks 2 1 4 3. Less 2.5: products -0.25 - 2.25 - 1.5 - 0.5 = -4.5, squares 4.5 and 5: rho =
// -sqrt(0.9). Apex: frame 1 in slot 0, which kept one, and frames 2 and 3 in slot 1, which kept
// none.
const Example kSecond = {{0.2F, 0.2F, 0.1F, 0.1F, 0.4F, 0.4F, 0.3F, 0.3F},
                         {1, 0, 0, 0, 1, 1, 1, 0},
                         {0, 0.95, 1, 0.9, 0, 0, 0, 0}};

Status add(MaskScores& scores, const Example& example, double peak = 1.0) {
  const MaskView view = example.view();
  return scores.add({&view, 1}, 4, peak);
}

TEST(ChanceOfKeeping, HandWorked) {
  // Of 8 tokens 4 are kept; a slot of 2 has none of them in C(6,4) of C(8,4) draws: 15 of 70; and
  // both in C(6,2).
  EXPECT_NEAR(chance_of_keeping(8, 4, 2, 1), 55.0 / 70, 1e-12);
  EXPECT_NEAR(chance_of_keeping(8, 4, 2, 2), 15.0 / 70, 1e-12);
  EXPECT_EQ(chance_of_keeping(8, 4, 2, 0), 1.0);
  EXPECT_EQ(chance_of_keeping(8, 4, 2, 3), 0.0);
  EXPECT_EQ(chance_of_keeping(8, 8, 2, 2), 1.0);
  // 7 of 8: a slot of 2 has both unless the one left out is of it.
  EXPECT_NEAR(chance_of_keeping(8, 7, 2, 2), 0.75, 1e-12);
  // By exact integers: sum over x >= 13 of C(49,x) C(343,98-x) / C(392,98).
  EXPECT_NEAR(chance_of_keeping(392, 98, 49, 13), 0.4561448761502338, 1e-9);
  // Sizes whose binomials no double holds: about one half.
  EXPECT_NEAR(chance_of_keeping(200000, 80000, 25000, 10000), 0.5, 0.01);
}

TEST(MaskScores, HandWorkedClips) {
  MaskScores scores;
  ASSERT_TRUE(add(scores, kFirst).ok());
  const MaskQuality one = scores.quality();
  EXPECT_EQ(one.clips, 1);
  EXPECT_EQ(one.apex_frames, 2);
  EXPECT_NEAR(one.rank_correlation, 0.8, 1e-12);
  EXPECT_EQ(one.apex_kept, 1.0);
  EXPECT_NEAR(one.apex_kept_random, 55.0 / 70, 1e-12);
  ASSERT_TRUE(add(scores, kSecond).ok());
  const MaskQuality two = scores.quality();
  EXPECT_EQ(two.clips, 2);
  EXPECT_EQ(two.apex_frames, 5);
  EXPECT_NEAR(two.rank_correlation, (0.8 - std::sqrt(0.9)) / 2, 1e-12);
  EXPECT_NEAR(two.apex_kept, 3.0 / 5, 1e-12);
  EXPECT_NEAR(two.apex_kept_random, 55.0 / 70, 1e-12);
}

// What a mask finds that the same mask for every clip would find as well.
TEST(MaskScores, PlaceAloneIsTheMeanMaskOfAllClips) {
  MaskScores scores;
  ASSERT_TRUE(add(scores, kFirst).ok());
  EXPECT_NEAR(scores.quality().rank_correlation_place, 0.8, 1e-12);  // its own mask
  ASSERT_TRUE(add(scores, kSecond).ok());
  // Sums of the masks 0.3, 0.6, 0.8, 0.5, ranks 1 3 4 2: those of the first clip's truth, 1. Of the
  // second's, 3 4 1.5 1.5, less 2.5: -0.75 + 0.75 - 1.5 + 0.5 = -1, squares 5 and 4.5.
  EXPECT_NEAR(scores.quality().rank_correlation_place, (1 - 1 / std::sqrt(22.5)) / 2, 1e-12);
  EXPECT_TRUE(std::isnan(MaskScores().quality().rank_correlation_place));
  const MaskView view = kFirst.view();
  EXPECT_FALSE(scores.add({&view, 1}, 2, 1.0).ok());  // other slots than before
}

TEST(MaskScores, OneTokenIsNoShare) {
  // Six of eight are kept, an even share is 1.5: slot 2, the apex, has only one.
  Example most = kFirst;
  most.kept = {1, 1, 1, 1, 1, 0, 1, 0};
  MaskScores scores;
  ASSERT_TRUE(add(scores, most).ok());
  EXPECT_EQ(scores.quality().apex_kept, 0.0);
  EXPECT_NEAR(scores.quality().apex_kept_random, 15.0 / 28, 1e-12);  // C(6,4) / C(8,6)
  Example all = kSecond;
  all.kept.assign(8, 1);
  MaskScores whole;
  ASSERT_TRUE(add(whole, all).ok());
  EXPECT_EQ(whole.quality().apex_kept, 1.0);
  EXPECT_EQ(whole.quality().apex_kept_random, 1.0);
}

TEST(MaskScores, TheApexIsMeasuredByTheClipsPeak) {
  Example weak = kFirst;
  // 0.72 is 0.9 times 0.8, though not in doubles.
  weak.intensity = {0, 0, 0.2, 0.6, 0.8, 0.72, 0.5, 0};
  MaskScores scores;
  ASSERT_TRUE(add(scores, weak, 0.8).ok());
  EXPECT_EQ(scores.quality().apex_frames, 2);
  // The peak lies in a part of the clip that this view has not: no apex in it.
  MaskScores elsewhere;
  ASSERT_TRUE(add(elsewhere, weak, 1.0).ok());
  EXPECT_EQ(elsewhere.quality().clips, 1);
  EXPECT_EQ(elsewhere.quality().apex_frames, 0);
  EXPECT_TRUE(std::isnan(elsewhere.quality().apex_kept));
  EXPECT_TRUE(std::isnan(elsewhere.quality().apex_kept_random));
}

TEST(MaskScores, TheViewsOfAClipAreOneClip) {
  const std::vector<MaskView> views = {kFirst.view(), kSecond.view()};
  MaskScores scores;
  ASSERT_TRUE(scores.add(views, 4, 1.0).ok());
  ASSERT_TRUE(add(scores, kFirst).ok());
  const MaskQuality quality = scores.quality();
  EXPECT_EQ(quality.clips, 2);
  EXPECT_EQ(quality.apex_frames, 7);
  EXPECT_NEAR(quality.rank_correlation, ((0.8 - std::sqrt(0.9)) / 2 + 0.8) / 2, 1e-12);
  EXPECT_NEAR(quality.apex_kept, 5.0 / 7, 1e-12);
}

TEST(MaskScores, WhatHasNoOrder) {
  MaskScores scores;
  Example neutral = kFirst;
  neutral.intensity.assign(8, 0.0);
  ASSERT_TRUE(add(scores, neutral, 0.0).ok());
  EXPECT_EQ(scores.quality().clips, 0);
  EXPECT_TRUE(std::isnan(scores.quality().rank_correlation));
  // A flat mask has found nothing.
  Example flat = kFirst;
  flat.mask.assign(8, 0.5F);
  ASSERT_TRUE(add(scores, flat).ok());
  EXPECT_EQ(scores.quality().clips, 1);
  EXPECT_EQ(scores.quality().rank_correlation, 0.0);
}

TEST(MaskScores, RefusesWhatDoesNotFit) {
  const auto accepted = [](const Example& example, std::size_t slots = 4) {
    MaskScores scores;
    const MaskView view = example.view();
    const Status status = scores.add({&view, 1}, slots, 1.0);
    EXPECT_EQ(scores.quality().clips, status.ok() ? 1 : 0);
    return status.ok() || status.error().code == ErrorCode::kInvalidArgument ? status.ok() : true;
  };
  EXPECT_TRUE(accepted(kFirst));
  EXPECT_FALSE(accepted(kFirst, 3));
  EXPECT_FALSE(accepted(kFirst, 1));
  EXPECT_FALSE(accepted(kFirst, 0));
  Example broken = kFirst;
  broken.kept.pop_back();
  EXPECT_FALSE(accepted(broken));
  broken = kFirst;
  broken.kept.assign(8, 0);
  EXPECT_FALSE(accepted(broken));
  broken = kFirst;
  broken.intensity.pop_back();
  EXPECT_FALSE(accepted(broken));
  broken = kFirst;
  broken.intensity.clear();
  EXPECT_FALSE(accepted(broken));
  broken = kFirst;
  broken.mask[3] = std::nanf("");
  EXPECT_FALSE(accepted(broken));
}

EvalReport small_report() {
  ScoreTable table;
  table.classes = {"anger", "neutral"};
  table.clips.push_back({"a", 1, 0, {0.75F, 0.25F}, 2});
  const auto made = make_report(std::move(table), *find_protocol("single"));
  EXPECT_TRUE(made.ok()) << made.error().to_string();
  return *made;
}

TEST(MaskQuality, IsPartOfTheReportWhenItIsKnown) {
  EvalReport report = small_report();
  EXPECT_FALSE(nlohmann::json::parse(report_json(report)).contains("mask"));
  EXPECT_THAT(*report_html(report), Not(HasSubstr("Soft mask")));
  MaskScores scores;
  ASSERT_TRUE(add(scores, kFirst).ok());
  ASSERT_TRUE(add(scores, kSecond).ok());
  report.mask = scores.quality();
  const auto mask = nlohmann::json::parse(report_json(report))["mask"];
  EXPECT_EQ(mask.size(), 5U);
  EXPECT_EQ(mask["clips"], 2);
  EXPECT_NEAR(mask["rank_correlation"].get<double>(), -0.074342, 1e-9);
  EXPECT_NEAR(mask["apex_kept"].get<double>(), 0.6, 1e-9);
  EXPECT_NEAR(mask["apex_kept_random"].get<double>(), 0.785714, 1e-9);
  const auto html = report_html(report);
  ASSERT_TRUE(html.ok());
  EXPECT_EQ(XmlCheck::fault(*html), "");
  EXPECT_THAT(*html, HasSubstr("Soft mask"));
  EXPECT_THAT(*html, HasSubstr("-0.074"));
  EXPECT_THAT(*html, HasSubstr("60.00"));
  EXPECT_THAT(*html, HasSubstr("78.57"));
  // Without an apex frame there are no shares.
  report.mask = MaskQuality{.clips = 1, .rank_correlation = 0.5};
  EXPECT_TRUE(nlohmann::json::parse(report_json(report))["mask"]["apex_kept"].is_null());
}

}  // namespace
}  // namespace mien::report
