// `mien convert`, `infer` and `cost` as the program runs them, from arguments to files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "cli/command.h"
#include "compare.h"
#include "core/files.h"
#include "golden.h"
#include "model_on_disk.h"

namespace mien::cli {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  int exit_code = 0;
  std::string out, err;
};

Outcome run(std::vector<std::string> arguments) {
  CLI::App app("test", "mien");
  Outcome outcome;
  add_convert(app, outcome.exit_code);
  add_infer(app, outcome.exit_code);
  add_cost(app, outcome.exit_code);
  app.require_subcommand(1);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError&) {
    outcome.exit_code = kExitUsage;
  }
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

void expect_parity(const std::string& name, const std::string& precision, double tolerance) {
  const mien::testing::TempFolder folder;
  const std::string model = folder.file("model.safetensors");
  const std::string output = folder.file("out.safetensors");
  const Outcome convert = run({"convert", test::golden(name) + "/weights.pth", model, "--config",
                               test::golden(name) + "/config.json"});
  ASSERT_EQ(convert.exit_code, 0) << convert.err;
  const Outcome infer = run({"infer", model, test::golden(name) + "/inputs.safetensors", output,
                             "--activations", "--precision", precision});
  ASSERT_EQ(infer.exit_code, 0) << infer.err;
  const auto got = core::SafetensorsFile::open(output);
  const auto wanted = core::SafetensorsFile::open(test::golden(name) + "/outputs.safetensors");
  ASSERT_TRUE(got.ok() && wanted.ok());
  for (const auto& [key, tensor] : wanted->tensors()) {
    ASSERT_TRUE(got->tensors().contains(key)) << key;
    test::expect_close(key, got->tensors().at(key), tensor, tolerance);
  }
}

TEST(Commands, ConvertAndInferGiveTheGoldenNumbers) {
  MIEN_NEEDS_GOLDEN();
  expect_parity("s2d_small", "f32", 1e-4);
  expect_parity("s2d_small", "bf16", 3e-2);
  expect_parity("mobilefacenet", "f32", 1e-4);
  expect_parity("mobilefacenet", "bf16", 3e-2);
  expect_parity("videomae_small", "f32", 1e-4);
  expect_parity("videomae_small", "bf16", 3e-2);
}

TEST(Commands, TheEmbeddedLandmarkTrunkStandsInForA) {
  MIEN_NEEDS_GOLDEN();
  const mien::testing::TempFolder folder;
  const std::string model = folder.file("model.safetensors");
  const Outcome convert = run({"convert", test::golden("s2d_small") + "/weights.pth", model,
                               "--config", test::golden("s2d_small") + "/config.json", "--landmark",
                               test::golden("mobilefacenet") + "/weights.pth"});
  ASSERT_EQ(convert.exit_code, 0) << convert.err;
  // The golden inputs without `a`.
  const auto inputs =
      core::SafetensorsFile::open(test::golden("s2d_small") + "/inputs.safetensors");
  ASSERT_TRUE(inputs.ok());
  const std::string only_video = folder.file("video.safetensors");
  ASSERT_TRUE(
      core::write_safetensors(only_video, {{"video_u8", inputs->tensors().at("video_u8")}}).ok());
  const std::string output = folder.file("out.safetensors");
  const Outcome infer = run({"infer", model, only_video, output, "--precision", "f32"});
  ASSERT_EQ(infer.exit_code, 0) << infer.err;
  const auto got = core::SafetensorsFile::open(output);
  const auto wanted =
      core::SafetensorsFile::open(test::golden("s2d_small") + "/outputs.safetensors");
  ASSERT_TRUE(got.ok() && wanted.ok());
  test::expect_close("logits", got->tensors().at("logits"), wanted->tensors().at("logits"), 1e-4);
}

TEST(Commands, ConvertKeepsAModelsOwnConfigAndHalves) {
  const mien::testing::TempFolder folder;
  const std::string model = test::write_random(folder, test::small_config(true));
  const std::string half = folder.file("half.safetensors");
  const Outcome outcome = run({"convert", model, half, "--half"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto opened = core::open_model(half);
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  EXPECT_EQ(opened->config.classes[2], "sadness");
  EXPECT_EQ(opened->tensors().at("cls_token").dtype, core::DType::kF16);
}

TEST(Commands, ConvertWithoutTimeMakesAnImageModel) {
  const mien::testing::TempFolder folder;
  auto config = test::small_config(false);
  config.s2d.with_landmark = false;
  config.s2d.embed_dim = 128;  // two heads of 64, as the inference of sizes assumes
  core::TensorMap tensors = test::random_tensors(config, 1);
  tensors["norm.weight"] = tensors["ln_post.weight"];
  tensors.erase("ln_post.weight");
  const std::string bare = folder.file("bare.safetensors");
  ASSERT_TRUE(core::write_safetensors(bare, core::views_of(tensors)).ok());
  const std::string model = folder.file("model.safetensors");
  const Outcome outcome = run({"convert", bare, model});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("assuming 2 attention heads"));
  const auto opened = core::open_model(model);
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  EXPECT_FALSE(opened->config.s2d.temporal);
}

TEST(Commands, FailuresAreOneLineAndLeaveNoFile) {
  const mien::testing::TempFolder folder;
  const std::string text = folder.file("text.pth");
  std::ofstream(text) << "no checkpoint";
  const std::string output = folder.file("out.safetensors");
  const std::string model = test::write_random(folder, test::small_config(true));
  const std::vector<std::vector<std::string>> wrong = {
      {"convert", text, output},
      {"convert", folder.file("absent.pth"), output},
      {"convert", model, output, "--landmark", model + "x"},
      {"infer", text, text, output},
      {"infer", model, model, output},  // a model is no input
      {"cost", text},
      {"cost", "s2d-huge"},
      {"cost", "s2d-base", "--size", "100"},
  };
  for (const auto& arguments : wrong) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, kExitFailed) << arguments[0];
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(output)) << arguments[0];
  }
  EXPECT_EQ(run({"infer", model, model, output, "--precision", "f16"}).exit_code, kExitUsage);
}

TEST(Commands, InferTakesABudget) {
  const mien::testing::TempFolder folder;
  const std::string model = test::write_random(folder, test::small_adatosk_config());
  const std::string input = folder.file("in.safetensors");
  const std::string output = folder.file("out.safetensors");
  const core::Tensor video =
      core::Tensor::from_u8(test::random_pixels(4 * 48 * 48 * 3, 1), {4, 48, 48, 3});
  ASSERT_TRUE(core::write_safetensors(input, {{"video_u8", video.view()}}).ok());
  const Outcome some = run({"infer", model, input, output, "--budget", "0.2", "--activations"});
  ASSERT_EQ(some.exit_code, 0) << some.err;
  const auto got = core::SafetensorsFile::open(output);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->tensors().at("block2.out").shape, core::Shape({1, 4, 32}));
  EXPECT_EQ(got->tensors().at("mask").shape, core::Shape({1, 2, 3, 3}));
  for (const char* wrong : {"0", "1.5", "-1", "half"}) {
    EXPECT_EQ(run({"infer", model, input, output, "--budget", wrong}).exit_code, kExitUsage)
        << wrong;
  }
  const std::string other = test::write_random(folder, test::small_videomae_config());
  const Outcome refused = run({"infer", other, input, output, "--budget", "0.5"});
  EXPECT_EQ(refused.exit_code, kExitFailed);
  EXPECT_THAT(refused.err, HasSubstr("no soft mask"));
}

TEST(Commands, CostSpeaksJson) {
  const Outcome outcome = run({"cost", "s2d-base", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\"parameters\": 95055571"));
  EXPECT_THAT(outcome.out, HasSubstr("\"gmacs\": 309.987415"));
  EXPECT_THAT(outcome.out, HasSubstr("\"landmark_gmacs\": 3.115729"));
}

}  // namespace
}  // namespace mien::cli
