// What AdaTosk starts from: VideoMAE's checkpoints, and the stem and blocks of an S2D model.
#include <gmock/gmock.h>

#include <cmath>

#include "learn/adatosk_case.h"
#include "learn/golden.h"
#include "learn/models/adatosk_init.h"
#include "learn/models/s2d.h"

namespace mien::learn::adatosk_test {
namespace {

core::TensorMap state_of(const torch::nn::Module& module) {
  core::TensorMap out;
  for (const auto& [name, tensor] : named_state(module)) out[name] = to_core(tensor);
  return out;
}

TEST(AdaToskStart, FromVideoMaesPreTraining) {
  SKIP_WITHOUT_GOLDEN("videomae_pretrain_small");
  core::AdaToskConfig config;
  config.vit.img_size = 64;
  config.vit.embed_dim = 96;
  config.vit.depth = 3;
  config.vit.num_heads = 3;
  config.gate = 1;
  config.decoder_dim = 48;
  config.decoder_depth = 2;
  config.decoder_heads = 3;
  const auto file =
      core::SafetensorsFile::open(test::golden_path("videomae_pretrain_small/weights.safetensors"))
          .value();
  core::TensorMap weights;
  for (const auto& [name, view] : file.tensors()) {
    weights[name] = core::convert_float(view, core::DType::kF32).value();
  }
  AdaTosk net(config, AdaToskTrainOptions{.decoder = true});
  const core::TensorMap named = adatosk_start(weights, config).value();
  EXPECT_EQ(named.size(), weights.size());
  const auto report = load_state(*net, core::views_of(named), false);
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_TRUE(report->unexpected.empty()) << report->unexpected.front();
  // What VideoMAE has not.
  EXPECT_THAT(report->missing,
              ::testing::UnorderedElementsAre(
                  "mask.norm.weight", "mask.norm.bias", "mask.slot_mean", "mask.agnostic.scale",
                  "mask.agnostic.offset", "mask.agnostic.repeat", "mask.semantic.scale",
                  "mask.semantic.offset", "mask.semantic.repeat", "mask.semantic.sharpness",
                  "aux_head.weight", "aux_head.bias", "fc_norm.weight", "fc_norm.bias",
                  "head.weight", "head.bias"));
}

TEST(AdaToskStart, FromItself) {
  AdaTosk net(little_config(true));
  const core::TensorMap state = state_of(*net);
  const core::TensorMap named = adatosk_start(state, little_config(true)).value();
  ASSERT_EQ(named.size(), state.size());
  for (const auto& [name, tensor] : state) {
    EXPECT_TRUE(named.at(name).bytes == tensor.bytes) << name;
  }
}

core::S2DConfig picture_config(int depth = 1) {
  core::S2DConfig config;
  config.img_size = 8;
  config.patch_size = 4;
  config.landmark_size = 16;
  config.embed_dim = 16;
  config.depth = depth;
  config.num_heads = 2;
  config.num_frames = 1;
  config.num_classes = 5;
  config.temporal = false;
  config.stem = {{4, 2}, {6, 2}};
  return config;
}

// A clip that stands still has in every slot the patches that S2D sees in the picture.
TEST(AdaToskStart, FromThePatchesOfS2D) {
  torch::manual_seed(3);
  S2D pictures(picture_config());
  {
    const torch::NoGradGuard no_grad;  // statistics of no special kind
    for (auto& item : pictures->named_buffers()) {
      if (item.value().is_floating_point()) item.value().uniform_(0.5, 1.5);
    }
  }
  pictures->eval();
  const torch::NoGradGuard no_grad;
  for (const bool gray : {false, true}) {
    core::AdaToskConfig config = little_config(true);
    config.vit.in_chans = gray ? 1 : 3;
    AdaTosk net(config);
    const core::TensorMap start = adatosk_start(state_of(*pictures), config).value();
    for (const auto& [name, tensor] : start) EXPECT_TRUE(name.starts_with("patch_embed.")) << name;
    const auto report = load_state(*net, core::views_of(start), false);
    ASSERT_TRUE(report.ok()) << report.error().to_string();
    for (const std::string& name : report->missing) {
      EXPECT_FALSE(name.starts_with("patch_embed.")) << name;
    }
    net->eval();
    Tensor picture = torch::randn({1, 3, 1, 8, 8});
    if (gray) picture = picture.narrow(1, 0, 1).expand({-1, 3, -1, -1, -1});
    Taps still;
    pictures->forward(picture, torch::zeros({1, 128, 2, 2}), &still);
    Taps moving;
    net->forward(picture.expand({-1, -1, 8, -1, -1}), {}, &moving);
    const Tensor slots = moving["patch_embed"].view({4, 4, 16});
    for (std::int64_t slot = 0; slot < 4; ++slot) {
      EXPECT_TRUE(torch::allclose(slots[slot], still["patch_embed"][0], 1e-4, 1e-5))
          << "slot " << slot << " gray " << gray;
    }
  }
}

// One block of S2D, without its prompts: [N, D] -> [N, D].
Tensor s2d_block(const S2D& net, const std::string& prefix, const Tensor& x, std::int64_t heads) {
  const auto state = named_state(*net);
  const auto at = [&](const char* name) { return state.at(prefix + name); };
  const std::int64_t width = x.size(1);
  const auto normed = [&](const Tensor& in, const std::string& name) {
    return torch::layer_norm(in, {width}, state.at(prefix + name + ".weight"),
                             state.at(prefix + name + ".bias"), 1e-6);
  };
  const auto qkv = torch::linear(normed(x, "norm1"), at("attn.qkv.weight"), at("attn.qkv.bias"))
                       .view({x.size(0), 3, heads, width / heads})
                       .permute({1, 2, 0, 3});  // [3, heads, N, D / heads]
  const double scale = 1.0 / std::sqrt(static_cast<double>(width / heads));
  const Tensor scores = (qkv[0].matmul(qkv[1].transpose(1, 2)) * scale).softmax(2);
  const Tensor mixed = scores.matmul(qkv[2]).transpose(0, 1).reshape({x.size(0), width});
  const Tensor middle = x + torch::linear(mixed, at("attn.proj.weight"), at("attn.proj.bias"));
  const Tensor wide =
      torch::gelu(torch::linear(normed(middle, "norm2"), at("mlp.fc1.weight"), at("mlp.fc1.bias")));
  return middle + torch::linear(wide, at("mlp.fc2.weight"), at("mlp.fc2.bias"));
}

// On tokens that are larger by the gain they compute what S2D's blocks do.
TEST(AdaToskStart, FromTheBlocksOfS2D) {
  torch::manual_seed(3);
  S2D pictures(picture_config(4));
  const torch::NoGradGuard no_grad;
  for (auto& item : pictures->named_parameters()) item.value().normal_(0.0, 0.4);
  const core::AdaToskConfig config = little_config(true);
  const core::TensorMap start = adatosk_start(state_of(*pictures), config).value();
  AdaTosk net(config);
  ASSERT_TRUE(load_state(*net, core::views_of(start), false).ok());
  net->eval();
  Taps taps;
  net->forward(noise_clips(1), {}, &taps);
  Tensor tokens = taps["after_pos_embed"][0];
  for (int i = 0; i < config.gate; ++i) {
    const std::string name = std::to_string(i);
    const Tensor truth =
        s2d_block(pictures, "blocks." + name + ".", tokens / kStreamGain, 2) * kStreamGain;
    const Tensor mine = taps["block" + name + ".out"][0];
    EXPECT_LT((mine - truth).abs().max().item<double>(), 1e-4 * truth.abs().max().item<double>());
    tokens = mine;
  }
  const Tensor own = named_state(*pictures).at("patch_embed.proj.weight");
  EXPECT_TRUE(torch::allclose(named_state(*net).at("patch_embed.proj.weight"), own * kStreamGain));
}

TEST(AdaToskStart, AnotherStemIsRefused) {
  core::S2DConfig other = picture_config();
  other.stem = {{4, 2}, {5, 1}, {6, 2}};
  S2D pictures(other);
  const auto start = adatosk_start(state_of(*pictures), little_config(true));
  ASSERT_FALSE(start.ok());
  EXPECT_EQ(start.error().code, ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace mien::learn::adatosk_test
