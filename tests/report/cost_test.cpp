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

double part_of(const ModelCost& cost, const std::string& name) {
  for (const auto& [part, gmacs] : cost.by_part) {
    if (part == name) return gmacs;
  }
  ADD_FAILURE() << "no part " << name;
  return 0.0;
}

TEST(Cost, VideoMaeBase) {
  const core::ModelConfig base = *core::find_preset("videomae-base");
  const ModelCost cost = cost_of(base);
  EXPECT_EQ(cost.parameters, 86232583);
  EXPECT_NEAR(cost.gmacs, 80.687928576, 1e-6);
  EXPECT_NEAR(part_of(cost, "attention_products"), 11.79648, 1e-6);
  EXPECT_NEAR(part_of(cost, "patch_embed"), 0.943718400, 1e-6);
  EXPECT_EQ(cost.frames, 16);
  EXPECT_EQ(cost.size, 160);
  EXPECT_EQ(cost.landmark_parameters, 0);
  const ModelCost larger = cost_of(base, 0, 224);
  EXPECT_EQ(larger.parameters, 86232583);  // the position table is computed
  EXPECT_NEAR(larger.gmacs, 180.34, 0.01);
  EXPECT_NEAR(larger.gmacs - part_of(larger, "attention_products"), 135.03, 0.01);
  EXPECT_GT(larger.activation_bytes, cost.activation_bytes);
}

TEST(Cost, VideoMaeSmall) {
  const ModelCost cost = cost_of(*core::find_preset("videomae-small"));
  EXPECT_EQ(cost.parameters, 21882631);
  EXPECT_NEAR(cost.gmacs, 23.36, 0.01);
  EXPECT_NEAR(cost.gmacs - part_of(cost, "attention_products"), 17.46, 0.01);
}

TEST(Cost, VideoMaeFramesAndSizeMustFitTheTubelets) {
  const core::ModelConfig tiny = *core::find_preset("videomae-tiny");
  EXPECT_EQ(cost_of(tiny).size, 112);
  // Half of the tokens, and every one has half as many to attend to.
  const ModelCost half = cost_of(tiny, 8);
  EXPECT_EQ(half.frames, 8);
  EXPECT_NEAR(part_of(half, "mlp"), part_of(cost_of(tiny), "mlp") / 2, 1e-9);
  EXPECT_NEAR(part_of(half, "attention_products"), part_of(cost_of(tiny), "attention_products") / 4,
              1e-9);
  for (const auto& [frames, size] : {std::pair{7, 0}, std::pair{0, 100}, std::pair{5000, 0}}) {
    const auto cost = model_cost(tiny, frames, size);
    ASSERT_FALSE(cost.ok()) << frames << " " << size;
    EXPECT_EQ(cost.error().code, ErrorCode::kInvalidArgument);
  }
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
