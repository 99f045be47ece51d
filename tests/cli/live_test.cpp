// `mien analyze -` and `--events`: videos that come through a pipe, and what happens as it happens.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/analyze_fixture.h"
#include "media/video_reader.h"
#include "pipeline/test_videos.h"

namespace mien::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A video's frames in grey as YUV4MPEG2, a container that needs no seeking.
std::string y4m_of(const std::string& video) {
  auto source = media::open_source(video);
  EXPECT_TRUE(source.ok()) << source.error().to_string();
  if (!source.ok()) return {};
  const media::VideoInfo info = (*source)->info();
  std::string out = "YUV4MPEG2 W" + std::to_string(info.width) + " H" +
                    std::to_string(info.height) + " F30:1 Ip A1:1 Cmono\n";
  for (auto next = (*source)->next(); next.ok() && next->has_value(); next = (*source)->next()) {
    const auto& rgb = (*next)->rgb.rgb;
    out += "FRAME\n";
    for (std::size_t i = 0; i < rgb.size(); i += 3) {
      out += static_cast<char>((rgb[i] + 2 * rgb[i + 1] + rgb[i + 2]) / 4);
    }
  }
  return out;
}

class LiveTest : public CliTest {
 protected:
  // A line of shell in this test's folder, in which $0 is the program.
  Ran shell(const std::string& line, RunOptions options = {}) const {
    options.folder = folder_.string();
    options.environment = {"MIEN_MODELS=" + models_.string()};
    return run_program("/bin/sh", {"-c", line, mien_program()}, options);
  }
};

TEST_F(LiveTest, APipeGivesTheTablesOfTheFile) {
  if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";
  write("clip.y4m", y4m_of(shared_video("single_face.mp4")));
  const Ran file = mien({"analyze", "clip.y4m", "--no-video", "--precision", "f32"});
  ASSERT_EQ(file.exit_code, 0) << file.text();
  const Ran pipe = shell("cat clip.y4m | \"$0\" analyze - --no-video --precision f32");
  ASSERT_EQ(pipe.exit_code, 0) << pipe.text();
  EXPECT_GT(lines("clip_mien/expressions.csv").size(), 10U);
  EXPECT_EQ(read("stdin_mien/expressions.csv"), read("clip_mien/expressions.csv"));
  EXPECT_EQ(read("stdin_mien/faces.csv"), read("clip_mien/faces.csv"));
  const json result = json::parse(read("stdin_mien/result.json"));
  EXPECT_EQ(result["input"], "-");
  EXPECT_FALSE(result["video"].contains("frames_dropped")) << "a pipe can wait";
}

TEST_F(LiveTest, StandardInputMayBeAFile) {
  ASSERT_TRUE(write_plain_video(path("plain.mp4"), 30, 25).ok());
  const Ran ran = shell("\"$0\" analyze - --out o <plain.mp4");
  EXPECT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(list("o"), ElementsAre("annotated.mp4", "expressions.csv", "faces.csv", "result.json",
                                     "timeline.svg"));
  EXPECT_EQ(json::parse(read("o/result.json"))["video"]["frames"], 30);
}

TEST_F(LiveTest, AnEmptyPipeIsAnErrorOfOneLine) {
  expect_one_line_error(mien({"analyze", "-"}), "-: ");
  expect_one_line_error(shell("echo no video at all | \"$0\" analyze -"), "-: ");
  EXPECT_TRUE(list("").empty());
}

TEST_F(LiveTest, CtrlCEndsAPipeWithWholeOutputs) {
  ASSERT_TRUE(write_plain_video(path("plain.mp4"), 40, 30).ok());
  write("clip.y4m", y4m_of(path("plain.mp4")));
  RunOptions options;
  options.interrupt_after_s = 5;
  // The pipe stays open, and silent, for longer than that.
  const Ran ran = shell(
      "mkfifo pipe; (cat clip.y4m; exec sleep 9) >pipe 2>/dev/null & "
      "exec \"$0\" analyze - <pipe",
      options);
  EXPECT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(list("stdin_mien"), ElementsAre("annotated.mp4", "expressions.csv", "faces.csv",
                                              "result.json", "timeline.svg"));
  const json result = json::parse(read("stdin_mien/result.json"));
  EXPECT_GE(result["video"]["frames"].get<int>(), 30);
}

TEST_F(LiveTest, EventsAreLinesOfJson) {
  ASSERT_TRUE(write_plain_video(path("plain.mp4"), 10, 25).ok());
  const Ran nothing = mien({"analyze", "plain.mp4", "--events", "--no-video"});
  EXPECT_EQ(nothing.exit_code, 0) << nothing.text();
  EXPECT_EQ(nothing.out, "");
  EXPECT_EQ(mien({"analyze", "plain.mp4", "--events", "--json"}).exit_code, 2);
  if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";

  const Ran ran =
      mien({"analyze", shared_video("single_face.mp4"), "--events", "--no-video", "--out", "o"});
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  std::vector<json> events;
  for (std::size_t begin = 0; begin < ran.out.size();) {
    const std::size_t end = ran.out.find('\n', begin);
    ASSERT_NE(end, std::string::npos);
    events.push_back(json::parse(ran.out.substr(begin, end - begin)));
    begin = end + 1;
  }
  ASSERT_GE(events.size(), 3U);
  EXPECT_EQ(events.front()["event"], "found");
  EXPECT_EQ(events.back()["event"], "lost");
  EXPECT_GT(events.back()["time_s"].get<double>(), events.front()["time_s"].get<double>());
  const json rows = json::parse(read("o/result.json"))["expressions"];
  ASSERT_EQ(rows.size() + 2, events.size()) << "one face";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json& event = events[i + 1];
    EXPECT_EQ(event["event"], "expression");
    EXPECT_THAT(event["input"].get<std::string>(), HasSubstr("single_face.mp4"));
    for (const auto& [key, value] : rows[i].items()) EXPECT_EQ(event[key], value) << key;
  }
}

TEST_F(LiveTest, AReaderWhoLeavesLeavesNothingHalfWritten) {
  if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";
  write("clip.y4m", y4m_of(shared_video("single_face.mp4")));
  // `true` reads nothing; what is live ends whole, a file leaves nothing.
  const Ran pipe = shell("cat clip.y4m | \"$0\" analyze - --events --no-video --out o | true");
  EXPECT_THAT(list("o"), ElementsAre("expressions.csv", "faces.csv", "result.json", "timeline.svg"))
      << pipe.text();
  const Ran file = shell("\"$0\" analyze clip.y4m --events --no-video --out p | true");
  EXPECT_EQ(list(""), (std::vector<std::string>{"clip.y4m", "o"})) << file.text();
}

TEST_F(LiveTest, EveryStageHasItsTime) {
  ASSERT_TRUE(write_plain_video(path("plain.mp4"), 10, 25).ok());
  ASSERT_EQ(mien({"analyze", "plain.mp4"}).exit_code, 0);
  const json timings = json::parse(read("plain_mien/result.json"))["timings"];
  for (const char* stage :
       {"decode", "detect", "landmarks", "align", "recognise", "draw", "write"}) {
    const std::string key = std::string(stage) + "_s";
    ASSERT_TRUE(timings.contains(key)) << key;
    EXPECT_GE(timings[key].get<double>(), 0.0) << key;
  }
  EXPECT_GT(timings["decode_s"].get<double>(), 0.0);
  EXPECT_GT(timings["detect_s"].get<double>(), 0.0);
}

}  // namespace
}  // namespace mien::testing
