// A table of experiments from nothing to its figure, on a few drawn clips.
#include <gmock/gmock.h>

#include "cli/mini_datasets.h"
#include "cli/video_training_fixture.h"

namespace mien::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

class SweepTest : public VideoTrainingTest {
 protected:
  // A given model, one that is trained, one whose training fails, one with a misspelt setting.
  void write_sweep() const {
    write(
        "table.toml",
        "title = \"Mini\"\nbase = \"config.toml\"\nseeds = [3]\nbaseline = \"given\"\n"
        "set = [\"train.epochs=1\", \"model.num_frames=4\"]\n"
        "[[prepare]]\nout = \"drawn\"\n"
        "command = [\"synth\", \"faces\", \"--out\", \"drawn\", \"--clips\", \"1\", \"--frames\", "
        "\"8\", \"--size\", \"128\"]\n"
        "[[eval]]\nname = \"fold 1\"\noptions = [\"--data\", \"data\", \"--format\", \"dfew\", "
        "\"--split\", \"test\", \"--fold\", \"1\", \"--precision\", \"f32\", \"--segments\", "
        "\"1\"]\n"
        "[[row]]\nname = \"misspelt\"\nset = [\"train.epocs=1\"]\n"
        "[[row]]\nname = \"broken\"\nset = [\"model.init=missing.safetensors\"]\n"
        "[[row]]\nname = \"given\"\nmodel = \"" +
            (models_ / "s2d-random.safetensors").string() +
            "\"\n"
            "[[row]]\nname = \"trained\"\n");
  }

  Ran sweep(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"sweep", "table.toml", "--out", "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return mien(arguments);
  }

  // The folder of the training that was finished.
  std::string trained_folder() const {
    for (const std::string& name : list("out/runs")) {
      if (fs::exists(path("out/runs/" + name + "/model.safetensors"))) return "out/runs/" + name;
    }
    return {};
  }
};

TEST_F(SweepTest, WhatFailsIsToldAndWhatIsDoneStaysDone) {
  ASSERT_TRUE(write_mini_dfew(path("data"), 10).ok());
  write_config("config.toml", "dfew", "dfew", "");
  write_sweep();
  const Ran first = sweep();
  EXPECT_EQ(first.exit_code, 1) << first.text();
  EXPECT_THAT(first.err, HasSubstr("2 runs failed"));
  EXPECT_THAT(first.err, HasSubstr("epocs"));
  EXPECT_THAT(first.err, HasSubstr("missing.safetensors"));
  EXPECT_THAT(first.err, HasSubstr("run 4 of 4: trained, seed 3: training"));
  EXPECT_TRUE(fs::exists(path("drawn")));
  const auto results = lines("out/results.csv");
  ASSERT_EQ(results.size(), 3U) << first.text();
  EXPECT_THAT(results[1], HasSubstr("given,,fold 1,2,"));
  EXPECT_THAT(results[2], HasSubstr("trained,3,fold 1,2,"));
  EXPECT_THAT(read("out/table.md"), HasSubstr("| trained | 1 |"));
  EXPECT_THAT(read("out/table.md"), HasSubstr("| broken | 0 |"));
  EXPECT_THAT(read("out/table.csv"), HasSubstr("fold 1,trained,war,1,"));
  EXPECT_THAT(read("out/figure.svg"), HasSubstr("Mini"));

  // Again: neither trained nor measured; the wishes of --only keep the other results in the table.
  const auto time = fs::last_write_time(path(trained_folder() + "/model.safetensors"));
  const Ran again = sweep({"--only", "trained"});
  EXPECT_EQ(again.exit_code, 0) << again.text();
  EXPECT_THAT(again.err, Not(HasSubstr("run 1 of")));
  EXPECT_THAT(again.err, HasSubstr("2 results"));
  EXPECT_EQ(fs::last_write_time(path(trained_folder() + "/model.safetensors")), time);
  EXPECT_EQ(lines("out/results.csv"), results);

  // As if it had been killed between its last checkpoint and its model.
  const std::string folder = trained_folder();
  fs::remove(path(folder + "/model.safetensors"));
  fs::remove_all(path("out/results"));
  const Ran resumed = sweep({"--only", "trained"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.text();
  EXPECT_THAT(read(folder + "/log.txt"), HasSubstr("resuming at step"));
  EXPECT_EQ(lines("out/results.csv").size(), 2U);
}

TEST_F(SweepTest, SeveralRunsAtATime) {
  ASSERT_TRUE(write_mini_dfew(path("data"), 10).ok());
  write_config("config.toml", "dfew", "dfew", "");
  write_sweep();
  // The same training under two names is done once, though both may begin at once.
  write("table.toml", read("table.toml") + "[[row]]\nname = \"twin\"\n");
  const Ran ran = sweep({"--jobs", "3"});
  EXPECT_EQ(ran.exit_code, 1) << ran.text();
  EXPECT_THAT(ran.err, HasSubstr("2 runs failed"));
  const auto results = lines("out/results.csv");
  ASSERT_EQ(results.size(), 4U) << ran.text();
  EXPECT_THAT(results[1], HasSubstr("given,,fold 1,2,"));
  EXPECT_THAT(results[2], HasSubstr("trained,3,fold 1,2,"));
  EXPECT_THAT(results[3], HasSubstr("twin,3,fold 1,2,"));
  const std::string log = read(trained_folder() + "/log.txt");
  EXPECT_EQ(log.find("loading alone"), log.rfind("loading alone")) << log;
}

TEST_F(SweepTest, ADryRunDoesNothing) {
  write_config("config.toml", "dfew", "dfew", "");
  write_sweep();
  const Ran ran = sweep({"--dry-run"});
  EXPECT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(ran.out, HasSubstr("to do drawn"));
  EXPECT_THAT(ran.out, HasSubstr("wrong misspelt, seed 3"));
  EXPECT_THAT(ran.out, HasSubstr("to do trained, seed 3: training\n      mien train config.toml"));
  EXPECT_THAT(ran.out, HasSubstr("to do given: fold 1\n      mien eval --model "));
  EXPECT_FALSE(fs::exists(path("out")));
  const Ran unknown = sweep({"--only", "nobody"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("nobody"));
}

}  // namespace
}  // namespace mien::testing
