#include "media/video_reader.h"

#include <algorithm>
#include <cstdio>

#include "media/av_devices.h"
#include "support.h"

namespace mien::media::test {
namespace {

class VideoReaderTest : public ScratchTest {};

struct Known {
  const char* name;
  std::size_t frames;
  int width, height;
  double last_s;
};

TEST(VideoDataTest, TheThreeVideosDecodeWhole) {
  if (!fs::exists(shared("data/video"))) GTEST_SKIP() << "no shared/data here";
  const Known videos[] = {{"single_face.mp4", 72, 640, 360, 71 / 30.0},
                          {"face_noface.mov", 169, 960, 540, 6.36},
                          {"no_face.mp4", 95, 960, 540, 3.9}};
  for (const Known& known : videos) {
    for (const int threads : {1, 2}) {
      if (threads == 2 && known.frames != 72)
        continue;  // frame threading delays frames, loses none
      SourceOptions options;
      options.decoder_threads = threads;
      auto source = open_source(shared("data/video/") + known.name, options);
      ASSERT_TRUE(source.ok()) << source.error().to_string();
      EXPECT_EQ((*source)->info().width, known.width);
      EXPECT_EQ((*source)->info().height, known.height);
      EXPECT_FALSE((*source)->info().truncated);
      const ReadAll all = read_all(**source);
      EXPECT_FALSE(all.error) << known.name << ": " << all.error->to_string();
      EXPECT_EQ(all.times.size(), known.frames) << known.name;
      EXPECT_EQ(all.times.front(), 0.0);
      EXPECT_NEAR(all.times.back(), known.last_s, 0.06) << known.name;
      EXPECT_TRUE(std::is_sorted(all.times.begin(), all.times.end()));
      EXPECT_FALSE(*(*source)->next());  // the end stays the end
    }
  }
}

TEST(VideoDataTest, TimesOfTheVariableRateVideoAreItsTimeStamps) {
  const std::string file = shared("data/video/face_noface.mov");
  if (!fs::exists(file)) GTEST_SKIP() << "no shared/data here";
  if (std::system("command -v ffprobe >/dev/null") != 0) GTEST_SKIP() << "no ffprobe program";
  FILE* pipe = ::popen(("ffprobe -v quiet -select_streams v:0 -show_entries "
                        "frame=best_effort_timestamp_time -of csv=p=0 '" +
                        file + "'")
                           .c_str(),
                       "r");
  ASSERT_NE(pipe, nullptr);
  std::vector<double> expected;
  char line[128];
  while (std::fgets(line, sizeof(line), pipe) != nullptr) {
    if (line[0] >= '0' && line[0] <= '9') expected.push_back(std::atof(line));
  }
  ::pclose(pipe);
  auto source = open_source(file);
  ASSERT_TRUE(source.ok());
  const ReadAll all = read_all(**source);
  ASSERT_EQ(all.times.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(all.times[i], expected[i] - expected[0], 1e-5) << i;
  }
}

TEST_F(VideoReaderTest, VariableRateComesBack) {
  const std::vector<double> times{0, 0.05, 0.2, 0.21, 0.5, 1.75, 1.8};
  ASSERT_TRUE(make_video(path("v.mp4"), times).ok());
  auto source = open_source(path("v.mp4"));
  ASSERT_TRUE(source.ok()) << source.error().to_string();
  const ReadAll all = read_all(**source);
  EXPECT_FALSE(all.error);
  ASSERT_EQ(all.times.size(), times.size());
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(all.times[i], times[i], 2e-5);
}

TEST_F(VideoReaderTest, OtherContainersGiveTheSameFrames) {
  ASSERT_TRUE(make_video(path("v.mp4"), even_times(40, 25)).ok());
  for (const std::string kind : {"mkv", "mov", "avi", "ts", "flv"}) {
    if (!ffmpeg("-i " + path("v.mp4") + " -c copy " + path("v." + kind))) {
      GTEST_SKIP() << "no ffmpeg program";
    }
    auto source = open_source(path("v." + kind));
    ASSERT_TRUE(source.ok()) << source.error().to_string();
    const ReadAll all = read_all(**source);
    EXPECT_FALSE(all.error) << kind << ": " << all.error->to_string();
    ASSERT_EQ(all.times.size(), 40U) << kind;
    // AVI knows no presentation times; with B-frames its times are off by a frame.
    EXPECT_NEAR(all.times[39], 39 / 25.0, kind == "avi" ? 0.05 : 0.003) << kind;
  }
}

TEST_F(VideoReaderTest, RotationIsAppliedAsFfmpegDoes) {
  ASSERT_TRUE(make_video(path("v.mp4"), even_times(3, 25), 160, 96).ok());
  for (const int angle : {90, 180, 270}) {
    const std::string turned = path("r" + std::to_string(angle) + ".mp4");
    if (!ffmpeg("-i " + path("v.mp4") + " -c copy -metadata:s:v rotate=" + std::to_string(angle) +
                " " + turned)) {
      GTEST_SKIP() << "no ffmpeg program";
    }
    ASSERT_TRUE(ffmpeg("-i " + turned + " -frames:v 1 " + path("ref.png")));
    const Result<Image> expected = read_image(path("ref.png"));
    ASSERT_TRUE(expected.ok());
    auto source = open_source(turned);
    ASSERT_TRUE(source.ok());
    const Image first = read_all(**source).first;
    ASSERT_EQ(first.width, expected->width) << angle;
    ASSERT_EQ(first.height, expected->height);
    EXPECT_EQ((*source)->info().width, expected->width);
    EXPECT_EQ(first.width, angle == 180 ? 160 : 96);
    double difference = 0;
    for (std::size_t i = 0; i < first.rgb.size(); ++i) {
      difference += std::abs(first.rgb[i] - expected->rgb[i]);
    }
    // Only the colour matrix may differ; a wrong turn would exchange red and blue quarters.
    EXPECT_LT(difference / static_cast<double>(first.rgb.size()), 12.0) << angle;
  }
}

TEST_F(VideoReaderTest, AudioMayComeFirst) {
  ASSERT_TRUE(make_video(path("v.mp4"), even_times(20, 25)).ok());
  if (!ffmpeg("-f lavfi -i sine=d=2 -i " + path("v.mp4") + " -map 0 -map 1 -c:v copy " +
              path("a.mkv"))) {
    GTEST_SKIP() << "no ffmpeg program";
  }
  auto source = open_source(path("a.mkv"));
  ASSERT_TRUE(source.ok()) << source.error().to_string();
  const ReadAll all = read_all(**source);
  EXPECT_EQ(all.times.size(), 20U);
  EXPECT_FALSE(all.error);  // the sound outlasts the picture: nothing is missing
}

TEST_F(VideoReaderTest, PicturesAndFoldersAreVideosToo) {
  for (const int i : {2, 0, 1}) {
    ASSERT_TRUE(write_png(path("f" + std::to_string(i) + ".png"), pattern(20 + i, 10)).ok());
  }
  write_bytes(path("notes.txt"), {'x'});
  SourceOptions options;
  options.image_fps = 10;
  auto source = open_source(dir_.string(), options);
  ASSERT_TRUE(source.ok()) << source.error().to_string();
  EXPECT_EQ((*source)->info().declared_frames, 3);
  const ReadAll all = read_all(**source);
  ASSERT_EQ(all.times.size(), 3U);
  EXPECT_EQ(all.first.width, 20);
  EXPECT_DOUBLE_EQ(all.times[2], 0.2);
  auto one = open_source(path("f1.png"));
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(read_all(**one).times.size(), 1U);
}

TEST_F(VideoReaderTest, StopsWhenAsked) {
  ASSERT_TRUE(make_video(path("v.mp4"), even_times(60, 25)).ok());
  bool stop = false;
  SourceOptions options;
  options.cancelled = [&stop] { return stop; };
  auto source = open_source(path("v.mp4"), options);
  ASSERT_TRUE(source.ok());
  EXPECT_TRUE((*source)->next().ok());
  stop = true;
  (void)(*source)->next();  // the frame decoded by open() may still come
  const auto stopped = (*source)->next();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(open_source(path("v.mp4"), options).error().code, ErrorCode::kCancelled);
}

TEST_F(VideoReaderTest, NamesWithOddCharactersOpen) {
  const std::string odd = path("a:b %d 'x'?.mp4");
  ASSERT_TRUE(make_video(odd, even_times(5, 25)).ok());
  auto source = open_source(odd);
  ASSERT_TRUE(source.ok()) << source.error().to_string();
  EXPECT_EQ(read_all(**source).times.size(), 5U);
}

TEST(MemorySourceTest, GivesWhatItWasGiven) {
  std::vector<Frame> frames(3);
  for (int i = 0; i < 3; ++i) frames[i] = {pattern(8, 8), i * 0.5, i};
  auto source = make_memory_source(std::move(frames));
  EXPECT_EQ(read_all(*source).times, (std::vector<double>{0, 0.5, 1.0}));
}

// libavdevice is loaded by name; the build has looked for the package that brings it.
TEST(AvDevices, AreThereWhenACameraIsAskedFor) {
  const Status found = register_av_devices();
  EXPECT_TRUE(found.ok()) << found.error().to_string();
}

}  // namespace
}  // namespace mien::media::test
