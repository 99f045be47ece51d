// mien::Stream: frames from memory say what the file that they came from says.
#include "mien/stream.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <tuple>

#include "media/face_detector.h"
#include "media/synth_faces.h"
#include "media/video_reader.h"
#include "pipeline/random_models.h"
#include "pipeline/test_videos.h"

namespace mien {
namespace {

namespace fs = std::filesystem;

// What came out of a clip, one way or the other.
struct Said {
  std::vector<FaceObservation> faces;  // by frame, then track
  std::vector<ExpressionWindow> windows;
  std::vector<Event> events;  // all but kFaceSeen
};

void take(const std::vector<Event>& events, Said& said) {
  for (const Event& event : events) {
    if (event.kind == EventKind::kFaceSeen) {
      said.faces.push_back(event.face);
      continue;
    }
    if (event.kind == EventKind::kExpression) said.windows.push_back(event.expression);
    said.events.push_back(event);
  }
}

void sort_faces(Said& said) {
  std::stable_sort(said.faces.begin(), said.faces.end(), [](const auto& a, const auto& b) {
    return std::tie(a.frame, a.track) < std::tie(b.frame, b.track);
  });
}

auto tied(const FaceObservation& f) {
  return std::tie(f.frame, f.time_s, f.track, f.x, f.y, f.w, f.h, f.score);
}

auto tied(const ExpressionWindow& w) {
  return std::tie(w.track, w.start_s, w.end_s, w.x, w.y, w.w, w.h, w.label, w.confidence,
                  w.probabilities, w.mask);
}

void expect_same(const Said& a, const Said& b) {
  ASSERT_EQ(a.faces.size(), b.faces.size());
  for (std::size_t i = 0; i < a.faces.size(); ++i) {
    EXPECT_TRUE(tied(a.faces[i]) == tied(b.faces[i])) << "face " << i;
  }
  ASSERT_EQ(a.windows.size(), b.windows.size());
  for (std::size_t i = 0; i < a.windows.size(); ++i) {
    EXPECT_TRUE(tied(a.windows[i]) == tied(b.windows[i])) << "window " << i;
  }
  ASSERT_EQ(a.events.size(), b.events.size());
  for (std::size_t i = 0; i < a.events.size(); ++i) {
    EXPECT_EQ(a.events[i].kind, b.events[i].kind) << i;
    EXPECT_EQ(a.events[i].track, b.events[i].track) << i;
    EXPECT_EQ(a.events[i].time_s, b.events[i].time_s) << i;
    EXPECT_TRUE(tied(a.events[i].face) == tied(b.events[i].face)) << "event " << i;
  }
}

FrameView view_of(const media::Image& image, double time_s) {
  return {.data = image.rgb.data(),
          .width = image.width,
          .height = image.height,
          .stride = std::ptrdiff_t{3} * image.width,
          .format = PixelFormat::kRgb,
          .time_s = time_s};
}

std::vector<media::Frame> frames_of(const std::string& video) {
  std::vector<media::Frame> frames;
  auto source = media::open_source(video);
  EXPECT_TRUE(source.ok()) << source.error().to_string();
  if (!source.ok()) return frames;
  for (auto next = (*source)->next(); next.ok() && next->has_value(); next = (*source)->next()) {
    frames.push_back(std::move(**next));
  }
  return frames;
}

class StreamTest : public ::testing::Test {
 protected:
  static constexpr int kClips = 3;

  static void SetUpTestSuite() {
    folder_ = fs::path(::testing::TempDir()) / ("stream_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    ASSERT_TRUE(testing::write_random_recognizer(path("image.safetensors")).ok());
    testing::RandomModel video;
    video.temporal = true;
    ASSERT_TRUE(testing::write_random_recognizer(path("video.safetensors"), video).ok());
    ASSERT_TRUE(testing::write_random_adatosk(path("masked.safetensors")).ok());
    ASSERT_TRUE(testing::write_random_landmark_net(path("landmark.safetensors")).ok());
    media::SynthFacesOptions drawn;
    drawn.out = path("drawn");
    drawn.clips = kClips;
    drawn.frames = 40;
    drawn.fps = 30;
    const auto clips = media::synth_faces(drawn);
    ASSERT_TRUE(clips.ok()) << clips.error().to_string();
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  static std::string path(const std::string& name) { return (folder_ / name).string(); }
  static std::string clip(int number) {
    return path("drawn/clips/0000" + std::to_string(number) + ".mp4");
  }
  // The frames of a clip in whose first and last picture the detector finds the face, as it does in
  // nine of ten.
  static std::vector<media::Frame> seen_frames() {
    const auto detector = media::make_detector("");
    EXPECT_TRUE(detector.ok());
    for (int i = 0; detector.ok() && i < kClips; ++i) {
      std::vector<media::Frame> frames = frames_of(clip(i));
      const auto finds_one = [&](const media::Frame& frame) {
        const auto boxes = (*detector)->detect(frame.rgb);
        return boxes.ok() && boxes->size() == 1;
      };
      if (!frames.empty() && finds_one(frames.front()) && finds_one(frames.back())) return frames;
    }
    ADD_FAILURE() << "no drawn face is found";
    return {};
  }
  static AnalyzerOptions options(const std::string& model = "image.safetensors") {
    AnalyzerOptions out;
    out.model = path(model);
    out.landmark = path("landmark.safetensors");
    out.precision = Precision::kF32;
    out.threads = 1;
    return out;
  }

  static Said of_file(const Analyzer& analyzer, const std::string& video) {
    Said said;
    AnalyzerCallbacks callbacks;
    callbacks.on_face = [&](const FaceObservation& f) { said.faces.push_back(f); };
    callbacks.on_window = [&](const ExpressionWindow& w) { said.windows.push_back(w); };
    callbacks.on_event = [&](const Event& e) { said.events.push_back(e); };
    const auto summary = analyzer.analyze(video, callbacks);
    EXPECT_TRUE(summary.ok()) << summary.error().to_string();
    sort_faces(said);
    return said;
  }

  // `make_view` gives each frame as the stream is to get it.
  template <typename MakeView>
  static Said of_frames(const Analyzer& analyzer, const std::vector<media::Frame>& frames,
                        MakeView make_view) {
    Said said;
    auto stream = Stream::create(analyzer, {.positions = true});
    EXPECT_TRUE(stream.ok()) << stream.error().to_string();
    if (!stream.ok()) return said;
    for (const media::Frame& frame : frames) {
      const auto events = stream->push(make_view(frame));
      EXPECT_TRUE(events.ok()) << events.error().to_string();
      if (!events.ok()) return said;
      take(*events, said);
    }
    const auto rest = stream->finish();
    EXPECT_TRUE(rest.ok()) << rest.error().to_string();
    if (rest.ok()) take(*rest, said);
    sort_faces(said);
    return said;
  }
  static Said of_frames(const Analyzer& analyzer, const std::vector<media::Frame>& frames) {
    return of_frames(analyzer, frames,
                     [](const media::Frame& f) { return view_of(f.rgb, f.time_s); });
  }

  static fs::path folder_;
};

fs::path StreamTest::folder_;

TEST_F(StreamTest, SaysOfTheFramesWhatAnalyzeSaysOfTheFile) {
  std::vector<std::string> videos;
  for (int i = 0; i < kClips; ++i) videos.push_back(clip(i));
  const std::string real = std::string(MIEN_SHARED_DIR) + "/data/video/face_noface.mov";
  if (fs::exists(real)) videos.push_back(real);
  for (const char* model : {"image.safetensors", "video.safetensors", "masked.safetensors"}) {
    AnalyzerOptions with = options(model);
    if (std::string(model) == "masked.safetensors") {
      with.mask = true;
      with.budget = 0.3;
    }
    const auto analyzer = Analyzer::load(with);
    ASSERT_TRUE(analyzer.ok()) << analyzer.error().to_string();
    std::size_t windows = 0;
    for (const std::string& video : videos) {
      SCOPED_TRACE(std::string(model) + " on " + video);
      const Said file = of_file(*analyzer, video);
      const Said frames = of_frames(*analyzer, frames_of(video));
      expect_same(file, frames);
      windows += file.windows.size();
    }
    EXPECT_GE(windows, 4U) << "the detector found next to nothing: the test compares nothing";
  }
}

TEST_F(StreamTest, EventsOfAFaceComeInOrder) {
  const auto analyzer = Analyzer::load(options());
  ASSERT_TRUE(analyzer.ok());
  const Said said = of_frames(*analyzer, seen_frames());
  ASSERT_GE(said.events.size(), 3U);
  EXPECT_EQ(said.events.front().kind, EventKind::kFaceFound);
  EXPECT_EQ(said.events.front().face.frame, said.faces.front().frame);
  EXPECT_EQ(said.events.back().kind, EventKind::kFaceLost);
  EXPECT_EQ(said.events.back().face.frame, said.faces.back().frame);
  double last_end_s = 0;
  for (std::size_t i = 1; i + 1 < said.events.size(); ++i) {
    const Event& event = said.events[i];
    ASSERT_EQ(event.kind, EventKind::kExpression);
    EXPECT_EQ(event.track, said.events.front().track);
    EXPECT_EQ(event.time_s, event.expression.end_s);
    EXPECT_GT(event.time_s, last_end_s);
    last_end_s = event.time_s;
  }
}

TEST_F(StreamTest, TimesMayBeOfAnyClock) {
  const auto analyzer = Analyzer::load(options());
  ASSERT_TRUE(analyzer.ok());
  const auto frames = seen_frames();
  const Said said = of_frames(*analyzer, frames);
  constexpr double kBegin = 1.7e9;  // a whole number of samples, so that the grid lies alike
  const Said later = of_frames(
      *analyzer, frames, [](const media::Frame& f) { return view_of(f.rgb, f.time_s + kBegin); });
  ASSERT_FALSE(said.windows.empty());
  ASSERT_EQ(said.windows.size(), later.windows.size());
  for (std::size_t i = 0; i < said.windows.size(); ++i) {
    EXPECT_NEAR(said.windows[i].start_s + kBegin, later.windows[i].start_s, 1e-5);
    EXPECT_EQ(said.windows[i].label, later.windows[i].label);
  }
}

TEST_F(StreamTest, RowsMayBeLongerThanTheirPixelsAndChannelsTheOtherWayRound) {
  const auto analyzer = Analyzer::load(options());
  ASSERT_TRUE(analyzer.ok());
  const auto frames = seen_frames();
  std::vector<std::uint8_t> bytes;
  const Said padded = of_frames(*analyzer, frames, [&](const media::Frame& f) {
    const std::ptrdiff_t stride = std::ptrdiff_t{4} * f.rgb.width + 12;
    // The same memory for every frame: a stream that kept a pointer would see later frames.
    bytes.assign(static_cast<std::size_t>(stride * f.rgb.height), 0xEE);
    for (int y = 0; y < f.rgb.height; ++y) {
      const std::uint8_t* from = f.rgb.view().row(y);
      std::uint8_t* to = bytes.data() + stride * y;
      for (int x = 0; x < f.rgb.width; ++x, from += 3, to += 4) {
        to[0] = from[2];
        to[1] = from[1];
        to[2] = from[0];
      }
    }
    return FrameView{.data = bytes.data(),
                     .width = f.rgb.width,
                     .height = f.rgb.height,
                     .stride = stride,
                     .format = PixelFormat::kBgra,
                     .time_s = f.time_s};
  });
  const Said plain = of_frames(*analyzer, frames);
  ASSERT_FALSE(plain.windows.empty());
  expect_same(plain, padded);
}

TEST_F(StreamTest, BadFramesAreRefusedAndTheStreamGoesOn) {
  const auto analyzer = Analyzer::load(options());
  ASSERT_TRUE(analyzer.ok());
  auto stream = Stream::create(*analyzer);
  ASSERT_TRUE(stream.ok());
  const media::Image picture = testing::plain_picture(64, 48, 0);
  const auto refuse = [&](const FrameView& frame, const std::string& what) {
    const auto events = stream->push(frame);
    ASSERT_FALSE(events.ok()) << what;
    EXPECT_EQ(events.error().code, ErrorCode::kInvalidArgument) << what;
  };
  const FrameView good = view_of(picture, 1.0);
  const auto changed = [&](auto change) {
    FrameView frame = good;
    frame.time_s = 2.0;
    change(frame);
    return frame;
  };
  for (const bool begun : {false, true}) {
    if (begun) {
      ASSERT_TRUE(stream->push(good).ok());
      refuse(changed([](FrameView& f) { f.time_s = 1.0; }), "the same time again");
      refuse(changed([](FrameView& f) { f.time_s = 0.5; }), "time runs backwards");
      refuse(changed([](FrameView& f) { f.width = 32; }), "another width");
      refuse(changed([](FrameView& f) { f.height = 24; }), "another height");
    }
    refuse(changed([](FrameView& f) { f.data = nullptr; }), "no data");
    refuse(changed([](FrameView& f) { f.width = 0; }), "no width");
    refuse(changed([](FrameView& f) { f.height = -1; }), "a negative height");
    refuse(changed([](FrameView& f) { f.stride = 3 * 64 - 1; }), "a stride below a row");
    refuse(changed([](FrameView& f) { f.stride = -3 * 64; }), "a negative stride");
    for (const double time_s : {std::nan(""), std::numeric_limits<double>::infinity(), 1e10}) {
      refuse(changed([&](FrameView& f) { f.time_s = time_s; }), std::to_string(time_s));
    }
  }
  ASSERT_TRUE(stream->push(view_of(picture, 1.5)).ok()) << "what was refused left no trace";
  ASSERT_TRUE(stream->finish().ok());
  const auto again = stream->finish();
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->empty());
  refuse(view_of(picture, 3.0), "after the end");
}

TEST_F(StreamTest, TwoStreamsOfOneAnalyzerDoNotDisturbEachOther) {
  std::optional<Analyzer> analyzer;
  {
    auto loaded = Analyzer::load(options());
    ASSERT_TRUE(loaded.ok());
    analyzer.emplace(*loaded);
  }
  const auto frames = seen_frames();
  const Said alone = of_frames(*analyzer, frames);
  auto one = Stream::create(*analyzer, {.positions = true});
  auto two = Stream::create(*analyzer, {.positions = true});
  ASSERT_TRUE(one.ok() && two.ok());
  Stream moved = std::move(*one);
  analyzer.reset();  // the streams keep what they need
  Said first;
  for (const media::Frame& frame : frames) {
    const auto events = moved.push(view_of(frame.rgb, frame.time_s));
    ASSERT_TRUE(events.ok()) << events.error().to_string();
    take(*events, first);
    ASSERT_TRUE(two->push(view_of(frame.rgb, 7 + 0.5 * frame.time_s)).ok());
  }
  const auto rest = moved.finish();
  ASSERT_TRUE(rest.ok());
  take(*rest, first);
  ASSERT_EQ(first.windows.size(), alone.windows.size());
  for (std::size_t i = 0; i < first.windows.size(); ++i) {
    EXPECT_TRUE(tied(first.windows[i]) == tied(alone.windows[i])) << i;
  }
}

}  // namespace
}  // namespace mien
