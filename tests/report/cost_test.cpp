// The counting rule against the figures of the papers' tables (NOTES.md section 11; costs.json,
// measured by intercepting every product of a real forward pass).
#include "report/cost.h"

#include <gtest/gtest.h>

#include "core/presets.h"

namespace mien::report {
namespace {

ModelCost cost_of(const core::ModelConfig& config, int frames = 0, int size = 0) {
  const auto cost = model_cost(config, frames, size);
  EXPECT_TRUE(cost.ok()) << cost.error().to_string();
  return cost.ok() ? *cost : ModelCost();
}

TEST(Cost, S2DBase) {
  const ModelCost cost = cost_of(*core::find_preset("s2d-base"));
  EXPECT_EQ(cost.parameters, 95055571);
  EXPECT_NEAR(cost.gmacs, 309.987415296, 1e-6);
  EXPECT_NEAR(cost.landmark_gmacs, 3.115728896, 1e-6);
  EXPECT_EQ(cost.landmark_parameters, 565888);
  EXPECT_EQ(cost.frames, 16);
  double sum = 0.0;
  double products = 0.0;
  for (const auto& [part, gmacs] : cost.by_part) {
    sum += gmacs;
    if (part == "attention_products") products = gmacs;
  }
  EXPECT_NEAR(sum, cost.gmacs, 1e-9);
  EXPECT_NEAR(products, 11.445239808, 1e-6);  // those of plain ViT-B; the rest is TMA's
}

TEST(Cost, S2DWithItsLandmarkTrunk) {
  core::ModelConfig config = *core::find_preset("s2d-base");
  config.s2d.with_landmark = true;
  const ModelCost cost = cost_of(config);
  EXPECT_EQ(cost.parameters, 95621459);
  EXPECT_NEAR(cost.gmacs, 313.103144192, 1e-6);
}

TEST(Cost, ShallowPrompts) {
  core::ModelConfig config = *core::find_preset("s2d-base");
  config.s2d.deep_prompt = false;
  const ModelCost cost = cost_of(config);
  EXPECT_EQ(cost.parameters, 86677080);
  EXPECT_NEAR(cost.gmacs, 283.70643072, 1e-6);
}

TEST(Cost, MobileFaceNet) {
  const ModelCost cost = cost_of(*core::find_preset("landmark"), 16);
  EXPECT_EQ(cost.parameters, 1007248);
  EXPECT_NEAR(cost.gmacs, 3.535511552, 1e-6);
}

TEST(Cost, FramesAndSizeCanBeChanged) {
  const core::ModelConfig base = *core::find_preset("s2d-base");
  EXPECT_EQ(cost_of(base, 8).frames, 8);
  EXPECT_LT(cost_of(base, 8).gmacs, 155.0);  // more than linear in the frames: TMA attends to all
  EXPECT_EQ(cost_of(base, 0, 112).size, 112);
  EXPECT_LT(cost_of(base, 0, 112).parameters, 95055571);  // a smaller position table
  EXPECT_GT(cost_of(base).activation_bytes, cost_of(base, 8).activation_bytes);
  for (const auto& [frames, size] : {std::pair{5000, 0}, std::pair{0, 100}, std::pair{0, 8}}) {
    EXPECT_FALSE(model_cost(base, frames, size).ok()) << frames << " " << size;
  }
  EXPECT_FALSE(model_cost(*core::find_preset("landmark"), 1, 96).ok());
}

}  // namespace
}  // namespace mien::report
