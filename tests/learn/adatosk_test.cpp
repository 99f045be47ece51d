// AdaTosk's network: its state, what it drops, what it hides, what it rebuilds.
#include "learn/models/adatosk.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/adatosk_spec.h"
#include "learn/adatosk_case.h"
#include "learn/autocast.h"
#include "learn/state.h"

namespace mien::learn::adatosk_test {
namespace {

TEST(AdaTosk, StateIsTheTable) {
  for (const bool stem : {false, true}) {
    for (const bool agnostic : {false, true}) {
      for (const bool semantic : {false, true}) {
        core::AdaToskConfig config = little_config(stem);
        config.agnostic = agnostic;
        config.semantic = semantic;
        AdaTosk net(config);
        const core::TensorTable table = core::adatosk_table(config);
        const auto saved = save_state(*net, table);
        ASSERT_TRUE(saved.ok()) << saved.error().to_string();
        const auto status = core::check_tensors(table, core::views_of(*saved));
        EXPECT_TRUE(status.ok()) << status.error().to_string();
        // LibTorch's BatchNorm counts its batches, too.
        EXPECT_EQ(named_state(*net).size(), table.size() + config.stem.size());
      }
    }
  }
  // The decoder's parts are for training only.
  AdaTosk training(little_config(), AdaToskTrainOptions{.decoder = true});
  const auto state = named_state(*training);
  for (const char* name : {"norm.weight", "encoder_to_decoder.weight", "mask_token",
                           "decoder.blocks.0.attn.qkv.weight", "decoder.head.bias"}) {
    EXPECT_TRUE(state.contains(name)) << name;
  }
}

TEST(AdaTosk, KeepsTheLargestOfTheMask) {
  AdaTosk net = little_net(little_config());
  const torch::NoGradGuard no_grad;
  const Tensor clips = noise_clips(3);
  Taps taps;
  const AdaToskImpl::Output out = net->forward(clips, {.budget = 0.4}, &taps);
  ASSERT_EQ(out.kept.sizes(), (std::vector<std::int64_t>{3, 7}));  // of 16: 6.4
  EXPECT_EQ(taps["block1.out"].size(1), 16);
  EXPECT_EQ(taps["block2.out"].size(1), 7);
  EXPECT_EQ(taps["block3.out"].size(1), 7);
  for (std::int64_t clip = 0; clip < 3; ++clip) {
    const Tensor log_mask = out.log_mask[clip].contiguous();
    std::vector<std::int32_t> order(16);
    core::keep_largest({log_mask.data_ptr<float>(), 16}, 7, order);
    for (std::int64_t i = 0; i < 7; ++i) {
      EXPECT_EQ(out.kept[clip][i].item<std::int64_t>(), order[static_cast<std::size_t>(i)]);
    }
  }
  EXPECT_FALSE(torch::allclose(out.logits, net->forward(clips).logits, 1e-3, 1e-3));
}

TEST(AdaTosk, BudgetOneIsTheSoftPath) {
  AdaTosk net = little_net(little_config());
  const torch::NoGradGuard no_grad;
  const AdaToskImpl::Output soft = net->forward(noise_clips(2));
  const AdaToskImpl::Output all = net->forward(noise_clips(2), {.budget = 1.0});
  EXPECT_FALSE(all.kept.defined());
  EXPECT_TRUE(torch::equal(all.logits, soft.logits));
  EXPECT_TRUE(torch::equal(all.log_mask, soft.log_mask));
  // Fifteen and a bit of sixteen are all of them.
  EXPECT_TRUE(torch::equal(net->forward(noise_clips(2), {.budget = 0.95}).logits, soft.logits));
}

// To leave tokens out is to give them no weight: neither as keys nor in the mean.
TEST(AdaTosk, DroppedTokensAreAsIfTheirMaskWereZero) {
  core::AdaToskConfig config = little_config();
  config.semantic = false;
  AdaTosk net = little_net(config);
  const torch::NoGradGuard no_grad;
  net->named_parameters()["mask.agnostic.scale"].fill_(1e5);  // a mask of zeros and ones
  const Tensor clip = noise_clips(1);
  const AdaToskImpl::Output soft = net->forward(clip);
  const auto ones = soft.log_mask.gt(-1.0).sum().item<std::int64_t>();
  ASSERT_GT(ones, 1);
  ASSERT_LT(ones, 16);
  ASSERT_EQ(soft.log_mask.lt(-50.0).sum().item<std::int64_t>(), 16 - ones);
  const AdaToskImpl::Output dropped =
      net->forward(clip, {.budget = static_cast<double>(ones) / 16.0});
  ASSERT_EQ(dropped.kept.size(1), ones);
  EXPECT_TRUE(torch::allclose(dropped.logits, soft.logits, 1e-4, 1e-5));
  // And those that stay count.
  const AdaToskImpl::Output fewer =
      net->forward(clip, {.budget = static_cast<double>(ones - 1) / 16.0});
  EXPECT_FALSE(torch::allclose(fewer.logits, soft.logits, 1e-4, 1e-5));
}

TEST(AdaTosk, OtherTokensMayBeKept) {
  AdaTosk net = little_net(little_config());
  const torch::NoGradGuard no_grad;
  const Tensor clips = noise_clips(2);
  const AdaToskImpl::Output largest = net->forward(clips, {.budget = 0.25});
  AdaToskPass pass;
  pass.keep = largest.kept;
  EXPECT_TRUE(torch::equal(net->forward(clips, pass).logits, largest.logits));
  // Those of the least mask: the mask is the same, what is made of the rest is not.
  const Tensor order = std::get<1>(largest.log_mask.sort(1));
  pass.keep = std::get<0>(order.narrow(1, 0, 4).sort(1));
  Taps taps;
  const AdaToskImpl::Output least = net->forward(clips, pass, &taps);
  EXPECT_TRUE(torch::equal(least.kept, pass.keep));
  EXPECT_TRUE(torch::equal(least.log_mask, largest.log_mask));
  EXPECT_EQ(taps["block3.out"].size(1), 4);
  EXPECT_FALSE(torch::allclose(least.logits, largest.logits, 1e-4, 1e-5));
}

TEST(AdaTosk, WithoutMasksTheFirstTokensStay) {
  core::AdaToskConfig config = little_config();
  config.agnostic = config.semantic = false;
  AdaTosk net = little_net(config);
  const torch::NoGradGuard no_grad;
  const AdaToskImpl::Output out = net->forward(noise_clips(2), {.budget = 0.25});
  EXPECT_FALSE(out.log_mask.defined());
  EXPECT_FALSE(out.aux_logits.defined());
  EXPECT_TRUE(torch::equal(out.kept, torch::arange(4, torch::kLong).expand({2, 4})));
}

TEST(AdaTosk, WithoutTheSoftPathNothingIsWeighedOrDropped) {
  AdaTosk net = little_net(little_config());
  core::AdaToskConfig plain = little_config();
  plain.agnostic = plain.semantic = false;
  AdaTosk other(plain);
  core::TensorMap weights;
  for (const auto& [name, tensor] : named_state(*net)) weights[name] = to_core(tensor);
  ASSERT_TRUE(load_state(*other, core::views_of(weights), false).ok());
  other->eval();
  const torch::NoGradGuard no_grad;
  const AdaToskImpl::Output off = net->forward(noise_clips(2), {.soft = false, .budget = 0.25});
  EXPECT_FALSE(off.log_mask.defined());
  EXPECT_FALSE(off.kept.defined());
  EXPECT_TRUE(torch::equal(off.logits, other->forward(noise_clips(2)).logits));
}

TEST(AdaTosk, ComputesTheVisibleTokensOnly) {
  for (const bool stem : {false, true}) {
    AdaTosk net = little_net(little_config(stem));
    const torch::NoGradGuard no_grad;
    const HardMask hard = draw_hard_mask(HardMaskKind::kRandom, 0.5, little_config().vit, 1, 3);
    const Tensor clip = noise_clips(1);
    Taps taps;
    const AdaToskImpl::Output out = net->forward(clip, {.hard = &hard}, &taps);
    EXPECT_EQ(taps["block0.out"].size(1), 8);
    EXPECT_EQ(out.log_mask.size(1), 8);
    for (const bool visible : {false, true}) {
      const auto token = (visible ? hard.visible : hard.hidden)[0][2].item<std::int64_t>();
      const Tensor other = with_other_pixels(clip, token);
      const bool same = torch::equal(net->forward(other, {.hard = &hard}).logits, out.logits);
      EXPECT_EQ(same, !visible) << "stem " << stem;
    }
  }
  // Unless the stem is allowed to look.
  AdaTosk peeking = little_net(little_config(true), AdaToskTrainOptions{.blank_hidden = false});
  const torch::NoGradGuard no_grad;
  const HardMask hard = draw_hard_mask(HardMaskKind::kRandom, 0.5, little_config().vit, 1, 3);
  const Tensor clip = noise_clips(1);
  const Tensor other = with_other_pixels(clip, hard.hidden[0][2].item<std::int64_t>());
  EXPECT_FALSE(torch::equal(peeking->forward(other, {.hard = &hard}).logits,
                            peeking->forward(clip, {.hard = &hard}).logits));
}

// Slotwise, a token that leaves the gate tells of its own slot, and of all past it.
TEST(AdaTosk, SlotwiseSlotsMeetBehindTheGate) {
  for (const bool masked : {false, true}) {
    core::AdaToskConfig config = little_config(true);
    config.slotwise = true;
    AdaTosk net = little_net(config);
    const torch::NoGradGuard no_grad;
    // Of unequal numbers in the slots.
    const HardMask hard = draw_hard_mask(HardMaskKind::kRandom, 0.5, config.vit, 1, 3);
    const AdaToskPass pass{.hard = masked ? &hard : nullptr};
    const Tensor numbers = masked ? hard.visible : torch::arange(16, torch::kLong).view({1, 16});
    const Tensor clip = noise_clips(1);
    const std::int64_t changed = numbers[0][3].item<std::int64_t>();
    Taps before, after;
    net->forward(clip, pass, &before);
    net->forward(with_other_pixels(clip, changed), pass, &after);
    for (std::int64_t i = 0; i < numbers.size(1); ++i) {
      const bool same_slot = numbers[0][i].item<std::int64_t>() / 4 == changed / 4;
      const auto differs = [&](const char* tap) {
        return !torch::allclose(before.at(tap)[0][i], after.at(tap)[0][i], 1e-4, 1e-6);
      };
      EXPECT_EQ(differs("block1.out"), same_slot) << "token " << i;
      EXPECT_TRUE(differs("block3.out")) << "token " << i;
    }
  }
}

// Hidden tokens or not, a slot's are computed alike: the two ways to keep slots apart agree.
TEST(AdaTosk, SlotwiseWithAndWithoutGapsAgree) {
  core::AdaToskConfig config = little_config();
  config.slotwise = true;
  AdaTosk net = little_net(config);
  const torch::NoGradGuard no_grad;
  const Tensor all = torch::arange(16, torch::kLong).expand({2, 16}).contiguous();
  const HardMask nothing{all, all.narrow(1, 0, 0)};
  Taps gaps, whole;
  const AdaToskImpl::Output a = net->forward(noise_clips(2), {.hard = &nothing}, &gaps);
  const AdaToskImpl::Output b = net->forward(noise_clips(2), {}, &whole);
  EXPECT_TRUE(torch::allclose(gaps.at("block1.out"), whole.at("block1.out"), 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(a.logits, b.logits, 1e-5, 1e-6));
}

// A clip that stands still says the same in every slot; past the gate they know their places.
TEST(AdaTosk, SlotwiseSlotsBeginAlike) {
  core::AdaToskConfig config = little_config();
  config.slotwise = true;
  AdaTosk net = little_net(config);
  const torch::NoGradGuard no_grad;
  const Tensor still = noise_clips(1).narrow(2, 0, 1).expand({1, 3, 8, 8, 8});
  Taps taps;
  net->forward(still, {}, &taps);
  const Tensor gate = taps.at("block1.out").view({4, 4, 16});
  EXPECT_TRUE(torch::allclose(gate[0], gate[3], 1e-5, 1e-6));
  const Tensor last = taps.at("block3.out").view({4, 4, 16});
  EXPECT_FALSE(torch::allclose(last[0], last[3], 1e-2, 1e-2));
}

TEST(AdaTosk, RebuildsWhatIsHidden) {
  AdaTosk net = little_net(little_config(), AdaToskTrainOptions{.decoder = true});
  const HardMask hard = draw_hard_mask(HardMaskKind::kTube, 0.5, little_config().vit, 2, 3);
  const AdaToskImpl::Output out =
      net->forward(noise_clips(2), {.hard = &hard, .reconstruct = true});
  EXPECT_EQ(out.rebuilt.sizes(), (std::vector<std::int64_t>{2, 8, 2 * 4 * 4 * 3}));
  const torch::NoGradGuard no_grad;
  EXPECT_THROW(net->forward(noise_clips(2), {.reconstruct = true}), c10::Error);
  EXPECT_THROW(net->forward(noise_clips(2), {.hard = &hard, .budget = 0.5, .reconstruct = true}),
               c10::Error);
  AdaTosk without = little_net(little_config());
  EXPECT_THROW(without->forward(noise_clips(2), {.hard = &hard, .reconstruct = true}), c10::Error);
}

TEST(AdaTosk, OtherClipsAreRefusedAndGreyModelsReadOnePlane) {
  AdaTosk colour = little_net(little_config());
  AdaTosk grey = little_net(little_config(true));
  const torch::NoGradGuard no_grad;
  EXPECT_THROW(colour->forward(torch::zeros({1, 3, 6, 8, 8})), c10::Error);
  EXPECT_THROW(colour->forward(torch::zeros({1, 3, 8, 12, 12})), c10::Error);
  EXPECT_THROW(colour->forward(torch::zeros({1, 1, 8, 8, 8})), c10::Error);
  EXPECT_THROW(grey->forward(torch::zeros({3, 8, 8, 8})), c10::Error);
  const Tensor clips = noise_clips(1);
  EXPECT_TRUE(
      torch::equal(grey->forward(clips).logits, grey->forward(clips.narrow(1, 0, 1)).logits));
}

// Gradients of one net that keeps its activations and one that computes them again.
TEST(AdaTosk, RecomputingChangesNoGradient) {
  std::vector<std::map<std::string, Tensor>> gradients;
  for (const bool checkpoint : {false, true}) {
    AdaTosk net =
        little_net(little_config(), AdaToskTrainOptions{.checkpoint = checkpoint, .decoder = true});
    net->train();
    const HardMask hard = draw_hard_mask(HardMaskKind::kTube, 0.5, little_config().vit, 2, 3);
    const AdaToskImpl::Output out =
        net->forward(noise_clips(2), {.hard = &hard, .reconstruct = true});
    (out.logits.square().sum() + out.aux_logits.square().sum() + out.rebuilt.square().mean())
        .backward();
    gradients.emplace_back();
    for (const auto& item : net->named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      gradients.back()[item.key()] = item.value().grad();
    }
  }
  for (const auto& [name, gradient] : gradients[0]) {
    EXPECT_TRUE(torch::allclose(gradient, gradients[1].at(name), 1e-4, 1e-6)) << name;
  }
}

TEST(AdaTosk, AFrozenStemKeepsItsStatistics) {
  AdaTosk net = little_net(little_config(true));
  net->train();
  net->freeze_stem(true);
  const Tensor before = net->named_buffers()["patch_embed.stem.0.bn.running_mean"].clone();
  net->forward(noise_clips(2)).logits.square().sum().backward();
  EXPECT_TRUE(torch::equal(net->named_buffers()["patch_embed.stem.0.bn.running_mean"], before));
  const auto parameters = net->named_parameters();
  EXPECT_FALSE(parameters["patch_embed.stem.0.conv.weight"].grad().defined());
  EXPECT_TRUE(parameters["patch_embed.proj.weight"].grad().defined());
}

TEST(AdaTosk, IsFiniteUnderBf16) {
  for (const bool stem : {false, true}) {
    AdaTosk net = little_net(little_config(stem), AdaToskTrainOptions{.decoder = true});
    net->train();
    const HardMask hard = draw_hard_mask(HardMaskKind::kTube, 0.5, little_config().vit, 2, 3);
    AdaToskImpl::Output out;
    {
      const AutocastScope bf16(torch::kCPU, true);
      out = net->forward(noise_clips(2), {.hard = &hard, .reconstruct = true});
    }
    for (const Tensor& x : {out.logits, out.aux_logits, out.log_mask, out.rebuilt}) {
      EXPECT_EQ(x.scalar_type(), torch::kFloat);
      EXPECT_TRUE(torch::isfinite(x).all().item<bool>());
    }
    const Tensor mask = out.log_mask.exp();
    EXPECT_TRUE(((mask > 0.0) & (mask < 1.0)).all().item<bool>());
    (out.logits.sum() + out.rebuilt.square().mean()).backward();
    for (const auto& item : net->named_parameters()) {
      if (!item.value().grad().defined()) continue;
      EXPECT_TRUE(torch::isfinite(item.value().grad()).all().item<bool>()) << item.key();
    }
  }
}

TEST(KeepLargestRows, AsCoreDoesIt) {
  torch::manual_seed(3);
  const Tensor values = torch::randint(-6, 0, {5, 97}, torch::kFloat) / 4.0;  // many are equal
  for (const std::int64_t count : {1, 40, 96, 97}) {
    const Tensor mine = keep_largest(values, count);
    for (std::int64_t row = 0; row < 5; ++row) {
      const Tensor one = values[row].contiguous();
      std::vector<std::int32_t> order(97);
      core::keep_largest({one.data_ptr<float>(), 97}, static_cast<std::size_t>(count), order);
      for (std::int64_t i = 0; i < count; ++i) {
        ASSERT_EQ(mine[row][i].item<std::int64_t>(), order[static_cast<std::size_t>(i)]);
      }
    }
  }
}

}  // namespace
}  // namespace mien::learn::adatosk_test
