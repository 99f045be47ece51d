#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/analyze_fixture.h"
#include "core/csv.h"
#include "media/video_reader.h"
#include "pipeline/random_models.h"
#include "pipeline/test_videos.h"

namespace mien::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kExpressionColumns =
    "track,start_s,end_s,x,y,w,h,confidence,label,"
    "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt";
const std::string kFaceColumns = "frame,time_s,track,x,y,w,h,score";

class AnalyzeTest : public CliTest {};

TEST_F(AnalyzeTest, NoFaceGivesEmptyTablesAndTheReason) {
  ASSERT_TRUE(write_plain_video(path("plain.mp4"), 30, 25).ok());
  const Ran ran = mien({"analyze", "plain.mp4"});
  EXPECT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_EQ(ran.err, "mien: plain.mp4: no face was found in 30 frames (detector: haar)\n");
  EXPECT_THAT(list("plain_mien"), ElementsAre("annotated.mp4", "expressions.csv", "faces.csv",
                                              "result.json", "timeline.svg"));
  EXPECT_EQ(read("plain_mien/expressions.csv"), kExpressionColumns + "\n");
  EXPECT_EQ(read("plain_mien/faces.csv"), kFaceColumns + "\n");
  EXPECT_THAT(read("plain_mien/timeline.svg"), HasSubstr("no face was found"));
  const json result = json::parse(read("plain_mien/result.json"));
  EXPECT_EQ(result["note"], "no face was found in 30 frames (detector: haar)");
  EXPECT_EQ(result["video"]["frames"], 30);
  EXPECT_TRUE(result["expressions"].empty());
}

TEST_F(AnalyzeTest, JsonOnStdoutIsTheDocumentAndNothingElse) {
  ASSERT_TRUE(write_plain_video(path("a.mp4"), 5, 25).ok());
  write("bad.mp4", "text");
  const Ran one = mien({"analyze", "a.mp4", "--json", "--no-video"});
  EXPECT_EQ(one.exit_code, 0) << one.text();
  EXPECT_EQ(one.out, read("a_mien/result.json"));
  EXPECT_TRUE(json::accept(one.out)) << one.out;
  const Ran two = mien({"analyze", "a.mp4", "bad.mp4", "--json", "--no-video"});
  EXPECT_EQ(two.exit_code, 1);
  const json list = json::parse(two.out);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["input"], "a.mp4");
  EXPECT_THAT(list[1]["error"].get<std::string>(), HasSubstr("bad.mp4"));
}

TEST_F(AnalyzeTest, NoVideoWhenNotWanted) {
  ASSERT_TRUE(write_plain_video(path("a.mp4"), 5, 25).ok());
  ASSERT_EQ(mien({"analyze", "a.mp4", "--no-video", "--out", "x/y"}).exit_code, 0);
  EXPECT_THAT(list("x/y"),
              ElementsAre("expressions.csv", "faces.csv", "result.json", "timeline.svg"));
}

TEST_F(AnalyzeTest, InputsOfOneNameGetFoldersOfTheirOwn) {
  std::filesystem::create_directories(path("p"));
  std::filesystem::create_directories(path("q"));
  ASSERT_TRUE(write_plain_video(path("p/a.mp4"), 3, 25).ok());
  ASSERT_TRUE(write_plain_video(path("q/a.mp4"), 4, 25).ok());
  ASSERT_EQ(mien({"analyze", "p/a.mp4", "q/a.mp4", "--out", "o", "--no-video"}).exit_code, 0);
  EXPECT_THAT(list("o"), ElementsAre("a", "a_2"));
  EXPECT_EQ(json::parse(read("o/a_2/result.json"))["input"], "q/a.mp4");
}

TEST_F(AnalyzeTest, SeveralInputsAtOnceAreToldInTheirOrder) {
  ASSERT_TRUE(write_plain_video(path("long.mp4"), 60, 25).ok());
  ASSERT_TRUE(write_plain_video(path("short.mp4"), 3, 25).ok());
  write("bad.mp4", "text");
  const std::vector<std::string> inputs = {"long.mp4", "bad.mp4", "short.mp4", "short.mp4"};
  std::vector<std::string> told;
  for (const char* jobs : {"1", "4"}) {
    std::vector<std::string> arguments = {"analyze", "--no-video", "--jobs", jobs, "--out", jobs};
    arguments.insert(arguments.end(), inputs.begin(), inputs.end());
    const Ran ran = mien(arguments);
    EXPECT_EQ(ran.exit_code, 1) << ran.text();
    EXPECT_THAT(ran.err, HasSubstr("bad.mp4"));
    std::string order;
    for (std::size_t begin = 0; begin < ran.out.size(); begin = ran.out.find('\n', begin) + 1) {
      order += ran.out.substr(begin, ran.out.find(':', begin) - begin) + " ";
    }
    told.push_back(order);
    EXPECT_THAT(list(jobs), ElementsAre("long", "short", "short_2"));
  }
  EXPECT_EQ(told[0], "long.mp4 short.mp4 short.mp4 ");
  EXPECT_EQ(told[1], told[0]);
  EXPECT_EQ(read("4/long/faces.csv"), read("1/long/faces.csv"));
}

TEST_F(AnalyzeTest, ShardsDivideTheInputs) {
  std::vector<std::string> all = {"analyze"};
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(write_plain_video(path(std::string(name) + ".mp4"), 3, 25).ok());
    all.push_back(std::string(name) + ".mp4");
  }
  all.insert(all.end(), {"--out", "o", "--no-video", "--shard"});
  auto first = all;
  first.push_back("1/2");
  ASSERT_EQ(mien(first).exit_code, 0);
  EXPECT_THAT(list("o"), ElementsAre("a", "c"));
  auto second = all;
  second.push_back("2/2");
  ASSERT_EQ(mien(second).exit_code, 0);
  EXPECT_THAT(list("o"), ElementsAre("a", "b", "c"));
}

TEST_F(AnalyzeTest, PicturesAndFoldersOfThem) {
  std::filesystem::create_directory(path("shots"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(media::write_png(path("shots/" + std::to_string(i) + ".png"),
                                 plain_picture(120 + 20 * i, 90, i))
                    .ok());
  }
  const Ran folder = mien({"analyze", "shots"});
  EXPECT_EQ(folder.exit_code, 0) << folder.text();
  EXPECT_EQ(json::parse(read("shots_mien/result.json"))["video"]["frames"], 3);
  const Ran single = mien({"analyze", "shots/0.png"});
  EXPECT_EQ(single.exit_code, 0) << single.text();
  EXPECT_THAT(single.err, HasSubstr("no face was found in 1 picture "));
}

TEST_F(AnalyzeTest, CtrlCLeavesNothingHalfWritten) {
  ASSERT_TRUE(write_plain_video(path("long.mp4"), 3000, 30, 640, 480).ok());
  RunOptions options;
  options.interrupt_after_s = 2.5;
  const Ran ran = mien({"analyze", "long.mp4"}, options);
  EXPECT_EQ(ran.exit_code, 130) << ran.text();
  EXPECT_EQ(list(""), std::vector<std::string>{"long.mp4"});
}

TEST_F(AnalyzeTest, FilesOfARealFace) {
  if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";
  const Ran ran = mien({"analyze", shared_video("single_face.mp4"), "--out", "one", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_EQ(ran.err, "") << "no progress when stderr is no terminal";

  const auto expressions = lines("one/expressions.csv");
  ASSERT_EQ(expressions.size(), 16U);
  EXPECT_EQ(expressions[0], kExpressionColumns);
  const auto table = core::read_csv(path("one/expressions.csv")).value();
  ASSERT_EQ(table.header.size(), 17U);
  ASSERT_EQ(table.rows.size(), 15U);
  for (const core::CsvRecord& fields : table.rows) {
    EXPECT_EQ(fields[0], "1");
    double sum = 0;
    double best = 0;
    for (std::size_t c = 9; c < 17; ++c) {
      sum += std::stod(fields[c]);
      best = std::max(best, std::stod(fields[c]));
    }
    EXPECT_NEAR(sum, 1, 1e-3);
    EXPECT_NEAR(best, std::stod(fields[7]), 1e-4);
  }
  const auto faces = lines("one/faces.csv");
  EXPECT_EQ(faces[0], kFaceColumns);
  EXPECT_GE(faces.size(), 70U);
  EXPECT_LE(faces.size(), 73U);

  const json result = json::parse(ran.out);
  EXPECT_EQ(result["expressions"].size(), expressions.size() - 1);
  EXPECT_EQ(result["faces"].size(), faces.size() - 1);
  EXPECT_EQ(result["tracks"].size(), 1U);
  EXPECT_EQ(result["model"]["name"], "s2d-random");
  EXPECT_EQ(result["model"]["classes"].size(), 8U);
  EXPECT_GT(result["timings"]["wall_s"].get<double>(), 0);

  auto video = media::open_source(path("one/annotated.mp4"));
  ASSERT_TRUE(video.ok()) << video.error().to_string();
  EXPECT_EQ((*video)->info().codec, "h264");
  int frames = 0;
  for (auto frame = (*video)->next(); frame.ok() && frame->has_value(); frame = (*video)->next()) {
    ++frames;
  }
  EXPECT_EQ(frames, 72);
}

// A rectangle of a frame, in pixels.
struct Part {
  int x = 0, y = 0, w = 0, h = 0;
};

// Mean difference of two films within a part of their frames.
double film_difference(const std::string& a, const std::string& b, const Part& part) {
  auto one = media::open_source(a);
  auto two = media::open_source(b);
  EXPECT_TRUE(one.ok() && two.ok());
  double sum = 0;
  double count = 0;
  for (;;) {
    const auto p = (*one)->next();
    const auto q = (*two)->next();
    if (!p.ok() || !q.ok() || !p->has_value() || !q->has_value()) break;
    for (int y = part.y; y < part.y + part.h; ++y) {
      for (int i = 3 * part.x; i < 3 * (part.x + part.w); ++i) {
        sum += std::abs((*p)->rgb.view().row(y)[i] - (*q)->rgb.view().row(y)[i]);
        ++count;
      }
    }
  }
  EXPECT_GT(count, 0);
  return sum / std::max(count, 1.0);
}

// The middle half of the face of an expressions row.
Part middle_of(const json& row) {
  const auto pixels = [&](const char* key) { return row[key].get<double>(); };
  return {static_cast<int>(pixels("x") + pixels("w") / 4),
          static_cast<int>(pixels("y") + pixels("h") / 4), static_cast<int>(pixels("w") / 2),
          static_cast<int>(pixels("h") / 2)};
}

TEST_F(AnalyzeTest, ShowsTheMaskOfAnAdaToskModel) {
  if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";
  ASSERT_TRUE(write_random_adatosk(path("adatosk-random.safetensors")).ok());
  const auto analyze = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"analyze",     shared_video("single_face.mp4"),
                                          "--model",     "adatosk-random.safetensors",
                                          "--out",       out,
                                          "--precision", "f32",
                                          "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = mien(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.text();
    return json::parse(ran.out);
  };
  const json plain = analyze("plain", {});
  const json shown = analyze("shown", {"--show-mask"});
  const json few = analyze("few", {"--budget", "0.1", "--no-video"});
  EXPECT_EQ(plain["settings"]["budget"], 0.4);
  EXPECT_EQ(shown["settings"]["budget"], 0.4);
  EXPECT_EQ(few["settings"]["budget"], 0.1);
  // The tables are what they are without.
  EXPECT_EQ(read("plain/expressions.csv"), read("shown/expressions.csv"));
  EXPECT_NE(read("plain/expressions.csv"), read("few/expressions.csv"));
  EXPECT_EQ(lines("shown/expressions.csv")[0], kExpressionColumns);
  ASSERT_GE(shown["expressions"].size(), 13U);
  EXPECT_FALSE(plain["expressions"][0].contains("mask"));
  for (const json& row : shown["expressions"]) {
    ASSERT_EQ(row["mask"].size(), 8U);
    for (const json& m : row["mask"])
      EXPECT_TRUE(m.get<double>() >= 0 && m.get<double>() <= 1) << m;
  }
  EXPECT_THAT(read("shown/timeline.svg"), HasSubstr("class=\"strip\""));
  EXPECT_THAT(read("shown/timeline.svg"), HasSubstr("soft mask"));
  EXPECT_THAT(read("plain/timeline.svg"), ::testing::Not(HasSubstr("class=\"strip\"")));
  // The face is tinted, the far corner of the picture is not.
  const auto differ = [&](const Part& part) {
    return film_difference(path("plain/annotated.mp4"), path("shown/annotated.mp4"), part);
  };
  const double face = differ(middle_of(shown["expressions"][5]));
  EXPECT_GT(face, 4.0);
  EXPECT_LT(differ({0, 0, 24, 24}), 0.5 * face);
}

TEST_F(AnalyzeTest, TablesAreTheSameEveryTimeAndForEveryNumberOfThreads) {
  if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";
  const auto analyze = [&](const std::string& out, const std::string& threads) {
    const Ran ran = mien({"analyze", shared_video("single_face.mp4"), "--out", out, "--no-video",
                          "--threads", threads, "--precision", "f32"});
    ASSERT_EQ(ran.exit_code, 0) << ran.text();
  };
  analyze("a", "1");
  analyze("b", "1");
  analyze("c", "2");
  EXPECT_EQ(read("a/faces.csv"), read("b/faces.csv"));
  EXPECT_EQ(read("a/expressions.csv"), read("b/expressions.csv"));
  EXPECT_EQ(read("a/faces.csv"), read("c/faces.csv"));
  // Sums may be taken in another order by two threads: the last printed digit may differ.
  const auto one = core::read_csv(path("a/expressions.csv")).value();
  const auto two = core::read_csv(path("c/expressions.csv")).value();
  ASSERT_EQ(one.header.names(), two.header.names());
  ASSERT_EQ(one.rows.size(), two.rows.size());
  for (std::size_t i = 0; i < one.rows.size(); ++i) {
    for (std::size_t c = 9; c < one.header.size(); ++c) {
      EXPECT_NEAR(std::stod(one.rows[i][c]), std::stod(two.rows[i][c]), 2e-5) << "row " << i;
    }
  }
}

TEST_F(AnalyzeTest, PredictPrintsARowPerFace) {
  if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";
  auto video = media::open_source(shared_video("single_face.mp4"));
  ASSERT_TRUE(video.ok());
  const auto frame = (*video)->next();
  ASSERT_TRUE(frame.ok() && frame->has_value());
  ASSERT_TRUE(media::write_png(path("face, one.png"), (*frame)->rgb).ok());
  const Ran table = mien({"predict", "face, one.png"});
  ASSERT_EQ(table.exit_code, 0) << table.text();
  EXPECT_EQ(table.out.substr(0, table.out.find('\n')),
            "image,x,y,w,h,score,label,"
            "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt");
  const Ran document = mien({"predict", "face, one.png", "--json"});
  ASSERT_EQ(document.exit_code, 0) << document.text();
  const json list = json::parse(document.out);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["image"], "face, one.png");
  for (const char* key : {"x", "y", "w", "h"}) EXPECT_TRUE(list[0][key].is_number()) << key;
  double sum = 0;
  for (const auto& [name, p] : list[0]["probabilities"].items()) sum += p.get<double>();
  EXPECT_NEAR(sum, 1, 1e-3);
  EXPECT_TRUE(list[0]["probabilities"].contains(list[0]["label"].get<std::string>()));
}

}  // namespace
}  // namespace mien::testing
