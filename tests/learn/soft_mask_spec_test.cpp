// The soft mask's formulas, one by one, and its gradients.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "learn/soft_mask_case.h"
#include "learn/soft_mask_reference.h"

namespace mien::learn::soft_mask_test {
namespace {

using test::MaskReference;
using test::ReferenceClip;
using test::ReferenceMask;
using test::ReferenceWeights;

std::vector<double> row_of(const Tensor& x) {
  const Tensor flat = x.detach().to(torch::kDouble).contiguous().view({-1});
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

std::vector<std::vector<double>> rows_of(const Tensor& x) {
  std::vector<std::vector<double>> out;
  for (std::int64_t i = 0; i < x.size(0); ++i) out.push_back(row_of(x[i]));
  return out;
}

ReferenceWeights weights_of(const Case& c, bool agnostic, bool semantic) {
  ReferenceWeights out;
  out.agnostic = agnostic;
  out.semantic = semantic;
  for (const auto& item : c.mask->named_parameters()) {
    if (item.key() == "norm.weight") {
      out.norm_weight = row_of(item.value());
    } else if (item.key() == "norm.bias") {
      out.norm_bias = row_of(item.value());
    } else if (item.key() == "agnostic.hidden.weight") {
      out.hidden_weight = rows_of(item.value());
    } else if (item.key() == "agnostic.hidden.bias") {
      out.hidden_bias = row_of(item.value());
    } else if (item.key() == "agnostic.readout") {
      out.readout = row_of(item.value());
    } else {
      out.values[item.key()] = item.value().item<double>();
    }
  }
  out.aux_weight = rows_of(c.aux->weight);
  out.aux_bias = row_of(c.aux->bias);
  return out;
}

void expect_near(const Tensor& mine, const std::vector<double>& truth, const Tensor& there,
                 const std::string& what) {
  const std::vector<double> values = row_of(mine);
  ASSERT_EQ(values.size(), truth.size()) << what;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (there.defined() && !there.view({-1})[static_cast<std::int64_t>(i)].item<bool>()) continue;
    EXPECT_NEAR(values[i], truth[i], 2e-4 * (1.0 + std::abs(truth[i]))) << what << " " << i;
  }
}

TEST(SoftMask, IsItsSpecification) {
  for (const auto& [agnostic, semantic, background] :
       {std::tuple{true, true, -1}, std::tuple{true, false, -1}, std::tuple{false, true, -1},
        std::tuple{true, true, 0}, std::tuple{false, true, 3}}) {
    Case c = make_case(agnostic, semantic, background);
    {
      const torch::NoGradGuard no_grad;  // values of no special kind
      for (auto& item : c.mask->named_parameters()) {
        item.value().add_(torch::randn_like(item.value()) * 0.3);
      }
      c.mask->named_buffers()["slot_mean"].normal_(0.0, 0.5);
    }
    ReferenceWeights weights = weights_of(c, agnostic, semantic);
    weights.background = background;
    const Tensor tokens = lively_clips(1);
    for (const Tensor& there : validities()) {
      const SoftMaskImpl::Output mine = c(tokens, there);
      const ReferenceClip clip{rows_of(tokens[0]),
                               [&] {
                                 std::vector<bool> flags;
                                 for (std::int64_t i = 0; i < there.size(1); ++i) {
                                   flags.push_back(there[0][i].item<bool>());
                                 }
                                 return flags;
                               }(),
                               rows_of(c.mask->named_buffers()["slot_mean"]),
                               static_cast<std::size_t>(kPlaces)};
      const ReferenceMask truth = MaskReference(clip, weights).run();
      expect_near(mine.aux_logits, truth.aux_logits, {}, "aux_logits");
      EXPECT_EQ(mine.agnostic.defined(), agnostic);
      EXPECT_EQ(mine.semantic.defined(), semantic);
      if (agnostic) expect_near(mine.agnostic, truth.log_agnostic, there, "agnostic");
      if (semantic) expect_near(mine.semantic, truth.log_semantic, there, "semantic");
      Tensor product = torch::zeros_like(mine.log_mask);
      if (agnostic) product = product + mine.agnostic;
      if (semantic) product = product + mine.semantic;
      EXPECT_TRUE(torch::equal(mine.log_mask, product));
    }
  }
}

TEST(SoftMask, EveryClipOfABatchIsOnItsOwn) {
  Case c = make_case(true, true);
  const Tensor tokens = lively_clips(3);
  const Tensor there = torch::cat(validities());
  const SoftMaskImpl::Output together = c(tokens, there);
  for (std::int64_t i = 0; i < 3; ++i) {
    const SoftMaskImpl::Output alone = c(tokens.narrow(0, i, 1), there.narrow(0, i, 1));
    EXPECT_TRUE(torch::allclose(together.log_mask[i], alone.log_mask[0], 1e-4, 1e-5)) << i;
    EXPECT_TRUE(torch::allclose(together.aux_logits[i], alone.aux_logits[0], 1e-4, 1e-5)) << i;
  }
}

TEST(SoftMask, GradientsReachEveryParameter) {
  Case c = make_case(true, true);
  set(c.mask, "agnostic.readout", 0.1);  // from 0 on it learns first, and then what it reads
  c.mask->train();
  const Tensor tokens = lively_clips(3).requires_grad_();
  const SoftMaskImpl::Output out = c(tokens, torch::cat(validities()));
  torch::manual_seed(41);
  ((out.log_mask * torch::randn_like(out.log_mask)).sum() + out.aux_logits.square().sum())
      .backward();
  std::size_t seen = 0;
  for (const torch::nn::Module* module : {static_cast<torch::nn::Module*>(c.mask.get()),
                                          static_cast<torch::nn::Module*>(c.aux.get())}) {
    for (const auto& item : module->named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_TRUE(torch::isfinite(item.value().grad()).all().item<bool>()) << item.key();
      EXPECT_GT(item.value().grad().abs().max().item<double>(), 0.0) << item.key();
      ++seen;
    }
  }
  EXPECT_EQ(seen, 2U + 6U + 4U + 2U);
  EXPECT_TRUE(torch::isfinite(tokens.grad()).all().item<bool>());
}

// By the mask alone, without the auxiliary classifier's own loss.
TEST(SoftMask, GradientsAreThoseOfDifferences) {
  Case c = make_case(true, true);
  const Tensor tokens = lively_clips(1);
  const Tensor there = validities()[2];
  torch::manual_seed(43);
  const Tensor weight = torch::randn({1, kSlots * kPlaces}) * there;
  const auto loss = [&] { return (c(tokens, there).log_mask * weight).sum(); };
  loss().backward();
  for (const char* name : {"agnostic.scale", "agnostic.offset", "agnostic.repeat", "semantic.scale",
                           "semantic.offset", "semantic.repeat", "semantic.sharpness"}) {
    auto parameters = c.mask->named_parameters();
    const double slope = parameters[name].grad().item<double>();
    const double at = parameters[name].item<double>();
    constexpr double kStep = 2e-2;
    set(c.mask, name, at + kStep);
    const double above = loss().item<double>();
    set(c.mask, name, at - kStep);
    const double below = loss().item<double>();
    set(c.mask, name, at);
    EXPECT_NEAR(slope, (above - below) / (2.0 * kStep), 2e-2 * std::abs(slope) + 2e-3) << name;
  }
}

TEST(SoftMask, RunningMeansFollowWhatIsThere) {
  Case c = make_case(true, true);
  const Tensor tokens = lively_clips(2);
  const Tensor there = validities()[2].repeat({2, 1});
  const auto slot_mean = [&] { return c.mask->named_buffers()["slot_mean"].clone(); };
  c(tokens, there);
  EXPECT_EQ(slot_mean().abs().max().item<double>(), 0.0);  // evaluation changes nothing
  c.mask->train();
  c(tokens, there);
  const Tensor normed =
      torch::layer_norm(tokens, {kWidth}, {}, {}, 1e-6).view({2, kSlots, kPlaces, kWidth});
  const Tensor after = slot_mean();
  const Tensor full = normed.transpose(0, 1).flatten(1, 2).mean(1) * 0.05;  // [S, D]
  for (const std::int64_t slot : {1, 2, 6}) {
    EXPECT_TRUE(torch::allclose(after[slot], full[slot], 1e-4, 1e-6)) << slot;
  }
  for (const std::int64_t slot : {0, 3, 4, 7}) {
    EXPECT_EQ(after[slot].abs().max().item<double>(), 0.0) << slot;
  }
  const Tensor partly =
      torch::cat({normed.select(1, 5).narrow(1, 0, 2), normed.select(1, 5).narrow(1, 3, 1)}, 1);
  EXPECT_TRUE(torch::allclose(after[5], partly.flatten(0, 1).mean(0) * 0.05, 1e-4, 1e-6));
}

}  // namespace
}  // namespace mien::learn::soft_mask_test
