#include "media/video_writer.h"

#include <algorithm>
#include <cstring>

#include "support.h"

namespace mien::media::test {
namespace {

class VideoWriterTest : public ScratchTest {};

TEST_F(VideoWriterTest, WritesBrowserReadyMp4) {
  ASSERT_TRUE(make_video(path("v.mp4"), even_times(30, 30), 161, 121).ok());
  EXPECT_FALSE(any_file_left("v.mp4"));
  const std::vector<char> bytes = read_bytes(path("v.mp4"));
  const std::string text(bytes.begin(), bytes.end());
  ASSERT_NE(text.find("moov"), std::string::npos);
  EXPECT_LT(text.find("moov"), text.find("mdat"));  // the index stands in front
  EXPECT_NE(text.find("avc1"), std::string::npos);
  auto source = open_source(path("v.mp4"));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->info().width, 162);
  EXPECT_EQ((*source)->info().height, 122);
  const ReadAll all = read_all(**source);
  EXPECT_EQ(all.times.size(), 30U);
  // Colours survive: red upper left, blue lower right, grey elsewhere.
  EXPECT_NEAR(pixel(all.first, 20, 20)[0], 230, 25);
  EXPECT_NEAR(pixel(all.first, 20, 20)[1], 20, 25);
  EXPECT_NEAR(pixel(all.first, 120, 100)[2], 230, 25);
  const std::vector<int> grey = pixel(all.first, 120, 20);
  EXPECT_NEAR(grey[0], grey[2], 12);
}

TEST_F(VideoWriterTest, LongestSideIsLimited) {
  VideoWriterOptions options;
  options.max_side = 100;
  Result<VideoWriter> writer = VideoWriter::open(path("s.mp4"), 400, 300, options);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(writer->width(), 100);
  EXPECT_EQ(writer->height(), 76);
  ASSERT_TRUE(writer->write(pattern(400, 300), 0).ok());
  ASSERT_TRUE(writer->finish().ok());
  auto source = open_source(path("s.mp4"));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(read_all(**source).first.width, 100);
}

TEST_F(VideoWriterTest, UnfinishedLeavesNothing) {
  {
    Result<VideoWriter> writer = VideoWriter::open(path("v.mp4"), 64, 64);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->write(pattern(64, 64), 0).ok());
    EXPECT_EQ(writer->write(pattern(32, 64), 1).error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(fs::exists(path("v.mp4")));
  }
  EXPECT_FALSE(any_file_left(""));
  Result<VideoWriter> none = VideoWriter::open(path("n.mp4"), 64, 64);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->finish().ok());
}

TEST_F(VideoWriterTest, TimesThatDoNotIncreaseAreMovedNotRefused) {
  ASSERT_TRUE(make_video(path("t.mp4"), {0, 0.1, 0.1, 0.05, 0.3}).ok());
  auto source = open_source(path("t.mp4"));
  ASSERT_TRUE(source.ok());
  const ReadAll all = read_all(**source);
  ASSERT_EQ(all.times.size(), 5U);
  EXPECT_NEAR(all.times[4], 0.3, 1e-3);
}

TEST_F(VideoWriterTest, PlacesThatCannotBeWrittenAreErrors) {
  const auto refused = VideoWriter::open(path("no/such/dir/v.mp4"), 64, 64);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_NE(refused.error().to_string().find("no/such/dir"), std::string::npos);
  EXPECT_EQ(VideoWriter::open(path("v.mp4"), 0, 5).error().code, ErrorCode::kInvalidArgument);
  VideoWriterOptions options;
  options.preset = "no such preset";
  EXPECT_FALSE(VideoWriter::open(path("v.mp4"), 64, 64, options).ok());
  EXPECT_FALSE(any_file_left(""));
}

}  // namespace
}  // namespace mien::media::test
