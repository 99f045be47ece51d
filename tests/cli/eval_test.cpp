// mien eval as its users run it, with models of random weights: what is right about their answers
// does not matter here, only what is made of them.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/analyze_fixture.h"
#include "cli/mini_datasets.h"
#include "media/image.h"

namespace mien::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kHeader = "id,fold,truth,predicted,confidence,views,anger,fear\n";
// Two models on the same two clips, each right about one.
const std::string kOne =
    kHeader + "x,1,fear,fear,0.75,2,0.25,0.75\ny,1,anger,fear,0.625,2,0.375,0.625\n";
const std::string kTwo =
    kHeader + "x,1,fear,anger,0.625,2,0.625,0.375\ny,1,anger,anger,0.75,2,0.75,0.25\n";
// Other clips, of the second fold.
const std::string kNext = kHeader + "x,2,fear,fear,1,2,0,1\n";

class EvalTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!std::filesystem::exists(std::string(MIEN_BINARY_DIR) + "/mien-train")) {
      GTEST_SKIP() << "mien-train is not part of this build";
    }
  }

  Ran eval(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "eval");
    return mien(arguments);
  }

  std::string model() const { return (models_ / "s2d-random.safetensors").string(); }

  // Failed with code 1 and one line that holds `named`.
  static void expect_failure(const Ran& ran, const std::string& named) {
    EXPECT_EQ(ran.exit_code, 1) << ran.text();
    EXPECT_THAT(ran.err, StartsWith("mien-train: "));
    EXPECT_THAT(ran.err, HasSubstr(named));
  }
};

TEST_F(EvalTest, FoldsOneByOneJoinToTheReportOfAll) {
  ASSERT_TRUE(write_mini_dfew(path("data"), 15).ok());
  const auto on_fold = [&](const std::string& fold, const std::string& out) {
    return eval({"--model", model(), "--data", "data", "--format", "dfew", "--split", "test",
                 "--precision", "f32", "--fold", fold, "--out", out});
  };
  const Ran all = on_fold("all", "all");
  ASSERT_EQ(all.exit_code, 0) << all.text();
  EXPECT_THAT(all.out, HasSubstr("DFEW, mean of 5 folds: WAR "));
  std::vector<std::string> join = {"--protocol", "dfew", "--out", "joined", "--scores"};
  for (const char* fold : {"4", "1", "5", "3", "2"}) {
    const std::string out = std::string("fold") + fold;
    const Ran one = on_fold(fold, out);
    ASSERT_EQ(one.exit_code, 0) << one.text();
    EXPECT_THAT(one.out, HasSubstr("fold " + std::string(fold) + " of 5 alone"));
    join.push_back(out + "/scores.csv");
  }
  std::filesystem::remove_all(path("data"));  // neither data nor model is needed any more
  const Ran joined = eval(join);
  ASSERT_EQ(joined.exit_code, 0) << joined.text();
  EXPECT_THAT(joined.out, HasSubstr("DFEW, mean of 5 folds: WAR "));
  EXPECT_EQ(read("joined/scores.csv"), read("all/scores.csv"));
  EXPECT_EQ(read("joined/report.csv"), read("all/report.csv"));
  const auto ours = nlohmann::json::parse(read("joined/report.json"));
  const auto theirs = nlohmann::json::parse(read("all/report.json"));
  EXPECT_EQ(ours["n"], 15);
  for (const char* key : {"n", "war", "uar", "macro_f1", "classes", "per_class", "confusion",
                          "protocol", "folds", "std", "pooled", "ci", "ece", "mistakes"}) {
    ASSERT_TRUE(theirs.contains(key)) << key;
    EXPECT_EQ(ours[key], theirs[key]) << key;
  }
  EXPECT_THAT(read("joined/report.html"), HasSubstr("fold4/scores.csv: fold 4, 3 clips"));
}

TEST_F(EvalTest, AnEnsembleIsTheMeanOfItsProbabilities) {
  write("one.csv", kOne);
  write("two.csv", kTwo);
  // Fear of "x": (0.75 + 0.375) / 2, anger of "y": (0.375 + 0.75) / 2: both right now.
  const Ran mean = eval({"--scores", "one.csv", "two.csv", "--average", "--protocol", "single",
                         "--out", "mean", "--json"});
  ASSERT_EQ(mean.exit_code, 0) << mean.text();
  const auto json = nlohmann::json::parse(mean.out);
  EXPECT_EQ(json["n"], 2);
  EXPECT_EQ(json["war"], 1.0);
  EXPECT_EQ(json["uar"], 1.0);
  EXPECT_EQ(read("mean/scores.csv"), kHeader +
                                         "x,1,fear,fear,0.5625,4,0.4375,0.5625\n"
                                         "y,1,anger,anger,0.5625,4,0.5625,0.4375\n");
  // Each alone is right about one of two.
  for (const char* file : {"one.csv", "two.csv"}) {
    const Ran alone = eval({"--scores", file, "--protocol", "single", "--json"});
    ASSERT_EQ(alone.exit_code, 0) << alone.text();
    EXPECT_EQ(nlohmann::json::parse(alone.out)["war"], 0.5) << file;
  }
}

TEST_F(EvalTest, MissingFoldsMustBeAllowed) {
  write("one.csv", kOne);
  write("next.csv", kNext);
  expect_failure(eval({"--scores", "one.csv", "next.csv", "--protocol", "dfew"}),
                 "DFEW: fold 3, 4, 5 of 5 is missing");
  // The option may be repeated as well. WAR 1/2 and 1; UAR 1/2 and 1.
  const Ran partial = eval(
      {"--scores", "next.csv", "--scores", "one.csv", "--protocol", "dfew", "--partial", "--json"});
  ASSERT_EQ(partial.exit_code, 0) << partial.text();
  const auto json = nlohmann::json::parse(partial.out);
  EXPECT_EQ(json["war"], 0.75);
  EXPECT_EQ(json["uar"], 0.75);
  EXPECT_EQ(json["protocol"]["basis"], "mean of folds 1, 2 of 5 (partial)");
  EXPECT_EQ(json["settings"]["file 1"], "next.csv: fold 2, 1 clips");
}

TEST_F(EvalTest, ScoresThatDoNotFitAreNamed) {
  write("one.csv", kOne);
  write("two.csv", kTwo);
  write("next.csv", kNext);
  write("other.csv",
        "id,fold,truth,predicted,confidence,views,fear,anger\nz,1,fear,fear,1,2,1,0\n");
  write("none.csv", "hello\n");
  const auto with = [&](const std::vector<std::string>& files, bool average = false) {
    std::vector<std::string> arguments = {"--protocol", "single", "--scores"};
    arguments.insert(arguments.end(), files.begin(), files.end());
    if (average) arguments.emplace_back("--average");
    return eval(arguments);
  };
  expect_failure(with({"one.csv", "two.csv"}), "two.csv: clip 'x' of fold 1 is in one.csv too");
  expect_failure(with({"one.csv", "other.csv"}), "other.csv: its classes (fear, anger)");
  expect_failure(with({"one.csv", "none.csv"}), "none.csv");
  expect_failure(with({"one.csv", "gone.csv"}), "gone.csv");
  expect_failure(with({"one.csv", "next.csv"}), "fold 2 is outside 1..1");
  expect_failure(with({"one.csv", "next.csv"}, true), "nothing to average");
  expect_failure(eval({"--scores", "one.csv", "--protocol", "afew"}), "no protocol 'afew'");
}

TEST_F(EvalTest, OptionsThatContradictEachOtherAreCodeTwo) {
  std::filesystem::create_directories(path("run"));
  write("run/scores.csv", kOne);
  write("two.csv", kTwo);
  const std::vector<std::string> scores = {"--scores", "run/scores.csv", "--protocol", "single"};
  ASSERT_EQ(eval(scores).exit_code, 0);
  const auto code = [&](std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = eval(arguments);
    EXPECT_EQ(ran.out, "") << ran.text();
    return ran.exit_code;
  };
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--model", "m.safetensors"},
                                             {"--data", "data"},
                                             {"--fold", "1"},
                                             {"--rate", "1"},
                                             {"--reference"},
                                             {"--average"},
                                             {"--scores", "./run/../run/scores.csv"},
                                             {"--out", "run"}}) {
    EXPECT_EQ(code(scores, more), 2) << more.front();
  }
  EXPECT_EQ(code({"--scores", "two.csv"}, {}), 2);  // no protocol
  EXPECT_EQ(code({"--data", "data"}, {"--average"}), 2);
  EXPECT_EQ(code({}, {}), 2);
  EXPECT_EQ(code({"--data", "data"}, {"--precision", "f8"}), 2);
  EXPECT_EQ(read("run/scores.csv"), kOne);
}

TEST_F(EvalTest, HelpNamesEveryFormatOfClips) {
  const Ran help = eval({"--help"});
  ASSERT_EQ(help.exit_code, 0) << help.text();
  for (const char* name : {"dfew-original", "mae-dfer-mafw", "crema-d", "--scores", "--average",
                           "--partial", "single"}) {
    EXPECT_THAT(help.out, HasSubstr(name));
  }
}

// A ramp, so that a resized crop of it is no plain square.
media::Image ramp(int side, int step) {
  media::Image image = media::Image::black(side, side);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] = static_cast<std::uint8_t>(i / 3 * static_cast<std::size_t>(step) % 256);
  }
  return image;
}

TEST_F(EvalTest, StillsHaveAReportToo) {
  // The same picture with two labels: one of the answers is wrong, whatever the model says. A third
  // one is listed as a near-duplicate of a training picture.
  std::filesystem::create_directories(path("data/a"));
  std::filesystem::create_directories(path("data/b"));
  ASSERT_TRUE(media::write_png(path("data/a/face.png"), ramp(48, 3)).ok());
  ASSERT_TRUE(media::write_png(path("data/b/face.png"), ramp(48, 3)).ok());
  ASSERT_TRUE(media::write_png(path("data/seen.png"), ramp(64, 5)).ok());
  write("data/manifest.csv",
        "path,label\na/face.png,happiness\nb/face.png,sadness\nseen.png,fear\n");
  write("data/valid_duplicates.csv", "image\nseen.png\n");
  const std::vector<std::string> arguments = {
      "--model", model(), "--data", "data", "--format", "manifest", "--precision", "f32", "--out"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    return eval(more);
  };
  const Ran ran = with({"out"});
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(ran.out, HasSubstr("report: out/report.html"));
  EXPECT_THAT(list("out"),
              ElementsAre("eval.json", "report.csv", "report.html", "report.json", "scores.csv"));
  const auto eval_json = nlohmann::json::parse(read("out/eval.json"));
  const auto report_json = nlohmann::json::parse(read("out/report.json"));
  EXPECT_EQ(eval_json["n"], 2);
  EXPECT_EQ(eval_json["with_duplicates"]["n"], 3);
  for (const char* key : {"n", "war", "uar", "macro_f1", "classes", "confusion"}) {
    EXPECT_EQ(report_json[key], eval_json[key]) << key;
  }
  EXPECT_GE(report_json["mistakes"].size(), 1U);
  const auto rows = lines("out/scores.csv");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_THAT(rows[1], StartsWith("face.png,1,happiness,"));
  EXPECT_THAT(rows[2], StartsWith("face.png #1,1,sadness,"));
  const std::string html = read("out/report.html");
  EXPECT_THAT(html, HasSubstr("src=\"data:image/jpeg;base64,"));
  EXPECT_THAT(html, HasSubstr("alt=\"Picture face.png"));
  EXPECT_THAT(html, HasSubstr("1, left out"));
  EXPECT_THAT(html, Not(HasSubstr("(no picture)")));
  // With the duplicate; what is printed as JSON is eval.json.
  const Ran more = with({"more", "--keep-duplicates", "--json"});
  ASSERT_EQ(more.exit_code, 0) << more.text();
  EXPECT_EQ(more.out, read("more/eval.json"));
  EXPECT_EQ(nlohmann::json::parse(read("more/report.json"))["n"], 3);
  EXPECT_EQ(lines("more/scores.csv").size(), 4U);
}

TEST_F(EvalTest, ALandmarkModelIsMeasuredOnPoints) {
  std::filesystem::create_directories(path("data"));
  ASSERT_TRUE(media::write_png(path("data/face.png"), ramp(48, 3)).ok());
  write("data/manifest.csv", "path,label\nface.png,happiness\n");
  expect_failure(eval({"--model", (models_ / "landmark.safetensors").string(), "--data", "data",
                       "--format", "manifest"}),
                 "has no picture with points");
}

}  // namespace
}  // namespace mien::testing
