#include "core/model_config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/files.h"
#include "core/presets.h"

namespace mien::core {
namespace {

ErrorCode code_of(const std::string& text) {
  const auto config = parse_model_config(text);
  EXPECT_FALSE(config.ok()) << text;
  return config.ok() ? ErrorCode::kInternal : config.error().code;
}

TEST(ModelConfig, EveryPresetSurvivesTheRoundTrip) {
  for (const std::string& name : preset_names()) {
    const auto preset = find_preset(name);
    ASSERT_TRUE(preset.ok()) << name;
    EXPECT_TRUE(validate(*preset).ok()) << name;
    const std::string text = to_json(*preset);
    const auto again = parse_model_config(text);
    ASSERT_TRUE(again.ok()) << name << ": " << again.error().to_string();
    EXPECT_EQ(again->arch, preset->arch) << name;
    EXPECT_EQ(to_json(*again), text) << name;
  }
}

TEST(ModelConfig, VideoMaePresets) {
  const auto base = find_preset("videomae-base").value();
  EXPECT_EQ(base.arch, Arch::kVideoMae);
  EXPECT_EQ(base.input_size(), 160);
  EXPECT_EQ(base.input_frames(), 16);
  EXPECT_EQ(base.num_classes(), 7);
  EXPECT_EQ(base.videomae.slots(), 8);
  EXPECT_EQ(base.videomae.tokens(), 800);
  EXPECT_EQ(base.videomae.head_dim(), 64);
  EXPECT_EQ(base.videomae.mlp_dim(), 3072);
  const auto small = find_preset("videomae-small").value();
  EXPECT_EQ(small.videomae.embed_dim, 384);
  EXPECT_EQ(small.videomae.head_dim(), 64);
  const auto tiny = find_preset("videomae-tiny").value();
  EXPECT_EQ(tiny.input_size(), 112);
  EXPECT_EQ(tiny.videomae.head_dim(), 64);
}

TEST(ModelConfig, VideoMaeSizesSurviveTheRoundTrip) {
  ModelConfig config;
  config.arch = Arch::kVideoMae;
  config.videomae = {.img_size = 60,
                     .patch_size = 20,
                     .tubelet_size = 3,
                     .num_frames = 9,
                     .in_chans = 1,
                     .embed_dim = 40,
                     .depth = 5,
                     .num_heads = 4,
                     .mlp_ratio = 2.5,
                     .qkv_bias = false,
                     .num_classes = 2};
  config.classes = {"calm", "moved"};
  const auto parsed = parse_model_config(to_json(config));
  ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
  const VideoMaeConfig& c = parsed->videomae;
  EXPECT_EQ(c.img_size, 60);
  EXPECT_EQ(c.patch_size, 20);
  EXPECT_EQ(c.tubelet_size, 3);
  EXPECT_EQ(c.num_frames, 9);
  EXPECT_EQ(c.in_chans, 1);
  EXPECT_EQ(c.embed_dim, 40);
  EXPECT_EQ(c.depth, 5);
  EXPECT_EQ(c.num_heads, 4);
  EXPECT_EQ(c.mlp_dim(), 100);
  EXPECT_FALSE(c.qkv_bias);
  EXPECT_EQ(c.num_classes, 2);
  EXPECT_EQ(c.tokens(), 27);
  EXPECT_EQ(parsed->classes, config.classes);
}

TEST(ModelConfig, OnlyAVideoModelKeepsAnImageModel) {
  ModelConfig config = find_preset("s2d-tiny").value();
  config.s2d.keeps_image_model = true;
  const auto parsed = parse_model_config(to_json(config));
  ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
  EXPECT_TRUE(parsed->s2d.keeps_image_model);
  config.s2d.temporal = false;
  EXPECT_FALSE(parse_model_config(to_json(config)).ok());
}

TEST(ModelConfig, OfficialConstructors) {
  const std::string golden = std::string(MIEN_SHARED_DIR) + "/reference/golden/";
  if (!std::filesystem::exists(golden)) GTEST_SKIP() << "needs " << golden;
  const auto read = [&](const std::string& folder) {
    return parse_model_config(read_text_file(golden + folder + "/config.json").value());
  };
  const auto videomae = read("videomae_small");
  ASSERT_TRUE(videomae.ok()) << videomae.error().to_string();
  EXPECT_EQ(videomae->arch, Arch::kVideoMae);
  EXPECT_EQ(videomae->videomae.num_frames, 4);  // "all_frames"
  EXPECT_EQ(videomae->videomae.tokens(), 98);
  EXPECT_EQ(videomae->videomae.depth, 3);
  EXPECT_EQ(read("s2d_small").value().arch, Arch::kS2D);
  EXPECT_EQ(read("mobilefacenet").value().arch, Arch::kMobileFaceNet);
  // Other networks whose class has the same name.
  for (const char* folder : {"videomae_pretrain_small", "mae_dfer_small"}) {
    const auto other = read(folder);
    ASSERT_FALSE(other.ok()) << folder;
    EXPECT_EQ(other.error().code, ErrorCode::kUnsupported) << folder;
  }
}

TEST(ModelConfig, VideoMaeSizesThatContradictAreRefused) {
  const auto videomae = [](const std::string& sizes) {
    return R"({"arch": "videomae", "videomae": {)" + sizes + "}}";
  };
  for (const char* sizes : {
           R"("img_size": 161)",                       // not whole patches
           R"("num_frames": 15)",                      // not whole tubelets
           R"("num_heads": 5)",                        // 768 / 5
           R"("img_size": 1040)",                      // 65 patches a side
           R"("img_size": 1024, "num_frames": 1024)",  // two million tokens
           R"("num_frames": 0)",
           R"("depth": 65)",
           R"("embed_dim": -1)",
           R"("mlp_ratio": 1e9)",
           R"("qkv_bias": 1)",
           R"("qk_scale": 0.1)",
       }) {
    EXPECT_EQ(code_of(videomae(sizes)), ErrorCode::kBadFormat) << sizes;
  }
  for (const char* sizes : {
           R"("use_mean_pooling": false)",
           R"("init_values": 0.1)",
           R"("use_learnable_pos_emb": true)",
       }) {
    EXPECT_EQ(code_of(videomae(sizes)), ErrorCode::kUnsupported) << sizes;
  }
  EXPECT_EQ(code_of(R"({"arch": "videomae", "classes": ["one"]})"), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(R"({"arch": "svfap"})"), ErrorCode::kUnsupported);
}

TEST(ModelConfig, AdaToskPresets) {
  const auto base = find_preset("adatosk-base").value();
  EXPECT_EQ(base.arch, Arch::kAdaTosk);
  EXPECT_EQ(base.input_size(), 160);
  EXPECT_EQ(base.input_frames(), 16);
  EXPECT_EQ(base.num_classes(), 7);
  EXPECT_EQ(base.depth(), 10);
  EXPECT_EQ(base.adatosk.vit.tokens(), 800);
  EXPECT_EQ(base.adatosk.gate, 3);
  EXPECT_TRUE(base.adatosk.stem.empty());
  EXPECT_FALSE(base.adatosk.slotwise);
  for (const char* name : {"adatosk-small", "adatosk-tiny"}) {
    const auto small = find_preset(name).value();
    EXPECT_EQ(small.input_size(), 112) << name;
    EXPECT_EQ(small.num_classes(), 8) << name;
    EXPECT_EQ(small.adatosk.vit.tokens(), 392) << name;
    EXPECT_EQ(small.adatosk.vit.head_dim(), 64) << name;
    EXPECT_TRUE(small.input.gray) << name;
    EXPECT_EQ(small.adatosk.stem_channels(), 2) << name;
    EXPECT_FALSE(small.adatosk.stem.empty()) << name;
    EXPECT_TRUE(small.adatosk.slotwise) << name;
  }
}

TEST(ModelConfig, AdaToskSurvivesTheRoundTrip) {
  ModelConfig config;
  config.arch = Arch::kAdaTosk;
  config.input.gray = true;
  AdaToskConfig& sizes = config.adatosk;
  sizes.vit = {.img_size = 24,
               .patch_size = 4,
               .tubelet_size = 3,
               .num_frames = 9,
               .in_chans = 1,
               .embed_dim = 40,
               .depth = 5,
               .num_heads = 4,
               .mlp_ratio = 2.5,
               .qkv_bias = false,
               .num_classes = 2};
  sizes.stem = {{8, 2}, {12, 2}, {12, 1}};
  sizes.slotwise = true;
  sizes.agnostic_hidden = 48;
  sizes.gate = 4;
  sizes.budget = 0.35;
  sizes.agnostic = false;
  sizes.background = 1;
  sizes.decoder_dim = 20;
  sizes.decoder_depth = 3;
  sizes.decoder_heads = 2;
  const auto parsed = parse_model_config(to_json(config));
  ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
  const AdaToskConfig& c = parsed->adatosk;
  EXPECT_EQ(c.vit.img_size, 24);
  EXPECT_EQ(c.vit.tubelet_size, 3);
  EXPECT_EQ(c.vit.in_chans, 1);
  EXPECT_EQ(c.vit.mlp_dim(), 100);
  EXPECT_FALSE(c.vit.qkv_bias);
  EXPECT_EQ(c.stem, sizes.stem);
  EXPECT_EQ(c.stem_channels(), 3);
  EXPECT_TRUE(c.slotwise);
  EXPECT_EQ(c.agnostic_hidden, 48);
  EXPECT_EQ(c.gate, 4);
  EXPECT_EQ(c.budget, 0.35);
  EXPECT_FALSE(c.agnostic);
  EXPECT_TRUE(c.semantic);
  EXPECT_EQ(c.background, 1);
  EXPECT_EQ(c.decoder().embed_dim, 20);
  EXPECT_EQ(c.decoder().depth, 3);
  EXPECT_EQ(c.decoder().num_heads, 2);
  EXPECT_EQ(c.decoder().tokens(), c.vit.tokens());
  EXPECT_EQ(parsed->input_size(), 24);
  EXPECT_EQ(parsed->depth(), 5);
}

TEST(ModelConfig, AdaToskSizesThatContradictAreRefused) {
  const auto adatosk = [](const std::string& sizes) {
    return R"({"arch": "adatosk", "adatosk": {)" + sizes + "}}";
  };
  for (const char* sizes : {
           R"("gate": 0)",
           R"("gate": 12)",  // of twelve blocks: none is left behind it
           R"("budget": 0)",
           R"("budget": 1.5)",
           R"("budget": "half")",
           R"("in_chans": 2)",
           R"("in_chans": 1)",             // but it sees colour
           R"("stem": [[8, 2], [8, 2]])",  // 4, of patches of 16
           R"("stem": [[8, 3]])",
           R"("decoder_dim": 100)",  // 100 / 6
           R"("decoder_heads": 0)",
           R"("agnostic": 1)",
           R"("background": 7)",  // of seven classes
           R"("background": -2)",
           R"("num_classes": 1, "background": 0)",
           R"("img_size": 161)",
       }) {
    EXPECT_EQ(code_of(adatosk(sizes)), ErrorCode::kBadFormat) << sizes;
  }
  EXPECT_EQ(code_of(adatosk(R"("init_values": 0.1)")), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace mien::core
