#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>

#include "cli/analyze_fixture.h"

namespace mien::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UsageTest : public CliTest {};

TEST_F(UsageTest, VersionAndHelp) {
  const Ran version = mien({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out.rfind("mien ", 0), 0U) << version.text();
  const Ran help = mien({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command : {"analyze", "predict", "train", "eval", "quantize", "sweep", "infer",
                              "convert", "cost", "bench", "export"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
  }
  const Ran analyze = mien({"analyze", "--help"});
  EXPECT_EQ(analyze.exit_code, 0);
  for (const char* option :
       {"--model", "--out", "--window", "--stride", "--precision", "--budget", "--show-mask",
        "--threads", "--detector", "--shard", "--no-video", "--json", "--events"}) {
    EXPECT_THAT(analyze.out, HasSubstr(option));
  }
}

TEST_F(UsageTest, WrongUsageIsCodeTwo) {
  EXPECT_EQ(mien({}).exit_code, 2);
  EXPECT_EQ(mien({"dance"}).exit_code, 2);
  EXPECT_EQ(mien({"analyze"}).exit_code, 2);
  EXPECT_EQ(mien({"analyze", "x.mp4", "--no-such-option"}).exit_code, 2);
  EXPECT_EQ(mien({"analyze", "x.mp4", "--stride", "0"}).exit_code, 2);
  EXPECT_EQ(mien({"analyze", "x.mp4", "--window", "many"}).exit_code, 2);
  EXPECT_EQ(mien({"analyze", "x.mp4", "--precision", "f8"}).exit_code, 2);
  EXPECT_EQ(mien({"analyze", "x.mp4", "--shard", "3/2"}).exit_code, 2);
  EXPECT_EQ(mien({"analyze", "x.mp4", "--shard", "1"}).exit_code, 2);
  for (const char* wrong : {"0", "1.5", "some"}) {
    EXPECT_EQ(mien({"analyze", "x.mp4", "--budget", wrong}).exit_code, 2) << wrong;
  }
  EXPECT_EQ(mien({"analyze", "x.mp4", "--precision", "int8"}).exit_code, 1);  // no such video
  EXPECT_EQ(mien({"predict"}).exit_code, 2);
}

TEST_F(UsageTest, AModelWithoutAMaskTakesNoBudget) {
  const std::vector<std::vector<std::string>> wrong = {{"--budget", "0.5"}, {"--show-mask"}};
  for (const auto& more : wrong) {
    std::vector<std::string> arguments = {"analyze", "x.mp4"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = mien(arguments);
    EXPECT_EQ(ran.exit_code, 2) << ran.text();
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.text();
    EXPECT_THAT(ran.err, HasSubstr("s2d-random.safetensors: is no AdaTosk model"));
  }
}

TEST_F(UsageTest, ModelsThatDoNotFitAreNamed) {
  write("note.safetensors", "this is no model at all");
  expect_one_line_error(mien({"analyze", "x.mp4", "--model", "note.safetensors"}),
                        "note.safetensors");
  expect_one_line_error(mien({"analyze", "x.mp4", "--model", "missing.safetensors"}),
                        "missing.safetensors");
  const std::string landmark = (models_ / "landmark.safetensors").string();
  expect_one_line_error(mien({"analyze", "x.mp4", "--model", landmark}), "landmark.safetensors");
  expect_one_line_error(mien({"analyze", "x.mp4", "--detector", "missing.onnx"}), "missing.onnx");
  RunOptions elsewhere;
  elsewhere.environment = {"MIEN_MODELS=" + path("")};
  if (!std::filesystem::exists(std::string(MIEN_SOURCE_DIR) + "/models/landmark.safetensors")) {
    expect_one_line_error(mien({"analyze", "x.mp4"}, elsewhere), "MIEN_MODELS");
  }
}

// `mien train` and `mien eval` in a folder where mien-train is what we put there.
class TrainerTest : public CliTest {
 protected:
  Ran start(const std::vector<std::string>& arguments) const {
    const std::string copy = path("mien");
    std::filesystem::copy_file(mien_program(), copy,
                               std::filesystem::copy_options::overwrite_existing);
    RunOptions options;
    options.environment = {"PATH=" + path("")};
    return run_program(copy, arguments, options);
  }
};

TEST_F(TrainerTest, SaysWhenItIsNotBuilt) {
  expect_one_line_error(start({"train", "config.toml"}), "mien-train");
  expect_one_line_error(start({"eval", "--data", "x"}), "mien-train");
  expect_one_line_error(start({"sweep", "table.toml"}), "mien-train");
}

TEST_F(TrainerTest, PassesEveryArgumentAndTheExitCodeOn) {
  write("mien-train", "#!/bin/sh\nfor a in \"$@\"; do echo \"[$a]\"; done\nexit 7\n");
  ASSERT_EQ(chmod(path("mien-train").c_str(), 0755), 0);
  const Ran ran = start({"train", "a b.toml", "--set", "x=1", "--help", "", "--", "-z"});
  EXPECT_EQ(ran.exit_code, 7) << ran.text();
  EXPECT_EQ(ran.out, "[train]\n[a b.toml]\n[--set]\n[x=1]\n[--help]\n[]\n[--]\n[-z]\n");
}

}  // namespace
}  // namespace mien::testing
