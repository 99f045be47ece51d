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

TEST(Cost, AdaToskBaseKeepsWhatIsClaimed) {
  const core::ModelConfig base = *core::find_preset("adatosk-base");
  ASSERT_EQ(base.num_classes(), 7);
  const ModelCost cost = cost_of(base);
  EXPECT_EQ(cost.budget, 0.4);
  EXPECT_LE(cost.gmacs, 42.0);
  EXPECT_LE(cost.parameters, 74'000'000);
  // Ten blocks of VideoMAE (7,087,104 each), its embedding (1,180,416), fc_norm and head (6,919);
  // the mask's norm, seven numbers, a network of 64 units and aux_head.
  EXPECT_EQ(cost.parameters, 10 * 7087104 + 1180416 + 6919 + 1536 + 7 + 64 * (768 + 2) + 5383);
  // Three blocks over 800 tokens, seven over 320.
  const double rows = 3 * 800 + 7 * 320;
  EXPECT_NEAR(part_of(cost, "mlp"), rows * 8 * 768 * 768 / 1e9, 1e-6);
  EXPECT_NEAR(part_of(cost, "attention_linear"), rows * 4 * 768 * 768 / 1e9, 1e-6);
  EXPECT_NEAR(part_of(cost, "attention_products"),
              (3.0 * 800 * 800 + 7.0 * 320 * 320) * 2 * 768 / 1e9, 1e-6);
  EXPECT_NEAR(part_of(cost, "patch_embed"), 0.943718400, 1e-6);
  // At least the cosines to the prototypes; and still next to nothing.
  EXPECT_GT(part_of(cost, "soft_mask"), 800.0 * 7 * 768 / 1e9);
  EXPECT_LT(part_of(cost, "soft_mask"), 0.06);
}

// Slotwise, the tokens of a slot attend to each other alone before the gate; nothing else changes.
TEST(Cost, AdaToskSlotwiseSavesAttention) {
  core::ModelConfig config = *core::find_preset("adatosk-base");
  const ModelCost clip = cost_of(config);
  config.adatosk.slotwise = true;
  const ModelCost slots = cost_of(config);
  EXPECT_NEAR(part_of(slots, "attention_products"),
              (3.0 * 8 * 100 * 100 + 7.0 * 320 * 320) * 2 * 768 / 1e9, 1e-6);
  EXPECT_NEAR(clip.gmacs - slots.gmacs,
              part_of(clip, "attention_products") - part_of(slots, "attention_products"), 1e-6);
  EXPECT_EQ(slots.parameters, clip.parameters);
}

TEST(Cost, AdaToskFallsWithItsBudget) {
  for (const char* name : {"adatosk-base", "adatosk-small", "adatosk-tiny"}) {
    const core::ModelConfig config = *core::find_preset(name);
    double last = 1e9;
    for (const double budget : {1.0, 0.7, 0.5, 0.35, 0.25, 0.01}) {
      const auto cost = model_cost(config, 0, 0, budget);
      ASSERT_TRUE(cost.ok()) << name << ": " << cost.error().to_string();
      EXPECT_EQ(cost->budget, budget);
      EXPECT_LT(cost->gmacs, last) << name << " " << budget;
      EXPECT_EQ(cost->parameters, cost_of(config).parameters);
      last = cost->gmacs;
    }
    EXPECT_EQ(cost_of(config).gmacs, model_cost(config, 0, 0, config.adatosk.budget)->gmacs);
  }
  for (const auto& [name, budget] :
       {std::pair{"adatosk-tiny", 1.5}, std::pair{"videomae-tiny", 0.5}}) {
    const auto cost = model_cost(*core::find_preset(name), 0, 0, budget);
    ASSERT_FALSE(cost.ok()) << name;
    EXPECT_EQ(cost.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Cost, AdaToskWithoutMasksHasNone) {
  core::ModelConfig config = *core::find_preset("adatosk-tiny");
  const ModelCost both = cost_of(config);
  config.adatosk.semantic = false;
  const ModelCost agnostic = cost_of(config);
  EXPECT_LT(part_of(agnostic, "soft_mask"), part_of(both, "soft_mask"));
  config.adatosk.agnostic = false;
  const ModelCost none = cost_of(config);
  for (const auto& [part, gmacs] : none.by_part) EXPECT_NE(part, "soft_mask") << gmacs;
  EXPECT_LT(none.parameters, agnostic.parameters);
}

TEST(Cost, AdaToskStemRunsOncePerSlot) {
  core::ModelConfig config = *core::find_preset("adatosk-tiny");
  // By hand: eight slots of 56x56 places, of two planes each, and a 1x1 projection of 7x7 places.
  config.adatosk.stem = {{6, 2}, {6, 2}, {6, 2}, {10, 2}};
  const double convolutions =
      56.0 * 56 * 6 * 2 * 9 + (28.0 * 28 + 14.0 * 14) * 6 * 6 * 9 + 7.0 * 7 * 10 * 6 * 9;
  EXPECT_NEAR(part_of(cost_of(config), "patch_embed"), 8 * (convolutions + 49.0 * 10 * 192) / 1e9,
              1e-9);
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
