// A training killed at random moments, ten times, ends with the weights of an unbroken one.
#include <chrono>
#include <filesystem>

#include "cli/mini_datasets.h"
#include "cli/video_training_fixture.h"
#include "core/model_file.h"
#include "core/rng.h"

namespace mien::testing {
namespace {

// The tensors of a file, by name.
void expect_same_weights(const std::string& one, const std::string& other) {
  const auto a = core::open_model(one);
  const auto b = core::open_model(other);
  ASSERT_TRUE(a.ok() && b.ok());
  ASSERT_EQ(a->tensors().size(), b->tensors().size());
  for (const auto& [name, tensor] : a->tensors()) {
    const auto& theirs = b->tensors().at(name);
    ASSERT_EQ(tensor.bytes.size(), theirs.bytes.size());
    EXPECT_TRUE(std::equal(tensor.bytes.begin(), tensor.bytes.end(), theirs.bytes.begin())) << name;
  }
}

TEST_F(VideoTrainingTest, TenKillsGiveTheSameWeights) {
  ASSERT_TRUE(write_mini_dfew(path("data"), 15).ok());
  write_config("config.toml", "dfew", "dfew", "[loss]\nsdl = true\nsdl_update_freq = 1\n");
  const auto run = [&](const std::string& runs, bool resume, double life_s) {
    std::vector<std::string> arguments = {
        "--set", "train.epochs=40", "--set", "model.num_frames=4", "--runs", runs};
    if (resume) arguments.emplace_back("--resume");
    return train(arguments, life_s);
  };
  const Ran unbroken = run("whole", false, 240.0);
  ASSERT_EQ(unbroken.exit_code, 0) << unbroken.text();
  // How long it takes until the first epoch is done, with caches made.
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(
      train({"--set", "train.epochs=1", "--set", "model.num_frames=4", "--runs", "one"}).exit_code,
      0);
  const double start_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  core::Rng rng(11);
  int kills = 0;
  int resumed = 0;
  Ran last;
  for (int start = 0; start < 100 && kills <= 10; ++start) {
    // From "not yet at work" to "some steps on".
    last = run("broken", std::filesystem::exists(path("broken/mini")),
               kills < 10 ? start_s * rng.uniform(0.5, 1.3) : 240.0);
    if (last.err.find("resuming at step") != std::string::npos) ++resumed;
    if (last.exit_code != 128 + 9) break;
    ++kills;
  }
  ASSERT_EQ(last.exit_code, 0) << last.text();
  EXPECT_EQ(kills, 10);
  EXPECT_GE(resumed, 3);
  expect_same_weights(path("whole/mini/model.safetensors"), path("broken/mini/model.safetensors"));
}

}  // namespace
}  // namespace mien::testing
