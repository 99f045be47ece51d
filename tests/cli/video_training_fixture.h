// Trainings on clips as processes, with a model small enough to wait for.
#pragma once

#include <string>
#include <vector>

#include "cli/analyze_fixture.h"

namespace mien::testing {

class VideoTrainingTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!std::filesystem::exists(std::string(MIEN_BINARY_DIR) + "/mien-train")) {
      GTEST_SKIP() << "mien-train is not part of this build";
    }
  }

  // A config of a model small enough to train while one waits.
  void write_config(const std::string& name, const std::string& format, const std::string& classes,
                    const std::string& more) const {
    write(
        name,
        "[run]\nname = \"mini\"\nseed = 3\ncheckpoint_minutes = 0.005\nprecision = \"f32\"\n"
        "[model]\npreset = \"s2d-tiny\"\ndepth = 1\ntemporal = true\ndropout = 0.1\nclasses = \"" +
            classes +
            "\"\n"
            "[[data.train]]\npath = \"data\"\nformat = \"" +
            format +
            "\"\nsplit = \"train\"\n"
            "[[data.valid]]\npath = \"data\"\nformat = \"" +
            format +
            "\"\nsplit = \"test\"\n"
            "[data]\nbalance = 1.0\nfold = 1\n"
            "[video]\nrate = 1\n"
            "[train]\ntask = \"video\"\nbatch = 4\nlr = 1e-3\nwarmup_epochs = 0.5\nema = 0.5\n"
            "smoothing = 0.1\n"
            "[mixup]\nmixup = 0.8\ncutmix = 1.0\n"
            "[augment]\nrand_ops = 2\ncrop_scale_low = 0.5\nerase = 0.25\n" +
            more);
  }

  Ran train(const std::vector<std::string>& more, double timeout_s = 240) const {
    std::vector<std::string> arguments = {"train", "config.toml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    RunOptions options;
    options.timeout_s = timeout_s;
    return mien(arguments, options);
  }
};

}  // namespace mien::testing
