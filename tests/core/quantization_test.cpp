// What a model file says about int8: written, read back, and not believed when it cannot be true.
#include "core/quantization.h"

#include <gtest/gtest.h>

#include "core/model_config.h"
#include "core/presets.h"
#include "core/tensor_table.h"

namespace mien::core {
namespace {

ModelConfig calibrated() {
  ModelConfig config = find_preset("videomae-tiny").value();
  Quantization q;
  q.int8 = true;
  q.keep = {"blocks.1.mlp.fc2", "blocks.0.attn.qkv"};
  q.agreement = 0.9975;
  q.accuracy_f32 = 0.75;
  q.accuracy_bf16 = 0.7475;
  q.accuracy_int8 = 0.745;
  q.samples = 400;
  q.data = "faces (valid)";
  q.layers = 48;
  config.quantization = q;
  return config;
}

// Parses the config with `from` replaced by `to`, which must be refused; the message.
std::string refusal(const std::string& from, const std::string& to) {
  std::string text = to_json(calibrated());
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at == std::string::npos) return {};
  text.replace(at, from.size(), to);
  const auto config = parse_model_config(text);
  EXPECT_FALSE(config.ok()) << to;
  if (config.ok()) return {};
  EXPECT_EQ(config.error().code, ErrorCode::kBadFormat) << to;
  return config.error().message;
}

TEST(Quantization, SurvivesTheRoundTrip) {
  const ModelConfig config = calibrated();
  const auto again = parse_model_config(to_json(config));
  ASSERT_TRUE(again.ok()) << again.error().to_string();
  ASSERT_TRUE(again->quantization.has_value());
  EXPECT_EQ(*again->quantization, *config.quantization);
}

TEST(Quantization, ModelsWithoutOneHaveNone) {
  const ModelConfig config = find_preset("videomae-tiny").value();
  const std::string text = to_json(config);
  EXPECT_EQ(text.find("quantization"), std::string::npos);
  EXPECT_FALSE(parse_model_config(text).value().quantization.has_value());
}

TEST(Quantization, WhatCannotBeTrueIsRefused) {
  EXPECT_NE(refusal("blocks.1.mlp.fc2", "blocks.99.mlp.fc2").find("blocks.99.mlp.fc2"),
            std::string::npos);
  refusal("blocks.1.mlp.fc2", "blocks.1.mlp");
  refusal("blocks.1.mlp.fc2", "head");
  refusal("blocks.1.mlp.fc2", "blocks.0.attn.qkv");  // twice
  refusal("\"int8\":true", "\"int8\":1");
  refusal("0.9975", "1.5");
  refusal("0.9975", "\"much\"");
  refusal("\"samples\":400", "\"samples\":-1");
  refusal("\"samples\":400", "\"samples\":4.5");
  refusal("\"layers\":48", "\"layers\":\"all\"");
  refusal("\"faces (valid)\"", "[]");
  refusal("\"blocks.0.attn.qkv\"", "7");
}

// Each name is a matrix of the model's, or the engine would never meet it.
TEST(Quantization, LayersAreThoseOfTheTensorTable) {
  for (const std::string& name : preset_names()) {
    const ModelConfig config = find_preset(name).value();
    const std::vector<std::string> layers = int8_layers(config);
    const std::size_t stem = config.arch == Arch::kS2D       ? config.s2d.stem.size()
                             : config.arch == Arch::kAdaTosk ? config.adatosk.stem.size()
                                                             : 0;
    // The first convolution of a stem reads pictures.
    EXPECT_EQ(layers.size(),
              4U * static_cast<std::size_t>(config.depth()) + (stem > 0 ? stem - 1 : 0))
        << name;
    const TensorTable table = tensor_table(config);
    for (const std::string& layer : layers) {
      std::size_t found = 0;
      for (const TensorSpec& spec : table) {
        if (spec.name == layer + ".weight" && spec.shape.size() >= 2) ++found;
      }
      EXPECT_EQ(found, 1U) << name << ": " << layer;
    }
  }
}

// What was found out about other layers than there are says nothing about these.
TEST(Quantization, HoldsForTheLayersItKnew) {
  ModelConfig config = calibrated();
  EXPECT_TRUE(holds_in_int8(config));
  config.quantization->layers = 47;
  EXPECT_FALSE(holds_in_int8(config));
  config.quantization->layers = 48;
  config.quantization->int8 = false;
  EXPECT_FALSE(holds_in_int8(config));
  config.quantization.reset();
  EXPECT_FALSE(holds_in_int8(config));
  // Files from before say nothing of it.
  std::string text = to_json(calibrated());
  const std::string field = "\"layers\":48,";
  ASSERT_NE(text.find(field), std::string::npos);
  text.erase(text.find(field), field.size());
  const auto old = parse_model_config(text);
  ASSERT_TRUE(old.ok()) << old.error().to_string();
  EXPECT_FALSE(holds_in_int8(*old));
}

}  // namespace
}  // namespace mien::core
