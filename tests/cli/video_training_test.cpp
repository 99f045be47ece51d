// From a raw folder in an official layout to report.html: what a researcher with DFEW on disk does,
// on a data set of a few drawn clips.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/mini_datasets.h"
#include "cli/video_training_fixture.h"
#include "media/face_detector.h"

namespace mien::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(VideoTrainingTest, DfewFromRawFolderToReport) {
  ASSERT_TRUE(write_mini_dfew(path("data"), 15).ok());
  std::filesystem::remove_all(path("data/Clip/clip_224x224_16f/00003"));  // one that is missing
  write_config("config.toml", "dfew", "dfew", "epocs = 1\n");
  // A misspelt key is refused, and named.
  EXPECT_THAT(train({}).err, HasSubstr("epocs"));
  write_config("config.toml", "dfew", "dfew", "[loss]\nsdl = true\n");
  const Ran strict = train({"--set", "video.strict=true"});
  EXPECT_EQ(strict.exit_code, 1);
  EXPECT_THAT(strict.err, HasSubstr("00003"));
  const Ran trained = train({"--set", "train.epochs=2"});
  ASSERT_EQ(trained.exit_code, 0) << trained.text();
  EXPECT_THAT(trained.err, HasSubstr("00003"));               // the table of what is missing
  EXPECT_THAT(trained.err, HasSubstr("11 clips from data"));  // and how many are left
  EXPECT_THAT(trained.err, HasSubstr("clips/s"));

  const std::vector<std::string> eval = {"eval",   "--model",   "runs/mini/model.safetensors",
                                         "--data", "data",      "--format",
                                         "dfew",   "--split",   "test",
                                         "--fold", "1",         "--precision",
                                         "f32",    "--history", "runs/mini/history.csv"};
  auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> all = eval;
    all.insert(all.end(), more.begin(), more.end());
    return mien(all);
  };
  const Ran engine = with({"--out", "report", "--json"});
  ASSERT_EQ(engine.exit_code, 0) << engine.text();
  const auto json = nlohmann::json::parse(engine.out);
  EXPECT_EQ(json["n"], 3);
  EXPECT_EQ(json["classes"].size(), 7U);
  EXPECT_EQ(json["confusion"].size(), 7U);
  const std::string html = read("report/report.html");
  EXPECT_THAT(html, HasSubstr("DFEW"));
  EXPECT_THAT(html, HasSubstr("fold 1 of 5"));
  EXPECT_THAT(html, HasSubstr("<svg"));
  // LibTorch says the same of every clip.
  const Ran reference = with({"--reference", "--out", "reference"});
  ASSERT_EQ(reference.exit_code, 0) << reference.text();
  const auto ours = lines("report/scores.csv");
  const auto theirs = lines("reference/scores.csv");
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 1; i < ours.size(); ++i) {
    const auto answer = [](const std::string& row) {
      std::size_t at = 0;
      for (int comma = 0; comma < 3; ++comma) at = row.find(',', at) + 1;
      return row.substr(0, row.find(',', at));  // id, fold, truth, predicted
    };
    EXPECT_EQ(answer(ours[i]), answer(theirs[i]));
  }
}

TEST_F(VideoTrainingTest, TheOtherLayoutsTrainToo) {
  ASSERT_TRUE(write_mini_ferv39k(path("data"), 10).ok());
  write_config("config.toml", "ferv39k", "ferv39k", "");
  const Ran ferv39k = train({"--set", "train.epochs=1"});
  EXPECT_EQ(ferv39k.exit_code, 0) << ferv39k.text();
  std::filesystem::remove_all(path("data"));
  std::filesystem::remove_all(path("runs"));
  std::filesystem::remove_all(path("cache"));
  ASSERT_TRUE(write_mini_mafw(path("data"), 10).ok());
  write_config("config.toml", "mafw", "mafw", "");
  const Ran mafw = train({"--set", "train.epochs=1"});
  EXPECT_EQ(mafw.exit_code, 0) << mafw.text();
}

// Recordings of whole people are cut to their faces, by both programs' parts alike.
TEST_F(VideoTrainingTest, RavdessIsCutToItsFaces) {
  if (!media::make_haar_detector().ok()) GTEST_SKIP() << "no Haar cascade on this machine";
  ASSERT_TRUE(write_mini_ravdess(path("data")).ok());
  write_config("config.toml", "ravdess", "ravdess", "");
  const Ran trained = train({"--set", "train.epochs=1"});
  ASSERT_EQ(trained.exit_code, 0) << trained.text();
  EXPECT_THAT(trained.err, HasSubstr("6 clips from data (train), cut to the faces"));
  EXPECT_THAT(trained.err, HasSubstr("no face was found"));
  const auto eval = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"eval",        "--model", "runs/mini/model.safetensors",
                                    "--data",      "data",    "--format",
                                    "ravdess",     "--split", "test",
                                    "--precision", "f32",     "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return mien(all);
  };
  const Ran cut = eval({"--out", "cut"});
  ASSERT_EQ(cut.exit_code, 0) << cut.text();
  EXPECT_EQ(nlohmann::json::parse(cut.out)["n"], 3);
  EXPECT_THAT(cut.err, HasSubstr("no face was found"));
  const Ran whole = eval({"--faces", "whole", "--out", "whole"});
  ASSERT_EQ(whole.exit_code, 0) << whole.text();
  EXPECT_EQ(nlohmann::json::parse(whole.out)["n"], 4);
  EXPECT_THAT(read("cut/report.html"), HasSubstr("cut to the faces that haar finds"));
  EXPECT_THAT(read("cut/scores.csv"), Not(HasSubstr("02-01-05-01-01-01-02")));
  // Another part of the pictures, other scores.
  EXPECT_NE(lines("cut/scores.csv").at(1), lines("whole/scores.csv").at(1));
  EXPECT_EQ(eval({"--strict"}).exit_code, 1);
  EXPECT_EQ(eval({"--faces", "all"}).exit_code, 2);
  EXPECT_THAT(eval({"--detector", "missing.onnx"}).err, HasSubstr("missing.onnx"));
}

// First without labels, then both branches from there; LibTorch reads what came of it.
TEST_F(VideoTrainingTest, AdaToskInItsStages) {
  ASSERT_TRUE(write_mini_dfew(path("data"), 15).ok());
  write_config("config.toml", "dfew", "dfew", "");
  const auto stage = [&](const std::string& name, std::vector<std::string> settings,
                         std::vector<std::string> arguments = {}) {
    settings.insert(settings.end(), {"run.name=" + name, "model.preset=adatosk-tiny",
                                     "adatosk.depth=2", "adatosk.gate=1", "train.epochs=1"});
    for (const std::string& setting : settings) {
      arguments.insert(arguments.end(), {"--set", setting});
    }
    return train(arguments);
  };
  const Ran alone =
      stage("alone", {"adatosk.cls_weight=0", "adatosk.hard_ratio=0.75", "adatosk.rec_weight=1"});
  ASSERT_EQ(alone.exit_code, 0) << alone.text();
  EXPECT_THAT(read("runs/alone/history.csv"), HasSubstr("score"));
  const Ran joint = stage("joint", {"adatosk.hard_ratio=0.5", "adatosk.rec_weight=0.5"},
                          {"--init", "runs/alone/model.safetensors"});
  ASSERT_EQ(joint.exit_code, 0) << joint.text();
  EXPECT_THAT(joint.err, HasSubstr("runs/alone/model.safetensors"));
  EXPECT_THAT(read("runs/joint/history.csv"), HasSubstr("war"));
  EXPECT_THAT(read("runs/joint/history.csv"), HasSubstr("mask_mean"));
  const Ran evaluated =
      mien({"eval", "--model", "runs/joint/model.safetensors", "--data", "data", "--format", "dfew",
            "--split", "test", "--fold", "1", "--reference", "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.text();
  EXPECT_EQ(nlohmann::json::parse(evaluated.out)["n"], 3);
}

}  // namespace
}  // namespace mien::testing
