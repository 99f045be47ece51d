// The drawn face's points: what each action unit moves, symmetry, pose.
#include "media/face_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/rng.h"
#include "media/expression_recipes.h"
#include "media/face_drawing.h"
#include "media/face_surface.h"

namespace mien::media::test {
namespace {

// How far a fully pulled unit moves a point of the average face: x to the right, y down.
struct Pulled {
  FaceShape rest, now;
  double dx(std::size_t point) const { return now[point].x - rest[point].x; }
  double dy(std::size_t point) const { return now[point].y - rest[point].y; }
  double opening(const FaceShape& s) const { return s[41].y + s[40].y - s[37].y - s[38].y; }
  double mouth_width(const FaceShape& s) const { return s[54].x - s[48].x; }
  double lip_gap(const FaceShape& s) const { return s[66].y - s[62].y; }
};

Pulled pull(double ActionUnits::*unit, double strength = 1) {
  ActionUnits units;
  const FaceShape rest = face_shape(FaceLook{}, units);
  units.*unit = strength;
  return {rest, face_shape(FaceLook{}, units)};
}

TEST(FaceModelTest, BrowUnits) {
  const Pulled au1 = pull(&ActionUnits::au1), au2 = pull(&ActionUnits::au2),
               au4 = pull(&ActionUnits::au4);
  EXPECT_LT(au1.dy(21), -0.1);
  EXPECT_LT(au1.dy(22), -0.1);
  EXPECT_GT(au1.dy(17), -0.02);
  EXPECT_LT(au2.dy(18), -0.1);
  EXPECT_LT(au2.dy(25), -0.1);
  EXPECT_GT(au2.dy(21), -0.02);
  EXPECT_GT(au4.dy(21), 0.1);
  EXPECT_GT(au4.dy(22), 0.1);
  EXPECT_GT(au4.dx(21), 0.05);  // together
  EXPECT_LT(au4.dx(22), -0.05);
}

TEST(FaceModelTest, LidUnits) {
  const Pulled au5 = pull(&ActionUnits::au5), au6 = pull(&ActionUnits::au6),
               au7 = pull(&ActionUnits::au7), blink = pull(&ActionUnits::blink);
  EXPECT_GT(au5.opening(au5.now), 1.3 * au5.opening(au5.rest));
  EXPECT_LT(au5.dy(37), -0.03);
  EXPECT_LT(au6.dy(41), -0.02);  // the cheek pushes the lower lid
  EXPECT_LT(au7.opening(au7.now), 0.75 * au7.opening(au7.rest));
  EXPECT_LT(blink.opening(blink.now), 0.2 * blink.opening(blink.rest));
  EXPECT_GT(blink.opening(blink.now), 0);
}

TEST(FaceModelTest, NoseAndMouthUnits) {
  const Pulled au9 = pull(&ActionUnits::au9), au12 = pull(&ActionUnits::au12),
               au15 = pull(&ActionUnits::au15), au20 = pull(&ActionUnits::au20),
               au23 = pull(&ActionUnits::au23), au25 = pull(&ActionUnits::au25),
               au26 = pull(&ActionUnits::au26);
  for (const std::size_t ala : {31, 35}) EXPECT_LT(au9.dy(ala), -0.04);
  EXPECT_LT(au9.dy(51), -0.05);
  for (const std::size_t corner : {48, 54}) {
    EXPECT_LT(au12.dy(corner), -0.1);
    EXPECT_GT(au15.dy(corner), 0.08);
  }
  EXPECT_GT(au12.mouth_width(au12.now), 1.2 * au12.mouth_width(au12.rest));
  EXPECT_GT(au20.mouth_width(au20.now), 1.2 * au20.mouth_width(au20.rest));
  EXPECT_LT(std::abs(au20.dy(48)), 0.05);
  EXPECT_GT(au23.dy(51), 0.02);  // the red gets narrower
  EXPECT_LT(au23.dy(57), -0.02);
  EXPECT_GT(au25.lip_gap(au25.now), au25.lip_gap(au25.rest) + 0.08);
  EXPECT_NEAR(au25.dy(8), 0, 1e-9);  // the jaw stays
  EXPECT_GT(au26.dy(8), 0.2);
  EXPECT_GT(au26.lip_gap(au26.now), au26.lip_gap(au26.rest) + 0.15);
}

TEST(FaceModelTest, HalfAUnitMovesHalfAsFar) {
  EXPECT_NEAR(pull(&ActionUnits::au12, 0.5).dy(48), pull(&ActionUnits::au12).dy(48) / 2, 1e-9);
}

TEST(FaceModelTest, ContemptIsOneSided) {
  ActionUnits units;
  units.au12 = 1;
  units.side = 1;
  const FaceShape rest = face_shape(FaceLook{}, ActionUnits{}), now = face_shape(FaceLook{}, units);
  EXPECT_LT(now[54].y, rest[54].y - 0.1);
  EXPECT_NEAR(now[48].y, rest[48].y, 1e-9);
}

TEST(FaceModelTest, LidsAndLipsNeverCross) {
  core::Rng rng(8);
  for (int round = 0; round < 500; ++round) {
    ActionUnits units;
    for (const ActionUnitField& unit : kActionUnits) {
      units.*unit.value = rng.chance(0.4) ? rng.uniform() : 0;
    }
    units.blink = rng.chance(0.3) ? rng.uniform() : 0;
    const FaceShape s = face_shape(random_look(rng), units);
    for (const auto& [upper, lower] : {std::pair<std::size_t, std::size_t>{37, 41},
                                       {38, 40},
                                       {43, 47},
                                       {44, 46},
                                       {61, 67},
                                       {62, 66},
                                       {63, 65},
                                       {50, 61},
                                       {51, 62},
                                       {67, 58},
                                       {66, 57},
                                       {57, 8},
                                       {33, 51}}) {
      EXPECT_LT(s[upper].y, s[lower].y) << upper << " " << lower << " round " << round;
    }
  }
}

TEST(FaceModelTest, MirrorPairsAreMutual) {
  for (std::size_t i = 0; i < 68; ++i) EXPECT_EQ(mirror_point(mirror_point(i)), i);
  EXPECT_EQ(mirror_point(0), 16U);
  EXPECT_EQ(mirror_point(36), 45U);
  EXPECT_EQ(mirror_point(30), 30U);
  EXPECT_EQ(mirror_point(60), 64U);
}

TEST(FaceModelTest, SeenStraightTheFaceIsSymmetric) {
  core::Rng rng(3);
  for (int round = 0; round < 20; ++round) {
    const FaceLook look = random_look(rng);
    ActionUnits units;
    for (const ActionUnitField& unit : kActionUnits) units.*unit.value = rng.uniform();
    const HeadPose pose;
    const Landmarks points = face_landmarks(look, units, pose);
    for (std::size_t i = 0; i < 68; ++i) {
      const std::size_t m = mirror_point(i);
      EXPECT_NEAR(points.xy[2 * i] + points.xy[2 * m], 2 * pose.x, 0.01) << i;
      EXPECT_NEAR(points.xy[2 * i + 1], points.xy[2 * m + 1], 0.01) << i;
    }
  }
}

TEST(FaceModelTest, PoseTurnsTheHead) {
  const auto points = [](double yaw, double pitch, double roll) {
    HeadPose pose;
    pose.yaw = yaw, pose.pitch = pitch, pose.roll = roll;
    return face_landmarks(FaceLook{}, ActionUnits{}, pose).xy;
  };
  const auto straight = points(0, 0, 0), right = points(20, 0, 0), up = points(0, 15, 0),
             tilted = points(0, 0, 10);
  // The nose's tip stands out, so it leads; the far half gets narrower.
  const auto nose_to_eyes = [](const auto& p) { return p[60] - (p[72] + p[90]) / 2; };
  EXPECT_GT(nose_to_eyes(right), nose_to_eyes(straight) + 3);
  EXPECT_LT(right[90] - right[60], right[60] - right[72]);
  EXPECT_LT(up[61] - (up[73] + up[91]) / 2, straight[61] - (straight[73] + straight[91]) / 2 - 2);
  EXPECT_GT(tilted[91], tilted[73] + 5);  // clockwise: the right eye sinks
  // The outline on the far side never lies inside the eye's corner.
  EXPECT_GT(right[32], right[90] + 3);
}

TEST(ExpressionTest, RecipesPullTheirUnits) {
  core::Rng rng(4);
  for (int round = 0; round < 20; ++round) {
    const ActionUnits happy = random_apex("happiness", rng);
    EXPECT_GT(happy.au12, 0.5);
    EXPECT_GT(happy.au6, 0.5);
    EXPECT_EQ(happy.au4 + happy.au15, 0);
    const ActionUnits surprise = random_apex("surprise", rng);
    EXPECT_GT(std::min({surprise.au1, surprise.au2, surprise.au5, surprise.au26}), 0.4);
    const ActionUnits sad = random_apex("sadness", rng);
    EXPECT_GT(std::min({sad.au1, sad.au4, sad.au15}), 0.3);
    const ActionUnits angry = random_apex("anger", rng);
    EXPECT_GT(std::min({angry.au4, angry.au7, angry.au23}), 0.4);
    EXPECT_GT(random_apex("disgust", rng).au9, 0.5);
    const ActionUnits afraid = random_apex("fear", rng);
    EXPECT_GT(std::min({afraid.au1, afraid.au4, afraid.au5, afraid.au20, afraid.au25}), 0.3);
    const ActionUnits contempt = random_apex("contempt", rng);
    EXPECT_EQ(std::abs(contempt.side), 1);
    const ActionUnits neutral = random_apex("neutral", rng);
    for (const ActionUnitField& unit : kActionUnits) EXPECT_EQ(neutral.*unit.value, 0);
  }
}

TEST(ExpressionTest, RisesStaysAndFalls) {
  core::Rng rng(6);
  for (int round = 0; round < 50; ++round) {
    const Timeline t = random_timeline(rng);
    EXPECT_EQ(intensity_at(t, 0), 0);
    EXPECT_NEAR(intensity_at(t, 0.5), t.strength, 1e-9);
    EXPECT_LT(intensity_at(t, (t.onset + t.apex) / 2), t.strength);
    EXPECT_GT(intensity_at(t, (t.onset + t.apex) / 2), 0);
    EXPECT_NEAR(intensity_at(t, t.end), 0, 1e-9);
  }
}

TEST(ExpressionTest, PointsStayInsideTheFrame) {
  // As synth_faces places heads: the largest, the most turned.
  HeadPose home;
  home.scale = 256 * 0.225;
  home.x = 256 * 0.55, home.y = 256 * 0.54;
  home.yaw = 14, home.pitch = -6, home.roll = 6;
  std::uint64_t seed = 0;
  for (const std::string_view name : expression_names()) {
    for (int round = 0; round < 4; ++round) {
      core::Rng rng(++seed);
      const FaceLook look = random_look(rng);
      const Performance performance(name, home, 2.0, seed);
      for (int frame = 0; frame < 20; ++frame) {
        const Performance::Moment now = performance.at(frame * 0.1);
        for (const float v : face_landmarks(look, now.units, now.pose).xy) {
          EXPECT_GE(v, 0);
          EXPECT_LE(v, 256);
        }
      }
    }
  }
}

}  // namespace
}  // namespace mien::media::test
