// What AdaTosk's soft mask answers to: change, repetition, class.
#include <gtest/gtest.h>

#include "learn/autocast.h"
#include "learn/soft_mask_case.h"

namespace mien::learn::soft_mask_test {
namespace {

// A clip [1, S * P, D] that shows picture `shown[s]` of `pictures` [n, P, D] in slot s.
Tensor clip_showing(const Tensor& pictures, const std::vector<std::int64_t>& shown) {
  return pictures.index_select(0, torch::tensor(shown)).flatten(0, 1).unsqueeze(0);
}

Tensor two_pictures() {
  torch::manual_seed(11);
  return torch::randn({2, kPlaces, kWidth});
}

// Mean of m over the places of each slot, [S].
Tensor by_slot(const Tensor& log_factor) {
  return log_factor.detach().exp().view({kSlots, kPlaces}).mean(1);
}

TEST(SoftMask, AClipsOnlyChangeIsItsPeak) {
  Case c = make_case(true, false);
  for (std::int64_t moment = 1; moment < kSlots; ++moment) {
    std::vector<std::int64_t> shown(static_cast<std::size_t>(kSlots), 0);
    shown[static_cast<std::size_t>(moment)] = 1;
    const Tensor mask = by_slot(c(clip_showing(two_pictures(), shown)).agnostic);
    EXPECT_EQ(mask.argmax().item<std::int64_t>(), moment);
    // And stands out.
    const Tensor others =
        torch::cat({mask.narrow(0, 0, moment), mask.narrow(0, moment + 1, kSlots - moment - 1)});
    EXPECT_GT(mask[moment].item<double>(), others.mean().item<double>() + 0.2) << moment;
  }
}

TEST(SoftMask, WhatStaysIsNewOnce) {
  Case c = make_case(true, false);
  // From slot 4 on another picture: both sides of the change differ alike, but only slot 4 brings
  // what was not there before.
  const Tensor mask = by_slot(c(clip_showing(two_pictures(), {0, 0, 0, 0, 1, 1, 1, 1})).agnostic);
  EXPECT_EQ(mask.argmax().item<std::int64_t>(), 4);
}

TEST(SoftMask, ARepeatedMomentIsSuppressed) {
  Case c = make_case(true, false);
  const Tensor clip = clip_showing(two_pictures(), {0, 0, 1, 0, 0, 1, 0, 0});
  // Of the log odds: both moments stand out, so that their sigmoids are near 1.
  const auto advantage = [&] {
    const Tensor odds = torch::logit(by_slot(c(clip).agnostic));
    return (odds[2] - odds[5]).item<double>();
  };
  const double by_default = advantage();
  EXPECT_GT(by_default, 0.5);
  set(c.mask, "agnostic.repeat", -2.25);  // softplus: 0.1
  EXPECT_GT(advantage(), 0.05);
  EXPECT_GT(by_default, 3.0 * advantage());
  set(c.mask, "agnostic.repeat", -30.0);  // softplus: nothing
  EXPECT_NEAR(advantage(), 0.0, 1e-4);
}

// What has mattered before counts where it appears and while it lasts, not where it changes.
TEST(SoftMask, AHiddenUnitFindsWhatLasts) {
  Case c = make_case(true, false);
  const Tensor pictures = two_pictures();
  const Tensor clip = clip_showing(pictures, {0, 0, 1, 1, 1, 1, 0, 0});
  const auto others_least = [&] {
    const Tensor mask = by_slot(c(clip).agnostic);
    return mask.narrow(0, 2, 4).min() -
           torch::cat({mask.narrow(0, 0, 2), mask.narrow(0, 6, 2)}).max();
  };
  EXPECT_LT(others_least().item<double>(), 0.0);
  {
    const torch::NoGradGuard no_grad;
    auto parameters = c.mask->named_parameters();
    parameters["agnostic.hidden.weight"][0].copy_((pictures[1] - pictures[0]).mean(0));
    parameters["agnostic.readout"][0] = 1.0;
  }
  EXPECT_GT(others_least().item<double>(), 0.2);
  // As long as it is there always, it says nothing.
  const std::vector<std::int64_t> frozen(static_cast<std::size_t>(kSlots), 1);
  const Tensor flat = c(clip_showing(pictures, frozen)).log_mask.exp();
  EXPECT_LT((flat.max() - flat.min()).item<double>(), 1e-3);
}

TEST(SoftMask, AFrozenClipIsFlat) {
  const std::vector<std::int64_t> frozen(static_cast<std::size_t>(kSlots), 0);
  const Tensor clip = clip_showing(two_pictures(), frozen);
  Case agnostic = make_case(true, false);
  const Tensor all = agnostic(clip).log_mask.exp();
  EXPECT_LT((all.max() - all.min()).item<double>(), 1e-3);
  // Some places say more about the class than others; no moment does.
  Case both = make_case(true, true);
  const Tensor mask = both(clip).log_mask.exp().view({kSlots, kPlaces});
  EXPECT_LT((std::get<0>(mask.max(0)) - std::get<0>(mask.min(0))).max().item<double>(), 1e-3);
}

// Positions that every clip has are taken out by the slots' means. Half of the width holds the
// picture and half the position, each normed already, so that LayerNorm leaves both as they are.
TEST(SoftMask, AFrozenClipIsFlatUnderPositions) {
  torch::manual_seed(31);
  const auto normed = [](const Tensor& x) {
    return torch::layer_norm(x, {x.size(1)}, {}, {}, 1e-6);
  };
  const Tensor pictures = normed(torch::randn({kPlaces, kWidth / 2}));
  const Tensor positions = normed(torch::randn({kSlots, kWidth / 2}));
  const Tensor clip = torch::cat({pictures.unsqueeze(0).expand({kSlots, -1, -1}),
                                  positions.unsqueeze(1).expand({-1, kPlaces, -1})},
                                 2)
                          .reshape({1, kSlots * kPlaces, kWidth});
  Case c = make_case(true, false);
  const auto range = [&] {
    const Tensor mask = c(clip).log_mask.exp();
    return (mask.max() - mask.min()).item<double>();
  };
  EXPECT_GT(range(), 0.2);
  const torch::NoGradGuard no_grad;
  c.mask->named_buffers()["slot_mean"].copy_(
      torch::cat({torch::zeros_like(positions), positions}, 1));
  EXPECT_LT(range(), 1e-2);
}

Tensor noise_clip() {
  torch::manual_seed(37);
  return torch::randn({1, kSlots, kPlaces, kWidth});
}

// A semantic mask that believes every clip to be of class 2.
Case sure_of_two() {
  Case c = make_case(false, true);
  const torch::NoGradGuard no_grad;
  c.aux->bias.zero_();
  c.aux->bias[2].fill_(20.0);
  return c;
}

// A token that points to a class.
Tensor saying(const Case& c, std::int64_t label) {
  return (c.aux->weight[label] - c.aux->weight.mean(0)).detach() * 100.0;
}

TEST(SoftMask, ASayingOfTheClassIsRelevant) {
  Case c = sure_of_two();
  const Tensor clip = noise_clip();
  clip[0][5][1].copy_(saying(c, 2));
  const Tensor mask = c(clip.flatten(1, 2)).semantic;
  EXPECT_EQ(mask.argmax().item<std::int64_t>(), 5 * kPlaces + 1);
}

// A face that has looked like the class all along says nothing by it.
TEST(SoftMask, WhatIsAlwaysThereIsNotRelevant) {
  Case c = sure_of_two();
  const Tensor clip = noise_clip();
  for (std::int64_t slot = 0; slot < kSlots; ++slot) clip[0][slot][0].copy_(saying(c, 2));
  clip[0][5][1].copy_(saying(c, 2));
  const Tensor mask = c(clip.flatten(1, 2)).semantic.view({kSlots, kPlaces});
  EXPECT_EQ(mask.argmax().item<std::int64_t>(), 5 * kPlaces + 1);
  EXPECT_LT(mask.select(1, 0).max().item<double>(), mask[5][1].item<double>() - 0.3);
}

// A clip that is taken for the face at rest is searched for the other classes all the same.
TEST(SoftMask, TheBackgroundIsNotLookedFor) {
  const Tensor clip = noise_clip();
  const auto peak = [&](int background) {
    Case c = make_case(false, true, background);
    const torch::NoGradGuard no_grad;
    c.aux->bias.zero_();
    c.aux->bias[1].fill_(60.0);  // at rest
    c.aux->bias[2].fill_(30.0);  // or, of the others, class 2
    const Tensor shown = clip.clone();
    shown[0][3][0].copy_(saying(c, 1));
    shown[0][5][1].copy_(saying(c, 2));
    return c(shown.flatten(1, 2)).semantic.argmax().item<std::int64_t>();
  };
  EXPECT_EQ(peak(-1), 3 * kPlaces);
  EXPECT_EQ(peak(1), 5 * kPlaces + 1);
}

TEST(SoftMask, HiddenTokensSayNothing) {
  Case c = make_case(true, true);
  const Tensor there = validities()[1];
  const Tensor tokens = lively_clips(1);
  const Tensor other = torch::where(there.unsqueeze(2), tokens, torch::full_like(tokens, 5.0));
  const Tensor first = c(tokens, there).log_mask.masked_select(there);
  EXPECT_TRUE(torch::equal(first, c(other, there).log_mask.masked_select(there)));
  // They are not as if they were there.
  EXPECT_FALSE(torch::allclose(first, c(tokens).log_mask.masked_select(there)));
}

// A hidden neighbour stands for nothing but its slot's mean: a token that is put at the mean of the
// others of its slot changes the neighbours' measures as little as one that is hidden.
TEST(SoftMask, HiddenPlacesFallBackToTheSlotMean) {
  Case c = make_case(true, false);
  set(c.mask, "agnostic.repeat", -30.0);  // measures of change alone
  set(c.mask, "agnostic.scale", 0.0);     // far from the sigmoid's ends
  const Tensor clip = lively_clips(1).view({1, kSlots, kPlaces, kWidth}).clone();
  const Tensor there = torch::ones({1, kSlots, kPlaces}, torch::kBool);
  there[0][4][0].fill_(false);
  const Tensor hidden = c(clip.flatten(1, 2), there.flatten(1, 2)).agnostic.view({kSlots, kPlaces});
  // The mean of normed tokens, as a token: LayerNorm only scales it, which a cosine does not see.
  const Tensor normed =
      torch::layer_norm(clip[0][4].narrow(0, 1, kPlaces - 1), {kWidth}, {}, {}, 1e-6);
  clip[0][4][0].copy_(normed.mean(0));
  const Tensor filled = c(clip.flatten(1, 2)).agnostic.view({kSlots, kPlaces});
  // Ranks of the neighbours at that place: standardised over one token more or less, a line apart.
  const auto logit = [](const Tensor& log_m) { return (log_m - torch::log1p(-log_m.exp())); };
  const Tensor x = logit(hidden);
  const Tensor z = logit(filled);
  // x = (a - mean) / deviation: differences of the same tokens have one ratio.
  const double ratio = ((x[0][1] - x[1][1]) / (z[0][1] - z[1][1])).item<double>();
  for (const std::int64_t slot : {3, 5}) {
    EXPECT_NEAR((x[slot][0] - x[0][1]).item<double>(),
                ratio * (z[slot][0] - z[0][1]).item<double>(), 2e-3)
        << slot;
  }
}

TEST(SoftMask, StaysBetweenZeroAndOneWhateverTheTokens) {
  Case c = make_case(true, true);
  c.mask->train();
  const std::vector<Tensor> clips = {lively_clips(2), lively_clips(2) * 1e4,
                                     torch::zeros({2, kSlots * kPlaces, kWidth}),
                                     torch::ones({2, kSlots * kPlaces, kWidth})};
  for (const bool sure : {false, true}) {
    if (sure) {  // a mask that has learnt to be
      set(c.mask, "agnostic.scale", 30.0);
      set(c.mask, "semantic.scale", 30.0);
    }
    for (const Tensor& clip : clips) {
      const Tensor tokens = clip.clone().requires_grad_();
      SoftMaskImpl::Output out;
      {
        const AutocastScope bf16(torch::kCPU, true);
        out = c(tokens);
      }
      EXPECT_EQ(out.log_mask.scalar_type(), torch::kFloat);
      EXPECT_TRUE(torch::isfinite(out.log_mask).all().item<bool>());
      EXPECT_TRUE((out.log_mask <= 0.0).all().item<bool>());
      const Tensor mask = out.log_mask.exp();
      if (!sure) {
        EXPECT_TRUE(((mask > 0.0) & (mask < 1.0)).all().item<bool>());
      }
      EXPECT_TRUE(torch::isfinite(out.aux_logits).all().item<bool>());
      (out.log_mask.sum() + out.aux_logits.sum()).backward();
      EXPECT_TRUE(torch::isfinite(tokens.grad()).all().item<bool>());
    }
  }
}

TEST(SoftMask, ComputesInF32UnderAutocast) {
  Case c = make_case(true, true);
  const Tensor tokens = lively_clips(2);
  const SoftMaskImpl::Output plain = c(tokens);
  const AutocastScope bf16(torch::kCPU, true);
  const SoftMaskImpl::Output cast = c(tokens);
  EXPECT_TRUE(torch::equal(plain.log_mask, cast.log_mask));
  EXPECT_TRUE(torch::equal(plain.aux_logits, cast.aux_logits));
  EXPECT_TRUE(autocast_enabled(torch::kCPU));  // and leaves it as it was
}

}  // namespace
}  // namespace mien::learn::soft_mask_test
