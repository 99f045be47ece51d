#include "core/videomae_spec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/files.h"
#include "core/presets.h"
#include "core/safetensors.h"

namespace mien::core {
namespace {

TEST(SincosPositions, ByHand) {
  const std::vector<float> table = sincos_positions(3, 4);
  ASSERT_EQ(table.size(), 12U);
  const std::vector<float> first(table.begin(), table.begin() + 4);
  EXPECT_EQ(first, (std::vector<float>{0.0F, 1.0F, 0.0F, 1.0F}));
  // Angles 2, 2, 2 / 100, 2 / 100: columns come in pairs of sine and cosine.
  EXPECT_FLOAT_EQ(table[8], static_cast<float>(std::sin(2.0)));
  EXPECT_FLOAT_EQ(table[9], static_cast<float>(std::cos(2.0)));
  EXPECT_FLOAT_EQ(table[10], static_cast<float>(std::sin(0.02)));
  EXPECT_FLOAT_EQ(table[11], static_cast<float>(std::cos(0.02)));
  EXPECT_TRUE(sincos_positions(0, 4).empty());
  EXPECT_TRUE(sincos_positions(4, 0).empty());
}

class VideoMaeGolden : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "needs " << folder_;
  }
  ModelConfig config() const {
    return parse_model_config(read_text_file(folder_ + "config.json").value()).value();
  }
  SafetensorsFile file(const std::string& name) const {
    return SafetensorsFile::open(folder_ + name).value();
  }
  const std::string folder_ = std::string(MIEN_SHARED_DIR) + "/reference/golden/videomae_small/";
};

TEST_F(VideoMaeGolden, TableIsTheStateDict) {
  const SafetensorsFile weights = file("weights.safetensors");
  const TensorTable table = tensor_table(config());
  const auto status = check_tensors(table, weights.tensors());
  EXPECT_TRUE(status.ok()) << status.error().to_string();
  EXPECT_EQ(table.size(), weights.tensors().size());
  EXPECT_EQ(parameter_count(table), 483655);
}

TEST_F(VideoMaeGolden, PositionsAreTheOfficialOnes) {
  const SafetensorsFile outputs = file("outputs.safetensors");
  const TensorView& truth = outputs.tensors().at("pos_embed");
  const std::vector<float> mine =
      sincos_positions(truth.shape[0], static_cast<int>(truth.shape[1]));
  ASSERT_EQ(truth.bytes.size(), mine.size() * sizeof(float));
  std::vector<float> official(mine.size());
  std::memcpy(official.data(), truth.bytes.data(), truth.bytes.size());
  for (std::size_t i = 0; i < mine.size(); ++i) ASSERT_NEAR(mine[i], official[i], 1e-7) << i;
}

TEST_F(VideoMaeGolden, SizesAreReadOffTheTensors) {
  const SafetensorsFile weights = file("weights.safetensors");
  const auto inferred = infer_videomae_config(weights.tensors());
  ASSERT_TRUE(inferred.ok()) << inferred.error().to_string();
  const VideoMaeConfig& c = *inferred;
  EXPECT_EQ(c.embed_dim, 96);
  EXPECT_EQ(c.depth, 3);
  EXPECT_EQ(c.patch_size, 16);
  EXPECT_EQ(c.tubelet_size, 2);
  EXPECT_EQ(c.mlp_dim(), 384);
  EXPECT_EQ(c.num_classes, 7);
  EXPECT_TRUE(c.qkv_bias);
  EXPECT_TRUE(check_tensors(videomae_table(c), weights.tensors()).ok());
}

TEST_F(VideoMaeGolden, OtherStateDictsAreRefused) {
  const SafetensorsFile weights = file("weights.safetensors");
  for (const char* name : {"patch_embed.proj.weight", "blocks.0.mlp.fc1.weight", "head.weight"}) {
    TensorViewMap tensors = weights.tensors();
    tensors.erase(name);
    EXPECT_FALSE(infer_videomae_config(tensors).ok()) << name;
  }
  TensorViewMap pooled_otherwise = weights.tensors();
  pooled_otherwise.erase("fc_norm.weight");
  ModelConfig config;
  config.arch = Arch::kVideoMae;
  config.videomae = infer_videomae_config(pooled_otherwise).value();
  const auto status = validate(config);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
}

TEST(VideoMaeTable, ParameterCountsOfTheOfficialModels) {
  EXPECT_EQ(parameter_count(tensor_table(find_preset("videomae-base").value())), 86232583);
  EXPECT_EQ(parameter_count(tensor_table(find_preset("videomae-small").value())), 21882631);
}

TEST(VideoMaeTable, WithoutBiasNoBiasTensors) {
  VideoMaeConfig config;
  const std::size_t with_bias = videomae_table(config).size();
  config.qkv_bias = false;
  EXPECT_EQ(videomae_table(config).size(), with_bias - 2U * 12U);
}

}  // namespace
}  // namespace mien::core
