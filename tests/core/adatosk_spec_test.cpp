#include "core/adatosk_spec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/presets.h"
#include "core/rng.h"
#include "core/videomae_spec.h"

namespace mien::core {
namespace {

std::map<std::string, Shape> shapes_of(const TensorTable& table) {
  std::map<std::string, Shape> shapes;
  for (const TensorSpec& spec : table) shapes[spec.name] = spec.shape;
  EXPECT_EQ(shapes.size(), table.size()) << "a name stands there twice";
  return shapes;
}

AdaToskConfig base() {
  return find_preset("adatosk-base")->adatosk;
}

TEST(AdaToskTable, IsVideoMaeAndTheMask) {
  const AdaToskConfig config = base();
  auto shapes = shapes_of(adatosk_table(config));
  for (const TensorSpec& spec : videomae_table(config.vit)) {
    ASSERT_TRUE(shapes.contains(spec.name)) << spec.name;
    EXPECT_EQ(shapes[spec.name], spec.shape) << spec.name;
    shapes.erase(spec.name);
  }
  EXPECT_EQ(shapes, (std::map<std::string, Shape>{{"mask.norm.weight", {768}},
                                                  {"mask.norm.bias", {768}},
                                                  {"mask.slot_mean", {8, 768}},
                                                  {"mask.agnostic.scale", {1}},
                                                  {"mask.agnostic.offset", {1}},
                                                  {"mask.agnostic.repeat", {1}},
                                                  {"mask.agnostic.hidden.weight", {64, 768}},
                                                  {"mask.agnostic.hidden.bias", {64}},
                                                  {"mask.agnostic.readout", {64}},
                                                  {"mask.semantic.scale", {1}},
                                                  {"mask.semantic.offset", {1}},
                                                  {"mask.semantic.repeat", {1}},
                                                  {"mask.semantic.sharpness", {1}},
                                                  {"aux_head.weight", {7, 768}},
                                                  {"aux_head.bias", {7}}}));
}

TEST(AdaToskPositions, AreOfTheClipOrOfThePlaceAndThenTheSlot) {
  AdaToskConfig config = base();  // 8 slots of 100 places
  EXPECT_EQ(adatosk_positions(config), sincos_positions(800, 768));
  EXPECT_TRUE(adatosk_slot_positions(config).empty());
  config.slotwise = true;
  const std::vector<float> all = adatosk_positions(config);
  const std::vector<float> places = sincos_positions(100, 768);
  ASSERT_EQ(all.size(), 8 * places.size());
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], places[i % places.size()]) << i;
  EXPECT_EQ(adatosk_slot_positions(config), sincos_positions(8, 768));
}

TEST(AdaToskTable, StandsInTheOrderOfTheForwardPass) {
  const AdaToskConfig config = base();
  const TensorTable table = adatosk_table(config);
  const auto at = [&](const std::string& name) {
    const auto it = std::find_if(table.begin(), table.end(),
                                 [&](const TensorSpec& spec) { return spec.name == name; });
    EXPECT_NE(it, table.end()) << name;
    return it - table.begin();
  };
  EXPECT_LT(at("blocks.2.mlp.fc2.bias"), at("mask.norm.weight"));
  EXPECT_LT(at("aux_head.bias"), at("blocks.3.norm1.weight"));
  EXPECT_LT(at("blocks.9.mlp.fc2.bias"), at("head.weight"));
}

TEST(AdaToskTable, OnlyTheRunningMeanIsABuffer) {
  for (const TensorSpec& spec : adatosk_table(base())) {
    EXPECT_EQ(spec.buffer, spec.name == "mask.slot_mean") << spec.name;
  }
}

TEST(AdaToskTable, HalfAMaskAndNone) {
  AdaToskConfig config = base();
  config.semantic = false;
  auto shapes = shapes_of(adatosk_table(config));
  EXPECT_TRUE(shapes.contains("mask.agnostic.scale"));
  EXPECT_TRUE(shapes.contains("aux_head.weight"));
  EXPECT_FALSE(shapes.contains("mask.semantic.scale"));
  config.semantic = true;
  config.agnostic = false;
  shapes = shapes_of(adatosk_table(config));
  EXPECT_FALSE(shapes.contains("mask.agnostic.scale"));
  EXPECT_TRUE(shapes.contains("mask.semantic.sharpness"));
  EXPECT_TRUE(shapes.contains("mask.norm.weight"));
  config.semantic = false;
  EXPECT_EQ(shapes_of(adatosk_table(config)), shapes_of(videomae_table(config.vit)));
}

TEST(AdaToskTable, StemInsteadOfTheEmbedding) {
  const AdaToskConfig config = find_preset("adatosk-tiny")->adatosk;
  const auto shapes = shapes_of(adatosk_table(config));
  ASSERT_FALSE(config.stem.empty());
  const int first = config.stem.front().channels;
  const int last = config.stem.back().channels;
  // Two frames of one plane; then as S2D's.
  EXPECT_EQ(shapes.at("patch_embed.stem.0.conv.weight"), (Shape{first, 2, 3, 3}));
  EXPECT_EQ(shapes.at("patch_embed.stem.0.bn.running_var"), (Shape{first}));
  EXPECT_EQ(shapes.at("patch_embed.proj.weight"), (Shape{192, last, 1, 1}));
  EXPECT_EQ(shapes.at("patch_embed.proj.bias"), (Shape{192}));
  AdaToskConfig colour = config;
  colour.vit.in_chans = 3;
  EXPECT_EQ(shapes_of(adatosk_table(colour)).at("patch_embed.stem.0.conv.weight"),
            (Shape{first, 6, 3, 3}));
  const std::vector<ConvBlockSpec> blocks = adatosk_stem(config);
  ASSERT_EQ(blocks.size(), config.stem.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(blocks[i].name, "patch_embed.stem." + std::to_string(i));
    EXPECT_EQ(blocks[i].stride, config.stem[i].stride);
    EXPECT_EQ(blocks[i].in, i == 0 ? 2 : config.stem[i - 1].channels);
  }
  EXPECT_TRUE(adatosk_stem(base()).empty());
}

TEST(KeptTokens, RoundsUpAndStaysInside) {
  EXPECT_EQ(kept_tokens(1.0, 800), 800);
  EXPECT_EQ(kept_tokens(0.4, 800), 320);
  EXPECT_EQ(kept_tokens(0.4, 392), 157);  // 156.8
  EXPECT_EQ(kept_tokens(0.25, 392), 98);
  EXPECT_EQ(kept_tokens(0.001, 392), 1);
  EXPECT_EQ(kept_tokens(0.5, 1), 1);
  EXPECT_EQ(kept_tokens(0.5, 3), 2);
  EXPECT_EQ(kept_tokens(2.0, 10), 10);
  EXPECT_EQ(kept_tokens(-1.0, 10), 1);
  EXPECT_EQ(kept_tokens(0.5, 0), 0);
}

TEST(KeptTokens, RoundingOfTheBudgetAddsNone) {
  EXPECT_EQ(kept_tokens(0.07, 100), 7);  // 7.000000000000001 in double
  for (const double budget : {0.1, 0.2, 0.3, 0.6, 0.7, 0.9}) {
    const auto rounded = static_cast<double>(static_cast<float>(budget));
    EXPECT_EQ(kept_tokens(rounded, 800), kept_tokens(budget, 800)) << budget;
    EXPECT_EQ(kept_tokens(rounded, 60000), static_cast<std::int64_t>(budget * 60000 + 0.5));
  }
}

std::vector<std::int32_t> kept(const std::vector<float>& log_mask, std::size_t count) {
  std::vector<std::int32_t> order(log_mask.size(), -7);
  keep_largest(log_mask, count, order);
  order.resize(count);
  return order;
}

TEST(KeepLargest, InTheirOldOrder) {
  EXPECT_EQ(kept({-3.0F, -1.0F, -9.0F, -0.5F}, 2), (std::vector<std::int32_t>{1, 3}));
  EXPECT_EQ(kept({-3.0F, -1.0F, -9.0F, -0.5F}, 4), (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(kept({-0.5F, -1.0F, -9.0F}, 1), (std::vector<std::int32_t>{0}));
  EXPECT_TRUE(kept({-1.0F}, 0).empty());
}

TEST(KeepLargest, OfEqualsTheLowerNumber) {
  EXPECT_EQ(kept(std::vector<float>(100, 0.0F), 3), (std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_EQ(kept({-2.0F, -1.0F, -1.0F, -1.0F, 0.0F}, 3), (std::vector<std::int32_t>{1, 2, 4}));
}

TEST(KeepLargest, AgreesWithSorting) {
  Rng rng(5);
  std::vector<float> values(257);
  for (float& value : values) value = static_cast<float>(rng.below(40)) / -8.0F;
  std::vector<std::int32_t> sorted(values.size());
  std::iota(sorted.begin(), sorted.end(), 0);
  std::stable_sort(sorted.begin(), sorted.end(), [&](std::int32_t a, std::int32_t b) {
    return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)];
  });
  for (const std::size_t count : {1U, 7U, 100U, 256U, 257U}) {
    std::vector<std::int32_t> expected(sorted.begin(),
                                       sorted.begin() + static_cast<std::ptrdiff_t>(count));
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(kept(values, count), expected) << count;
  }
}

}  // namespace
}  // namespace mien::core
