#include "media/synth_faces.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/rng.h"
#include "media/face_detector.h"
#include "media/face_drawing.h"
#include "media/face_surface.h"
#include "support.h"

namespace mien::media::test {
namespace {

constexpr int kSize = 256;

struct Drawn {
  Image picture;
  Landmarks points;
  HeadPose pose;
};

// A random person of that skin, at rest or smiling, turned by up to 20 degrees.
Drawn draw_one(std::uint64_t seed, double skin_tone) {
  core::Rng rng(seed);
  FaceLook look = random_look(rng);
  look.skin_tone = skin_tone;
  const Scene scene = random_scene(rng);
  Drawn out;
  out.pose.scale = kSize * rng.uniform(0.17, 0.225);
  out.pose.x = out.pose.y = kSize / 2.0;
  out.pose.yaw = rng.uniform(-20, 20);
  ActionUnits units;
  units.au12 = units.au6 = rng.chance(0.5) ? 0.8 : 0.0;
  const auto artist = FaceArtist::create(look, scene, kSize, kSize, out.pose.scale);
  EXPECT_TRUE(artist.ok());
  if (!artist.ok()) return out;
  Result<Image> picture = artist->draw(units, out.pose);
  EXPECT_TRUE(picture.ok());
  if (picture.ok()) out.picture = std::move(*picture);
  out.points = face_landmarks(look, units, out.pose);
  return out;
}

// Faces of `count` over all skins in which the detector finds just the one, where it is.
int found(FaceDetector& detector, int count) {
  int good = 0;
  for (int k = 0; k < count; ++k) {
    const Drawn face = draw_one(100 + static_cast<std::uint64_t>(k), k / (count - 1.0));
    const auto boxes = detector.detect(face.picture);
    EXPECT_TRUE(boxes.ok());
    if (!boxes.ok() || boxes->size() != 1) continue;
    const FaceBox& box = boxes->front();
    const double off = std::hypot(static_cast<double>(box.x + box.w / 2) - face.pose.x,
                                  static_cast<double>(box.y + box.h / 2) - face.pose.y);
    if (off < 0.25 * static_cast<double>(box.w)) ++good;
  }
  return good;
}

TEST(DrawnFaceTest, HaarFindsThem) {
  auto haar = make_haar_detector();
  if (!haar.ok()) GTEST_SKIP() << haar.error().to_string();
  EXPECT_GE(found(**haar, 20), 18);
}

TEST(DrawnFaceTest, ANetworkTrainedOnPhotographsFindsThem) {
  const std::string model = shared("models/version-RFB-320.onnx");
  if (!fs::exists(model)) GTEST_SKIP() << "no shared/models here";
  auto rfb = make_detector(model);
  ASSERT_TRUE(rfb.ok());
  EXPECT_GE(found(**rfb, 20), 18);
}

TEST(DrawnFaceTest, TheSameNumbersDrawTheSameFace) {
  const Drawn a = draw_one(5, 0.4), b = draw_one(5, 0.4), other = draw_one(6, 0.4);
  EXPECT_EQ(a.picture.rgb, b.picture.rgb);
  EXPECT_EQ(a.points.xy, b.points.xy);
  EXPECT_NE(a.picture.rgb, other.picture.rgb);
}

double grey_around(const Image& image, double x, double y, int reach) {
  double sum = 0;
  int count = 0;
  for (int dy = -reach; dy <= reach; ++dy) {
    for (int dx = -reach; dx <= reach; ++dx, ++count) {
      const auto p = pixel(image, static_cast<int>(x) + dx, static_cast<int>(y) + dy);
      sum += (p[0] + p[1] + p[2]) / 3.0;
    }
  }
  return sum / count;
}

TEST(DrawnFaceTest, ThePointsLieOnTheirParts) {
  for (const double skin : {0.0, 0.5, 1.0}) {
    FaceLook look;
    look.skin_tone = skin;
    Scene scene;
    scene.light_x = 0;
    HeadPose pose;
    pose.yaw = 10, pose.roll = 5;
    const auto artist = FaceArtist::create(look, scene, kSize, kSize, pose.scale);
    ASSERT_TRUE(artist.ok());
    const auto picture = artist->draw(ActionUnits{}, pose);
    ASSERT_TRUE(picture.ok());
    const auto xy = face_landmarks(look, ActionUnits{}, pose).xy;
    const auto at = [&](std::size_t from, std::size_t to, int reach) {
      double x = 0, y = 0;
      for (std::size_t i = from; i <= to; ++i) {
        x += static_cast<double>(xy[2 * i]);
        y += static_cast<double>(xy[2 * i + 1]);
      }
      const auto n = static_cast<double>(to - from + 1);
      return grey_around(*picture, x / n, y / n, reach);
    };
    const double cheek =
        (grey_around(*picture, (xy[72] + xy[96]) / 2, (xy[73] + xy[97]) / 2, 3) +
         grey_around(*picture, (xy[90] + xy[108]) / 2, (xy[91] + xy[109]) / 2, 3)) /
        2;
    EXPECT_LT(at(36, 41, 2), 0.8 * cheek) << skin;  // eyes
    EXPECT_LT(at(42, 47, 2), 0.8 * cheek) << skin;
    EXPECT_LT(at(19, 19, 1), 0.8 * cheek) << skin;  // brows
    EXPECT_LT(at(24, 24, 1), 0.8 * cheek) << skin;
    EXPECT_LT(at(62, 62, 0), 0.8 * cheek) << skin;  // the line of the mouth
    EXPECT_GT(at(29, 29, 1), 0.9 * cheek) << skin;  // the bridge of the nose
  }
}

TEST(DrawnFaceTest, NonsenseIsRefused) {
  EXPECT_EQ(FaceArtist::create({}, {}, 5, 64, 20).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(FaceArtist::create({}, {}, 64, 64, std::nan("")).error().code,
            ErrorCode::kInvalidArgument);
  const auto artist = FaceArtist::create({}, {}, 64, 64, 14);
  ASSERT_TRUE(artist.ok());
  HeadPose pose;
  pose.yaw = std::nan("");
  EXPECT_EQ(artist->draw({}, pose).error().code, ErrorCode::kInvalidArgument);
  pose = {};
  pose.x = 1e9;
  EXPECT_EQ(artist->draw({}, pose).error().code, ErrorCode::kInvalidArgument);
  pose = {};
  pose.yaw = 170, pose.pitch = -80, pose.scale = 900;  // odd, but drawn
  EXPECT_TRUE(artist->draw({}, pose).ok());
}

class SynthFacesTest : public ScratchTest {
 protected:
  SynthFacesOptions small(const std::string& folder) const {
    SynthFacesOptions options;
    options.out = path(folder);
    options.clips = 2;
    options.frames = 4;
    options.size = 96;
    return options;
  }
  std::string text(const std::string& name) const {
    const std::vector<char> bytes = read_bytes(path(name));
    return {bytes.begin(), bytes.end()};
  }
  static std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) out.push_back(line);
    return out;
  }
};

TEST_F(SynthFacesTest, WritesClipsAndTheirTruth) {
  int calls = 0;
  const auto report = synth_faces(small("a"), [&](int done) { return done == ++calls; });
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(report->clips, 2);
  EXPECT_EQ(report->manifest, path("a/manifest.csv"));
  EXPECT_EQ(text("a/manifest.csv"),
            "path,label\nclips/00000.mp4,neutral\nclips/00001.mp4,happiness\n");
  const auto rows = lines(text("a/truth.csv"));
  ASSERT_EQ(rows.size(), 1U + 2 * 4);
  EXPECT_EQ(rows[0].rfind("clip,frame,time_s,class,intensity,au1,au2,au4,au5,au6,au7,au9,au12,au15,"
                          "au20,au23,au25,au26,au45,x0,y0,x1,",
                          0),
            0U);
  for (const std::string& row : rows) {
    EXPECT_EQ(std::count(row.begin(), row.end(), ','), 5 + 14 + 136 - 1);
  }
  EXPECT_EQ(rows[1].rfind("clips/00000.mp4,0,0.0000,neutral,0.0000,", 0), 0U);
  EXPECT_EQ(rows[7].rfind("clips/00001.mp4,2,0.0800,happiness,", 0), 0U);
  auto source = open_source(path("a/clips/00001.mp4"));
  ASSERT_TRUE(source.ok());
  const ReadAll video = read_all(**source);
  EXPECT_FALSE(video.error);
  ASSERT_EQ(video.times.size(), 4U);
  EXPECT_NEAR(video.times[3], 0.12, 1e-4);
  EXPECT_EQ(video.first.width, 96);
}

TEST_F(SynthFacesTest, TheSameSeedGivesTheSameBytes) {
  ASSERT_TRUE(synth_faces(small("a")).ok());
  ASSERT_TRUE(synth_faces(small("b")).ok());
  SynthFacesOptions other = small("c");
  other.seed = 2;
  ASSERT_TRUE(synth_faces(other).ok());
  for (const std::string name :
       {"truth.csv", "manifest.csv", "clips/00000.mp4", "clips/00001.mp4"}) {
    EXPECT_EQ(text("a/" + name), text("b/" + name)) << name;
  }
  EXPECT_NE(text("a/truth.csv"), text("c/truth.csv"));
  EXPECT_NE(text("a/clips/00000.mp4"), text("c/clips/00000.mp4"));
}

TEST_F(SynthFacesTest, MoreClipsLeaveTheFirstOnesAsTheyAre) {
  ASSERT_TRUE(synth_faces(small("two")).ok());
  SynthFacesOptions one = small("one");
  one.clips = 1;
  ASSERT_TRUE(synth_faces(one).ok());
  EXPECT_EQ(text("one/clips/00000.mp4"), text("two/clips/00000.mp4"));
  EXPECT_EQ(text("two/truth.csv").rfind(text("one/truth.csv"), 0), 0U);
}

TEST_F(SynthFacesTest, ASingleFrameShowsTheExpression) {
  SynthFacesOptions options = small("one");
  options.frames = 1;
  ASSERT_TRUE(synth_faces(options).ok());
  const auto rows = lines(text("one/truth.csv"));
  ASSERT_EQ(rows.size(), 3U);
  const std::string start = "clips/00001.mp4,0,0.0000,happiness,";
  ASSERT_EQ(rows[2].rfind(start, 0), 0U);
  EXPECT_GT(std::stod(rows[2].substr(start.size())), 0.5);
}

TEST_F(SynthFacesTest, BadOptionsAreRefused) {
  const auto refused = [&](auto change) {
    SynthFacesOptions options = small("bad");
    change(options);
    const auto report = synth_faces(options);
    return !report.ok() && report.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](SynthFacesOptions& o) { o.out.clear(); }));
  EXPECT_TRUE(refused([](SynthFacesOptions& o) { o.clips = 0; }));
  EXPECT_TRUE(refused([](SynthFacesOptions& o) { o.frames = 0; }));
  EXPECT_TRUE(refused([](SynthFacesOptions& o) { o.fps = std::nan(""); }));
  EXPECT_TRUE(refused([](SynthFacesOptions& o) { o.fps = 0; }));
  EXPECT_TRUE(refused([](SynthFacesOptions& o) { o.size = 97; }));
  EXPECT_TRUE(refused([](SynthFacesOptions& o) { o.size = 100000; }));
  EXPECT_FALSE(fs::exists(path("bad")));
  write_bytes(path("file"), {'x'});
  SynthFacesOptions options = small("file");
  EXPECT_EQ(synth_faces(options).error().code, ErrorCode::kIo);
}

TEST_F(SynthFacesTest, StopsWhenAsked) {
  const auto report = synth_faces(small("a"), [](int) { return false; });
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(path("a/truth.csv")));
  EXPECT_FALSE(fs::exists(path("a/manifest.csv")));
}

}  // namespace
}  // namespace mien::media::test
