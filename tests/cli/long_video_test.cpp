// Memory must not grow with the length of the video.
#include <gtest/gtest.h>

#include "cli/analyze_fixture.h"
#include "media/video_reader.h"
#include "media/video_writer.h"

namespace mien::testing {
namespace {

class LongVideoTest : public CliTest {};

// `loops` times the frames of `input`, one after the other.
Status write_loop(const std::string& input, const std::string& output, int loops) {
  std::optional<media::VideoWriter> writer;
  double begin_s = 0;
  for (int i = 0; i < loops; ++i) {
    MIEN_ASSIGN(auto source, media::open_source(input));
    double last_s = begin_s;
    for (;;) {
      MIEN_ASSIGN(const std::optional<media::Frame> frame, source->next());
      if (!frame) break;
      if (!writer) {
        MIEN_ASSIGN(media::VideoWriter opened,
                    media::VideoWriter::open(output, frame->rgb.width, frame->rgb.height));
        writer.emplace(std::move(opened));
      }
      last_s = begin_s + frame->time_s;
      MIEN_TRY(writer->write(frame->rgb, last_s));
    }
    begin_s = last_s + 1.0 / 30;
  }
  return writer->finish();
}

TEST_F(LongVideoTest, PeakMemoryIsFlat) {
  if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";
  ASSERT_TRUE(write_loop(shared_video("single_face.mp4"), path("short.mp4"), 2).ok());
  ASSERT_TRUE(write_loop(shared_video("single_face.mp4"), path("long.mp4"), 16).ok());
  RunOptions patient;
  patient.timeout_s = 900;
  const Ran small = mien({"analyze", "short.mp4"}, patient);
  const Ran large = mien({"analyze", "long.mp4"}, patient);
  ASSERT_EQ(small.exit_code, 0) << small.text();
  ASSERT_EQ(large.exit_code, 0) << large.text();
  EXPECT_LT(large.peak_kb, 700 * 1024);
  // Eight times as long; allocators keep a little more after a while.
  EXPECT_LT(large.peak_kb, small.peak_kb + 40 * 1024) << small.peak_kb << " KB before";
  EXPECT_GT(lines("long_mien/faces.csv").size(), 1100U);
}

}  // namespace
}  // namespace mien::testing
