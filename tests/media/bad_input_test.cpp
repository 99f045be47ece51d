// Everything that is no good video must be one Error that names it.
#include <cstring>

#include "support.h"

namespace mien::media::test {
namespace {

class BadInputTest : public ScratchTest {
 protected:
  // Opens and reads to the end; the Error of either step.
  static std::optional<Error> failure(const std::string& input, std::size_t* frames = nullptr) {
    auto source = open_source(input);
    std::optional<Error> error;
    if (!source.ok()) {
      error = source.error();
    } else {
      const ReadAll all = read_all(**source);
      if (frames != nullptr) *frames = all.times.size();
      error = all.error;
      if (error) {
        const auto again = (*source)->next();
        EXPECT_FALSE(again.ok()) << "an error is repeated";
      }
    }
    if (error) {
      EXPECT_NE(error->to_string().find(fs::path(input).filename().string()), std::string::npos)
          << error->to_string();
      EXPECT_EQ(error->to_string().find('\n'), std::string::npos);
    }
    return error;
  }
};

void expect_code(const std::optional<Error>& error, ErrorCode code) {
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, code) << error->to_string();
}

TEST_F(BadInputTest, FilesThatAreNoVideos) {
  expect_code(failure(path("none.mp4")), ErrorCode::kNotFound);
  write_bytes(path("zero.mp4"), {});
  expect_code(failure(path("zero.mp4")), ErrorCode::kBadFormat);
  write_bytes(path("zero.png"), {});
  expect_code(failure(path("zero.png")), ErrorCode::kBadFormat);
  std::string text;
  for (int i = 0; i < 300; ++i) text += "Dear diary, line " + std::to_string(i) + " is no video.\n";
  for (const char* name : {"text.mp4", "text.mkv", "text.avi", "text.jpg", "text.txt", "text"}) {
    write_bytes(path(name), {text.begin(), text.end()});
    expect_code(failure(path(name)), ErrorCode::kBadFormat);
  }
  fs::create_directories(path("empty_dir"));
  expect_code(failure(path("empty_dir")), ErrorCode::kInvalidArgument);
  expect_code(failure("/dev/null"), ErrorCode::kInvalidArgument);
}

TEST_F(BadInputTest, RandomBytesNeverCrash) {
  unsigned state = 12345;
  for (int round = 0; round < 20; ++round) {
    std::vector<char> bytes(4000);
    for (char& b : bytes) b = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
    const char* heads[] = {
        "\0\0\0\x18"
        "ftypmp42",
        "\x1A\x45\xDF\xA3", "RIFF", "\x47@\0\x10"};
    std::memcpy(bytes.data(), heads[round % 4], 4);
    if (round % 4 == 0) std::memcpy(bytes.data(), heads[0], 12);
    write_bytes(path("noise.bin"), bytes);
    (void)failure(path("noise.bin"));
  }
}

TEST_F(BadInputTest, SoundWithoutPicture) {
  if (!ffmpeg("-f lavfi -i sine=d=1 -vn " + path("tone.mp4"))) GTEST_SKIP() << "no ffmpeg program";
  const std::optional<Error> error = failure(path("tone.mp4"));
  expect_code(error, ErrorCode::kBadFormat);
  EXPECT_NE(error->message.find("no video stream"), std::string::npos);
  // A cover picture is no video either.
  ASSERT_TRUE(write_png(path("cover.png"), pattern(64, 64)).ok());
  ASSERT_TRUE(ffmpeg("-i " + path("tone.mp4") + " -i " + path("cover.png") +
                     " -map 0 -map 1 -c copy -disposition:v attached_pic " + path("cover.m4a")));
  expect_code(failure(path("cover.m4a")), ErrorCode::kBadFormat);
}

TEST_F(BadInputTest, VideosCutInHalf) {
  ASSERT_TRUE(make_video(path("v.mp4"), even_times(150, 25), 320, 240).ok());
  std::size_t frames = 0;
  cut_file(path("v.mp4"), path("half.mp4"), 0.5);
  expect_code(failure(path("half.mp4"), &frames), ErrorCode::kBadFormat);
  EXPECT_GT(frames, 20U);  // what was whole has been delivered
  EXPECT_LT(frames, 140U);
  auto early = open_source(path("half.mp4"));
  ASSERT_TRUE(early.ok());
  EXPECT_TRUE((*early)->info().truncated);
  for (const std::string kind : {"mkv", "avi", "mov", "flv"}) {
    if (!ffmpeg("-i " + path("v.mp4") + " -c copy " + path("v." + kind))) {
      GTEST_SKIP() << "no ffmpeg program";
    }
    EXPECT_FALSE(failure(path("v." + kind))) << kind;
    cut_file(path("v." + kind), path("half." + kind), 0.5);
    SCOPED_TRACE(kind);
    expect_code(failure(path("half." + kind)), ErrorCode::kBadFormat);
    cut_file(path("v." + kind), path("nearly." + kind), 0.85);
    expect_code(failure(path("nearly." + kind)), ErrorCode::kBadFormat);
  }
}

TEST_F(BadInputTest, TheRealVideosCutInHalf) {
  if (!fs::exists(shared("data/video"))) GTEST_SKIP() << "no shared/data here";
  for (const std::string name : {"single_face.mp4", "face_noface.mov", "no_face.mp4"}) {
    EXPECT_FALSE(failure(shared("data/video/" + name))) << name;
    cut_file(shared("data/video/" + name), path(name), 0.5);
    expect_code(failure(path(name)), ErrorCode::kBadFormat);
  }
}

TEST_F(BadInputTest, ImpossibleFrameSizes) {
  if (!ffmpeg("-f lavfi -i testsrc=d=0.2:s=32x32 -c:v rawvideo -pix_fmt bgr24 " +
              path("raw.avi"))) {
    GTEST_SKIP() << "no ffmpeg program";
  }
  const std::vector<char> good = read_bytes(path("raw.avi"));
  EXPECT_FALSE(failure(path("raw.avi")));
  const std::string text(good.begin(), good.end());
  const std::size_t strf = text.find("strf");
  ASSERT_NE(strf, std::string::npos);
  for (const std::int32_t width : {0, 17000}) {
    const std::int32_t height = width == 0 ? 0 : 100;
    std::vector<char> bytes = good;
    std::memcpy(bytes.data() + strf + 12, &width, 4);  // biWidth
    std::memcpy(bytes.data() + strf + 16, &height, 4);
    write_bytes(path("odd.avi"), bytes);
    expect_code(failure(path("odd.avi")), width == 0 ? ErrorCode::kBadFormat : ErrorCode::kLimit);
  }
}

TEST_F(BadInputTest, PlaylistsDoNotReachOtherFiles) {
  ASSERT_TRUE(make_video(path("v.mp4"), even_times(5, 25)).ok());
  const std::string list = "ffconcat version 1.0\nfile v.mp4\n";
  write_bytes(path("list.mp4"), {list.begin(), list.end()});
  EXPECT_TRUE(failure(path("list.mp4")));
  const std::string hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n";
  write_bytes(path("list.m3u8"), {hls.begin(), hls.end()});
  EXPECT_TRUE(failure(path("list.m3u8")));
}

TEST_F(BadInputTest, AFolderWithADamagedPicture) {
  ASSERT_TRUE(write_png(path("a.png"), pattern(16, 16)).ok());
  write_bytes(path("b.png"), {'n', 'o'});
  auto source = open_source(dir_.string());
  ASSERT_TRUE(source.ok());
  const ReadAll all = read_all(**source);
  ASSERT_TRUE(all.error.has_value());
  EXPECT_NE(all.error->to_string().find("b.png"), std::string::npos);
  EXPECT_EQ(all.times.size(), 1U);
}

}  // namespace
}  // namespace mien::media::test
