// Whatever is wrong with an input: one line that names it, code 1, and nothing left behind.
#include <gmock/gmock.h>

#include "cli/analyze_fixture.h"
#include "pipeline/test_videos.h"

namespace mien::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BadInputTest : public CliTest {
 protected:
  void refuse(const std::string& input) {
    SCOPED_TRACE(input);
    expect_one_line_error(mien({"analyze", input, "--out", "result"}), input);
    EXPECT_FALSE(std::filesystem::exists(path("result")));
  }
};

// One second of 8 kHz silence.
std::string wave_file() {
  const auto number = [](std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
    return out;
  };
  const std::string samples(16000, '\0');
  return "RIFF" + number(36 + 16000, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) + number(1, 2) +
         number(8000, 4) + number(16000, 4) + number(2, 2) + number(16, 2) + "data" +
         number(16000, 4) + samples;
}

TEST_F(BadInputTest, NoSuchFile) {
  refuse("missing.mp4");
}

TEST_F(BadInputTest, ZeroBytes) {
  write("empty.mp4", "");
  refuse("empty.mp4");
}

TEST_F(BadInputTest, TextNamedMp4) {
  write("text.mp4", "Dear diary, this is not a video.\n");
  refuse("text.mp4");
}

TEST_F(BadInputTest, Noise) {
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 50000; ++i) noise += static_cast<char>((state = state * 1664525 + 1) >> 24);
  write("noise.mkv", noise);
  refuse("noise.mkv");
}

TEST_F(BadInputTest, VideoCutInHalf) {
  ASSERT_TRUE(write_plain_video(path("whole.mp4"), 60, 30).ok());
  const std::string whole = read("whole.mp4");
  write("half.mp4", whole.substr(0, whole.size() / 2));
  refuse("half.mp4");
}

TEST_F(BadInputTest, FramesOfNoSize) {
  write("zero.y4m", "YUV4MPEG2 W0 H0 F25:1 Ip A1:1 C420\nFRAME\n");
  refuse("zero.y4m");
}

TEST_F(BadInputTest, AudioOnly) {
  write("sound.wav", wave_file());
  refuse("sound.wav");
}

TEST_F(BadInputTest, DirectoryWithoutPictures) {
  std::filesystem::create_directory(path("folder"));
  refuse("folder");
}

TEST_F(BadInputTest, DamagedPicture) {
  ASSERT_TRUE(media::write_png(path("whole.png"), plain_picture(64, 64, 0)).ok());
  write("half.png", read("whole.png").substr(0, 200));
  refuse("half.png");
}

TEST_F(BadInputTest, AHostileFileNameStaysOnOneLine) {
  expect_one_line_error(mien({"analyze", "no such\tfile;$(rm -rf x).mp4"}),
                        "no such?file;$(rm -rf x).mp4");
  const Ran ran = mien({"analyze", "two\nlines.mp4"});
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.text();
}

TEST_F(BadInputTest, UnwritableOutput) {
  ASSERT_TRUE(write_plain_video(path("plain.mp4"), 5, 25).ok());
  write("file", "in the way");
  expect_one_line_error(mien({"analyze", "plain.mp4", "--out", "file"}), "file");
  expect_one_line_error(mien({"analyze", "plain.mp4", "--out", "file/deeper"}), "file");
  EXPECT_EQ(read("file"), "in the way");
  EXPECT_EQ(list(""), (std::vector<std::string>{"file", "plain.mp4"}));
}

TEST_F(BadInputTest, AFailureKeepsWhatWasInTheFolder) {
  std::filesystem::create_directory(path("out"));
  write("out/expressions.csv", "from before");
  ASSERT_TRUE(write_plain_video(path("whole.mp4"), 60, 30).ok());
  const std::string whole = read("whole.mp4");
  write("half.mp4", whole.substr(0, whole.size() / 2));
  expect_one_line_error(mien({"analyze", "half.mp4", "--out", "out"}), "half.mp4");
  EXPECT_THAT(list("out"), ElementsAre("expressions.csv"));
  EXPECT_EQ(read("out/expressions.csv"), "from before");
}

TEST_F(BadInputTest, ABatchGoesOn) {
  ASSERT_TRUE(write_plain_video(path("a.mp4"), 5, 25).ok());
  ASSERT_TRUE(write_plain_video(path("b.mp4"), 5, 25).ok());
  write("bad.mp4", "text");
  const Ran ran = mien({"analyze", "a.mp4", "bad.mp4", "b.mp4", "--out", "all", "--no-video"});
  EXPECT_EQ(ran.exit_code, 1) << ran.text();
  EXPECT_THAT(ran.err, HasSubstr("bad.mp4"));
  EXPECT_THAT(list("all"), ElementsAre("a", "b"));
}

TEST_F(BadInputTest, PredictNamesBadPicturesAndGoesOn) {
  ASSERT_TRUE(media::write_png(path("ok.png"), plain_picture(64, 64, 0)).ok());
  write("bad.jpg", "no picture");
  const Ran ran = mien({"predict", "missing.jpg", "bad.jpg", "ok.png"});
  EXPECT_EQ(ran.exit_code, 1) << ran.text();
  EXPECT_THAT(ran.err, HasSubstr("missing.jpg"));
  EXPECT_THAT(ran.err, HasSubstr("bad.jpg"));
  EXPECT_THAT(ran.err, HasSubstr("ok.png: no face was found"));
}

}  // namespace
}  // namespace mien::testing
