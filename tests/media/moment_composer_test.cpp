// Moments in memory: what can be seen when, how faces are laid on each other, which classes come.
#include "media/moment_composer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "drawn_stills.h"
#include "support.h"

namespace mien::media::test {
namespace {

// Stripes of 12 pixels' period: along y for neutral pictures, along x for the others.
std::vector<std::uint8_t> stripes(bool upright) {
  std::vector<std::uint8_t> out;
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 48; ++x) out.push_back((upright ? x : y) % 12 < 6 ? 90 : 160);
  }
  return out;
}

MomentStills striped_stills() {
  MomentStills stills;
  stills.classes = {"neutral", "happiness", "surprise"};
  for (int i = 0; i < 9; ++i) {
    MomentStill still;
    still.name = "s" + std::to_string(i);
    still.person = still.name;
    still.label = i % 3;
    stills.add(still, 48, 48, stripes(still.label != 0));
  }
  return stills;
}

// The part of a frame's change that runs along x.
double upright_share(const Moment& moment, std::size_t frame, int size) {
  const auto at = [&](int x, int y) {
    const std::size_t index = static_cast<std::size_t>(y * size + x);
    return static_cast<double>(
        moment.frames[frame * static_cast<std::size_t>(size * size) + index]);
  };
  double along_x = 0;
  double along_y = 0;
  for (int y = 0; y + 4 < size; ++y) {
    for (int x = 0; x + 4 < size; ++x) {
      along_x += std::pow(at(x + 4, y) - at(x, y), 2);
      along_y += std::pow(at(x, y + 4) - at(x, y), 2);
    }
  }
  return along_x / (along_x + along_y);
}

TEST(MomentComposer, TheExpressionIsSeenDuringItsMomentOnly) {
  const auto composer = MomentComposer::create(striped_stills(), {.seed = 7});
  ASSERT_TRUE(composer.ok()) << composer.error().to_string();
  int seen = 0;
  for (std::uint64_t k = 0; k < 40; ++k) {
    const Moment moment = composer->compose(k);
    ASSERT_EQ(moment.frames.size(), 16U * 112 * 112);
    for (std::size_t t = 0; t < 16; ++t) {
      if (moment.occluded[t] != 0) continue;
      const double share = upright_share(moment, t, 112);
      if (moment.intensity[t] >= 0.75F) {
        EXPECT_GT(share, 0.5) << "clip " << k << " frame " << t;
        ++seen;
      } else if (!(moment.intensity[t] > 0.0F) && !(moment.distractor[t] > 0.0F)) {
        EXPECT_LT(share, 0.5) << "clip " << k << " frame " << t;
      }
    }
  }
  EXPECT_GT(seen, 40);
}

TEST(MomentComposer, TruthFitsTheClip) {
  const auto composer =
      MomentComposer::create(striped_stills(), {.frames = 12, .size = 32, .even_share = 1.0});
  ASSERT_TRUE(composer.ok());
  for (std::uint64_t k = 0; k < 60; ++k) {
    const Moment moment = composer->compose(k);
    ASSERT_EQ(moment.intensity.size(), 12U);
    ASSERT_EQ(moment.occluded.size(), 12U);
    ASSERT_EQ(moment.distractor.size(), 12U);
    const float peak = *std::max_element(moment.intensity.begin(), moment.intensity.end());
    EXPECT_EQ(peak > 0.0F, moment.label != composer->neutral()) << k;
    bool open_apex = moment.label == composer->neutral();
    for (std::size_t t = 0; t < 12; ++t) {
      EXPECT_GE(moment.intensity[t], 0.0F);
      EXPECT_LE(moment.intensity[t], 1.0F);
      EXPECT_FALSE(moment.intensity[t] > 0.0F && moment.distractor[t] > 0.0F);
      const bool at_peak = moment.intensity[t] >= peak;
      open_apex = open_apex || (at_peak && moment.occluded[t] == 0);
    }
    EXPECT_TRUE(open_apex) << k;
    EXPECT_FALSE(moment.person.empty());
  }
}

// What arises may have begun before the clip, outlast it or fill it.
TEST(MomentComposer, AClipOfALongerMomentShowsItsPeakAnywhere) {
  const auto composer = MomentComposer::create(
      striped_stills(), {.seed = 5, .frames = 8, .size = 16, .span = 24, .even_share = 1.0});
  ASSERT_TRUE(composer.ok()) << composer.error().to_string();
  int begun_before = 0;
  int outlasts = 0;
  int fills = 0;
  for (std::uint64_t k = 0; k < 200; ++k) {
    const Moment moment = composer->compose(k);
    ASSERT_EQ(moment.intensity.size(), 8U);
    ASSERT_EQ(moment.frames.size(), 8U * 16 * 16);
    if (moment.label == composer->neutral()) continue;
    const float peak = *std::max_element(moment.intensity.begin(), moment.intensity.end());
    EXPECT_GE(peak, 0.75F) << k;  // the weakest peak
    const float first = moment.intensity.front();
    const float last = moment.intensity.back();
    begun_before += first > 0.0F && !(last > 0.0F) ? 1 : 0;
    outlasts += !(first > 0.0F) && last > 0.0F ? 1 : 0;
    fills += first > 0.0F && last > 0.0F ? 1 : 0;
  }
  EXPECT_GT(begun_before, 10);
  EXPECT_GT(outlasts, 10);
  EXPECT_GT(fills, 10);
}

TEST(MomentComposer, TheCourseIsKnownWithoutDrawing) {
  for (const int span : {0, 20}) {
    const auto composer =
        MomentComposer::create(striped_stills(), {.frames = 8, .size = 16, .span = span});
    ASSERT_TRUE(composer.ok());
    for (std::uint64_t k = 0; k < 30; ++k) {
      EXPECT_EQ(composer->course(k), composer->compose(k).intensity) << k;
    }
  }
}

TEST(MomentComposer, ASpanOfTheClipsLengthChangesNothing) {
  const auto plain = MomentComposer::create(striped_stills(), {.frames = 8, .size = 16});
  const auto spanned =
      MomentComposer::create(striped_stills(), {.frames = 8, .size = 16, .span = 8});
  ASSERT_TRUE(plain.ok() && spanned.ok());
  for (std::uint64_t k = 0; k < 10; ++k) {
    EXPECT_EQ(plain->compose(k).frames, spanned->compose(k).frames);
  }
}

TEST(MomentComposer, SameSeedSameClip) {
  const auto one = MomentComposer::create(striped_stills(), {.seed = 3, .size = 40});
  const auto two = MomentComposer::create(striped_stills(), {.seed = 3, .size = 40});
  const auto other = MomentComposer::create(striped_stills(), {.seed = 4, .size = 40});
  ASSERT_TRUE(one.ok() && two.ok() && other.ok());
  (void)one->compose(0);  // what was composed before must not matter
  EXPECT_EQ(one->compose(9).frames, two->compose(9).frames);
  EXPECT_EQ(one->compose(9).label, two->compose(9).label);
  EXPECT_NE(one->compose(9).frames, one->compose(10).frames);
  EXPECT_NE(one->compose(9).frames, other->compose(9).frames);
}

TEST(MomentComposer, ClassesComeEvenlyOrAsOftenAsTheirPictures) {
  MomentStills stills = striped_stills();
  for (int i = 0; i < 21; ++i) {  // happiness: 24 of 30 pictures
    MomentStill still;
    still.name = still.person = "h" + std::to_string(i);
    still.label = 1;
    stills.add(still, 48, 48, stripes(true));
  }
  const auto share_of_happiness = [&](double even_share) {
    const auto composer = MomentComposer::create(
        stills, {.seed = 5, .frames = 8, .size = 16, .even_share = even_share});
    int happy = 0;
    for (std::uint64_t k = 0; k < 600; ++k) happy += composer->compose(k).label == 1 ? 1 : 0;
    return happy / 600.0;
  };
  EXPECT_NEAR(share_of_happiness(1.0), 1.0 / 3.0, 0.08);  // 4 standard deviations
  EXPECT_NEAR(share_of_happiness(0.0), 0.8, 0.08);
}

// 68 points of one face; only their places relative to each other matter.
StillPoints face_points(float dx, float dy, float jaw_drop) {
  StillPoints points{};
  const auto put = [&](std::size_t first, std::size_t last, float x, float y, float spread) {
    const auto count = static_cast<float>(last - first + 1);
    for (std::size_t i = first; i <= last; ++i) {
      const float along = (static_cast<float>(i - first) + 0.5F) / count - 0.5F;
      points[2 * i] = x + dx + spread * along;
      points[2 * i + 1] = y + dy;
    }
  };
  put(0, 16, 24, 42, 34);
  put(17, 26, 24, 12, 30);
  put(27, 35, 24, 25, 6);
  put(36, 41, 16, 18, 6);
  put(42, 47, 32, 18, 6);
  put(48, 54, 24, 35, 14);
  put(55, 67, 24, 38 + jaw_drop, 10);
  return points;
}

MomentStill still_with_points(const StillPoints& points) {
  MomentStill still;
  still.has_points = true;
  still.points = points;
  return still;
}

TEST(MomentWarp, LaysMovedFacesOnEachOther) {
  MomentStills stills;
  stills.add(still_with_points(face_points(0, 0, 0)), 48, 48, stripes(true));
  stills.add(still_with_points(face_points(3, -2, 0)), 48, 48, stripes(true));
  stills.add(MomentStill(), 48, 60, std::vector<std::uint8_t>(48 * 60, 10));
  const std::vector<FaceMap> maps = map_faces(stills);
  ASSERT_EQ(maps.size(), 3U);
  for (const double u : {0.1, 0.5, 0.9}) {
    const auto a = maps[0].to_picture(u, 0.4);
    const auto b = maps[1].to_picture(u, 0.4);
    EXPECT_NEAR(b[0] - a[0], 3.0, 1e-4);
    EXPECT_NEAR(b[1] - a[1], -2.0, 1e-4);
    EXPECT_NEAR(shift_at(maps[1].shift, u, 0.4)[0], 0.0, 1e-5);
  }
  // A picture without points is laid on whole, its shorter side centred.
  EXPECT_EQ(maps[2].to_picture(0.5, 0.5), (std::array<double, 2>{24.0, 30.0}));
  EXPECT_EQ(maps[2].to_picture(0.0, 1.0), (std::array<double, 2>{-6.0, 60.0}));
  EXPECT_EQ(maps[2].mean, 10.0F);
  EXPECT_EQ(maps[2].deviation, 1.0F);
}

TEST(MomentWarp, FollowsAnOpeningMouth) {
  MomentStills stills;
  stills.add(still_with_points(face_points(0, 0, 0)), 48, 48, stripes(true));
  stills.add(still_with_points(face_points(0, 0, 6)), 48, 48, stripes(true));
  const std::vector<FaceMap> maps = map_faces(stills);
  // The lower lip lies at (24, 38..44) of 48; the mean face has it half-way.
  const auto closed = shift_at(maps[0].shift, 0.5, 41.0 / 48.0);
  const auto open = shift_at(maps[1].shift, 0.5, 41.0 / 48.0);
  EXPECT_GT((open[1] - closed[1]) * 48.0, 2.0);
  EXPECT_NEAR(shift_at(maps[1].shift, 0.35, 18.0 / 48.0)[1] * 48.0, 0.0, 1.0);
}

TEST(MomentComposer, RefusesWhatCannotBeComposed) {
  const auto refused = [](MomentStills stills, const MomentOptions& options) {
    const auto composer = MomentComposer::create(std::move(stills), options);
    return !composer.ok() && composer.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_FALSE(refused(striped_stills(), {}));
  EXPECT_TRUE(refused(striped_stills(), {.frames = 7}));
  EXPECT_TRUE(refused(striped_stills(), {.frames = 16, .span = 15}));
  EXPECT_TRUE(refused(striped_stills(), {.span = 257}));
  EXPECT_TRUE(refused(striped_stills(), {.size = 8}));
  EXPECT_TRUE(refused(striped_stills(), {.even_share = std::nan("")}));
  EXPECT_TRUE(refused({}, {}));
  MomentStills one_neutral = striped_stills();
  one_neutral.stills.erase(one_neutral.stills.begin() + 1, one_neutral.stills.begin() + 7);
  EXPECT_TRUE(refused(one_neutral, {}));
  MomentStills only_neutral = striped_stills();
  for (MomentStill& still : only_neutral.stills) still.label = 0;
  EXPECT_TRUE(refused(only_neutral, {}));
  MomentStills wild = striped_stills();
  wild.stills[2].offset = wild.luma.size() - 10;
  EXPECT_TRUE(refused(wild, {}));
  wild = striped_stills();
  wild.stills[2].label = 3;
  EXPECT_TRUE(refused(wild, {}));
}

TEST(MomentComposer, ComposesRealFaces) {
  MomentSource source;
  source.images = shared("data/ferplus/valid.tar");
  source.labels = shared("data/ferplus/valid.csv");
  source.exclude = shared("data/ferplus/valid_duplicates.csv");
  if (!fs::exists(source.images)) GTEST_SKIP() << "no FERPlus beside the repository";
  const auto composer = MomentComposer::open(source, {.seed = 11});
  ASSERT_TRUE(composer.ok()) << composer.error().to_string();
  const MomentStills& stills = composer->stills();
  EXPECT_EQ(stills.classes.size(), 8U);
  EXPECT_GT(stills.stills.size(), 2000U);
  EXPECT_LT(stills.stills.size(), 3199U);
  const auto with_points = std::count_if(stills.stills.begin(), stills.stills.end(),
                                         [](const MomentStill& s) { return s.has_points; });
  EXPECT_GT(with_points, static_cast<std::ptrdiff_t>(stills.stills.size() * 9 / 10));
  std::set<int> labels;
  for (std::uint64_t k = 0; k < 100; ++k) {
    const Moment moment = composer->compose(k);
    labels.insert(moment.label);
    const double mean = std::accumulate(moment.frames.begin(), moment.frames.end(), 0.0) /
                        static_cast<double>(moment.frames.size());
    EXPECT_GT(mean, 10.0) << k;
    EXPECT_LT(mean, 245.0) << k;
  }
  EXPECT_EQ(labels.size(), 8U);
}

}  // namespace
}  // namespace mien::media::test
