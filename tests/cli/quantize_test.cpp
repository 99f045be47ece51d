// mien quantize as its users run it, on a model of random weights: whether int8 holds for that does
// not matter here, only that the file says what was found and all else goes by it.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/analyze_fixture.h"
#include "cli/mini_datasets.h"
#include "core/model_file.h"
#include "engine/options.h"
#include "media/image.h"

namespace mien::testing {
namespace {

using ::testing::HasSubstr;

class QuantizeTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!std::filesystem::exists(std::string(MIEN_BINARY_DIR) + "/mien-train")) {
      GTEST_SKIP() << "mien-train is not part of this build";
    }
  }

  std::string model() const { return (models_ / "s2d-random.safetensors").string(); }

  // Three labelled pictures and one that training has seen.
  void write_pictures() const {
    std::filesystem::create_directories(path("data"));
    std::string manifest = "path,label\n";
    const char* labels[] = {"happiness", "sadness", "neutral", "fear"};
    for (int i = 0; i < 4; ++i) {
      media::Image image = media::Image::black(48, 48);
      for (std::size_t k = 0; k < image.rgb.size(); ++k) {
        image.rgb[k] = static_cast<std::uint8_t>(k / 3 * static_cast<std::size_t>(2 * i + 3) % 256);
      }
      const std::string name = "face" + std::to_string(i) + ".png";
      ASSERT_TRUE(media::write_png(path("data/" + name), image).ok());
      manifest += name + "," + labels[i] + "\n";
    }
    write("data/manifest.csv", manifest);
    write("data/valid_duplicates.csv", "image\nface3.png\n");
  }

  // The calibration inside a file.
  core::Quantization calibration(const std::string& file) const {
    const auto opened = core::open_model(path(file));
    EXPECT_TRUE(opened.ok()) << opened.error().to_string();
    if (!opened.ok() || !opened->config.quantization) {
      ADD_FAILURE() << file << " has no calibration";
      return {};
    }
    return *opened->config.quantization;
  }
};

TEST_F(QuantizeTest, StillsAreMeasuredAndTheFileSaysSo) {
  write_pictures();
  const Ran ran = mien({"quantize", model(), "--data", "data", "--format", "manifest", "--threads",
                        "1", "--out", "int8.safetensors"});
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(ran.out, HasSubstr("3 samples of data (manifest, valid)"));
  EXPECT_THAT(ran.out, HasSubstr("wrote int8.safetensors"));
  const core::Quantization q = calibration("int8.safetensors");
  EXPECT_EQ(q.samples, 3);
  EXPECT_EQ(q.data, "data (manifest, valid)");
  EXPECT_EQ(q.int8, q.agreement >= 0.99 && q.accuracy_int8 >= q.accuracy_f32 - 0.005);
  // Nothing else has changed, and the model itself not at all.
  const auto before = core::open_model(model());
  const auto after = core::open_model(path("int8.safetensors"));
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_FALSE(before->config.quantization.has_value());
  ASSERT_EQ(after->tensors().size(), before->tensors().size());
  for (const auto& [name, tensor] : before->tensors()) {
    const core::TensorView& other = after->tensors().at(name);
    EXPECT_EQ(other.dtype, tensor.dtype) << name;
    EXPECT_TRUE(std::equal(tensor.bytes.begin(), tensor.bytes.end(), other.bytes.begin(),
                           other.bytes.end()))
        << name;
  }
  core::ModelConfig config = after->config;
  config.quantization.reset();
  EXPECT_EQ(core::to_json(config), core::to_json(before->config));
}

TEST_F(QuantizeTest, EvaluationsGoByWhatTheFileSays) {
  write_pictures();
  const auto precision_of = [&](const std::string& file, const std::string& asked) {
    const Ran ran = mien({"eval", "--model", file, "--data", "data", "--format", "manifest",
                          "--precision", asked, "--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.text();
    return ran.exit_code == 0 ? nlohmann::json::parse(ran.out)["precision"].get<std::string>()
                              : std::string();
  };
  const std::string plain = precision_of(model(), "auto");
  EXPECT_NE(plain, "int8");
  EXPECT_EQ(precision_of(model(), "int8"), "int8");
  const auto opened = core::open_model(model());
  ASSERT_TRUE(opened.ok());
  for (const bool holds : {true, false}) {
    core::ModelConfig config = opened->config;
    config.quantization.emplace();
    config.quantization->int8 = holds;
    config.quantization->layers = static_cast<std::int64_t>(core::int8_layers(config).size());
    config.quantization->keep = {"blocks.0.mlp.fc2"};
    ASSERT_TRUE(
        core::write_model(path("said.safetensors"), config, opened->tensors(), core::DType::kF16)
            .ok());
    const bool taken = holds && engine::has_fast_int8();
    EXPECT_EQ(precision_of("said.safetensors", "auto"), taken ? "int8" : plain);
  }
}

TEST_F(QuantizeTest, ClipsInPlace) {
  ASSERT_TRUE(write_mini_dfew(path("data"), 10).ok());
  std::filesystem::copy_file(model(), path("mine.safetensors"));
  const Ran ran = mien({"quantize", "mine.safetensors", "--data", "data", "--format", "dfew",
                        "--split", "test", "--limit", "1"});
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  const core::Quantization q = calibration("mine.safetensors");
  EXPECT_EQ(q.samples, 1);
  EXPECT_EQ(q.data, "data (dfew, test)");
}

TEST_F(QuantizeTest, WhatCannotBeCalibratedIsNamed) {
  write_pictures();
  const auto expect_failure = [&](const std::vector<std::string>& arguments, int code,
                                  const std::string& named) {
    const Ran ran = mien(arguments);
    EXPECT_EQ(ran.exit_code, code) << ran.text();
    EXPECT_THAT(ran.err, HasSubstr(named));
  };
  expect_failure({"quantize", (models_ / "landmark.safetensors").string(), "--data", "data"}, 1,
                 "has no layers that compute in int8");
  expect_failure({"quantize", "nobody.safetensors", "--data", "data"}, 1, "nobody.safetensors");
  expect_failure({"quantize", model(), "--data", "nowhere", "--format", "manifest"}, 1, "nowhere");
  expect_failure({"quantize", model()}, 2, "--data");
  write("data/manifest.csv", "path,label\nface3.png,fear\n");  // which training has seen
  expect_failure({"quantize", model(), "--data", "data", "--format", "manifest"}, 1,
                 "no labelled sample");
}

}  // namespace
}  // namespace mien::testing
