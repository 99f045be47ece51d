// The soft mask and the budget, as users of the library meet them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "compare.h"
#include "core/files.h"
#include "mien/recognizer.hpp"
#include "model_on_disk.h"

namespace mien {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kPixels = 48 * 48 * 3;

class AdaToskRecognizer : public ::testing::Test {
 protected:
  static constexpr std::size_t kTokens = 18;  // 2 slots of 3 x 3
  static constexpr std::size_t kClip = 4 * kPixels;

  void SetUp() override {
    const std::string path = test::write_random(folder_, test::small_adatosk_config());
    auto model = Recognizer::load(path, {.precision = Precision::kF32, .threads = 2});
    ASSERT_TRUE(model.ok()) << model.error().to_string();
    model_.emplace(std::move(*model));
    auto session = model_->session();
    ASSERT_TRUE(session.ok());
    session_.emplace(std::move(*session));
  }

  testing::TempFolder folder_;
  std::vector<std::uint8_t> faces_ = test::random_pixels(3 * kClip, 6);
  std::optional<Recognizer> model_;
  std::optional<Recognizer::Session> session_;
};

TEST_F(AdaToskRecognizer, TellsOfItsMask) {
  EXPECT_TRUE(model_->has_mask());
  EXPECT_EQ(model_->mask_slots(), 2);
  EXPECT_EQ(model_->mask_grid(), 3);
  EXPECT_DOUBLE_EQ(model_->budget(), 0.5);
  EXPECT_TRUE(model_->is_temporal());
  EXPECT_TRUE(model_->reads_faces());
  EXPECT_EQ(model_->embedding_frames(), 2);
  EXPECT_EQ(model_->embedding_size(), 3 * 3 * 32);  // the places of a slot
}

TEST_F(AdaToskRecognizer, MaskAndKeptTokensOfEveryClip) {
  std::vector<float> logits(9), again(9), mask(3 * kTokens), alone(3), own_mask(kTokens);
  std::vector<std::uint8_t> kept(3 * kTokens), own_kept(kTokens);
  ASSERT_TRUE(session_->logits(faces_, 3, 4, logits, {.mask = mask, .kept = kept}).ok());
  ASSERT_TRUE(session_->logits(faces_, 3, 4, again).ok());
  EXPECT_EQ(again, logits) << "to look at the mask changes nothing";
  for (std::size_t b = 0; b < 3; ++b) {
    const auto clip = std::span(faces_).subspan(b * kClip, kClip);
    ASSERT_TRUE(session_->logits(clip, 1, 4, alone, {.mask = own_mask, .kept = own_kept}).ok());
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(alone[c], logits[3 * b + c]);
    float least_kept = 1.0F;
    float most_dropped = 0.0F;
    int count = 0;
    for (std::size_t i = 0; i < kTokens; ++i) {
      const float m = mask[b * kTokens + i];
      EXPECT_EQ(m, own_mask[i]);
      EXPECT_TRUE(m > 0.0F && m < 1.0F) << m;
      EXPECT_EQ(kept[b * kTokens + i], own_kept[i]);
      count += own_kept[i];
      if (own_kept[i] != 0) {
        least_kept = std::min(least_kept, m);
      } else {
        most_dropped = std::max(most_dropped, m);
      }
    }
    EXPECT_EQ(count, 9);
    EXPECT_GE(least_kept, most_dropped);
  }
}

// What a slot's embedding holds, its first tokens or those that leave the gate, is the model's.
TEST_F(AdaToskRecognizer, EmbeddedSlotsGiveTheAnswersOfTheirClip) {
  core::ModelConfig config = test::small_adatosk_config();
  config.adatosk.slotwise = true;
  testing::TempFolder folder;
  auto slotwise = Recognizer::load(test::write_random(folder, config),
                                   {.precision = Precision::kF32, .threads = 2});
  ASSERT_TRUE(slotwise.ok()) << slotwise.error().to_string();
  std::vector<std::vector<float>> answers;
  for (const Recognizer* model : {&*model_, &*slotwise}) {
    auto session = model->session();
    ASSERT_TRUE(session.ok());
    const auto size = static_cast<std::size_t>(model->embedding_size());
    ASSERT_EQ(size, 3U * 3 * 32);
    std::vector<float> slots(2 * size), logits(3), mask(kTokens), own_mask(kTokens);
    const auto clip = std::span(faces_).first(kClip);
    ASSERT_TRUE(session->embed(clip, 4, slots).ok());
    auto& own = answers.emplace_back(3);
    ASSERT_TRUE(session->logits(clip, 1, 4, own, {.mask = own_mask}).ok());
    ASSERT_TRUE(session->logits_of(slots, 1, 4, logits, {.mask = mask}).ok());
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(logits[c], own[c], 1e-5F);
    for (std::size_t i = 0; i < kTokens; ++i) EXPECT_NEAR(mask[i], own_mask[i], 1e-5F);
  }
  EXPECT_NE(answers[0], answers[1]);
}

TEST_F(AdaToskRecognizer, BudgetsChangeFromCallToCall) {
  std::vector<float> own(9), all(9), half(9), few(9), probabilities(9);
  std::vector<std::uint8_t> kept(3 * kTokens);
  ASSERT_TRUE(session_->logits(faces_, 3, 4, own).ok());
  ASSERT_TRUE(session_->logits(faces_, 3, 4, all, {.budget = 1.0, .kept = kept}).ok());
  EXPECT_EQ(std::count(kept.begin(), kept.end(), 1), 3 * 18);
  ASSERT_TRUE(session_->logits(faces_, 3, 4, few, {.budget = 0.2, .kept = kept}).ok());
  EXPECT_EQ(std::count(kept.begin(), kept.end(), 1), 3 * 4);
  ASSERT_TRUE(session_->logits(faces_, 3, 4, half, {.budget = 0.5}).ok());
  EXPECT_EQ(half, own);
  EXPECT_NE(all, own);
  EXPECT_NE(few, own);
  ASSERT_TRUE(session_->probabilities(faces_, 3, 4, probabilities, {.budget = 0.2}).ok());
  EXPECT_NEAR(probabilities[0] / probabilities[1], std::exp(few[0] - few[1]), 1e-3F);
}

TEST_F(AdaToskRecognizer, RefusesBudgetsAndSizesThatCannotBe) {
  std::vector<float> logits(9), mask(3 * kTokens);
  std::vector<std::uint8_t> kept(3 * kTokens);
  const auto refuses = [&](const ClipOptions& options) {
    const Status status = session_->logits(faces_, 3, 4, logits, options);
    return !status.ok() && status.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refuses({.budget = -0.5}));
  EXPECT_TRUE(refuses({.budget = 1.01}));
  EXPECT_TRUE(refuses({.budget = std::nan("")}));
  EXPECT_TRUE(refuses({.mask = std::span(mask).first(kTokens)}));
  EXPECT_TRUE(refuses({.kept = std::span(kept).first(1)}));
  EXPECT_TRUE(session_->logits(faces_, 3, 4, logits, {.mask = mask, .kept = kept}).ok());
}

TEST(Recognizer, ModelsWithoutAMaskSaySo) {
  const testing::TempFolder folder;
  const auto model = Recognizer::load(test::write_random(folder, test::small_videomae_config()));
  ASSERT_TRUE(model.ok());
  EXPECT_FALSE(model->has_mask());
  EXPECT_EQ(model->mask_slots(), 0);
  EXPECT_EQ(model->mask_grid(), 0);
  EXPECT_DOUBLE_EQ(model->budget(), 1.0);
  auto session = model->session();
  ASSERT_TRUE(session.ok());
  const auto faces = test::random_pixels(4 * kPixels, 6);
  std::vector<float> logits(3), mask(18);
  for (const ClipOptions& options : {ClipOptions{.budget = 0.5}, ClipOptions{.mask = mask}}) {
    const Status status = session->logits(faces, 1, 4, logits, options);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(status.error().to_string(), HasSubstr("no soft mask"));
  }
  EXPECT_TRUE(session->logits(faces, 1, 4, logits, {}).ok());
}

}  // namespace
}  // namespace mien
