// What `mien bench` measures gives the answers of Recognizer, and its yardstick runs.
#include "engine/forward.h"

#include <gtest/gtest.h>

#include "engine/measure.h"
#include "mien/recognizer.hpp"
#include "model_on_disk.h"

namespace mien::engine {
namespace {

constexpr EngineOptions kF32{.precision = Precision::kF32, .threads = 1};

std::vector<float> answers_of(Forward& forward, const std::vector<std::uint8_t>& faces) {
  std::vector<float> answers(forward.answers());
  const auto status = forward.run(faces, answers);
  EXPECT_TRUE(status.ok()) << status.error().to_string();
  return answers;
}

TEST(Forward, GivesTheLogitsOfRecognizer) {
  for (const auto& config : {test::small_config(true), test::small_config(false),
                             test::small_videomae_config(), test::small_adatosk_config()}) {
    const testing::TempFolder folder;
    const std::string path = test::write_random(folder, config);
    const auto recognizer = Recognizer::load(path, {.precision = Precision::kF32, .threads = 1});
    ASSERT_TRUE(recognizer.ok()) << recognizer.error().to_string();
    auto session = recognizer->session();
    ASSERT_TRUE(session.ok());
    const core::TensorMap tensors = test::random_tensors(config, 5);
    auto forward = Forward::load(config, core::views_of(tensors), kF32);
    ASSERT_TRUE(forward.ok()) << forward.error().to_string();
    const auto faces = test::random_pixels(forward->pixels(), 2);
    std::vector<float> wanted(forward->answers());
    ASSERT_TRUE(session->logits(faces, 1, config.input_frames(), wanted).ok());
    EXPECT_EQ(answers_of(*forward, faces), wanted);
    EXPECT_EQ(forward->precision(), Precision::kF32);
    EXPECT_EQ(forward->threads(), 1);
  }
}

TEST(Forward, TheBudgetChangesTheAnswer) {
  const core::ModelConfig config = test::small_adatosk_config();
  const core::TensorMap tensors = test::random_tensors(config, 5);
  auto own = Forward::load(config, core::views_of(tensors), kF32);
  auto little = Forward::load(config, core::views_of(tensors), kF32, 0.2);
  ASSERT_TRUE(own.ok() && little.ok());
  const auto faces = test::random_pixels(own->pixels(), 2);
  EXPECT_NE(answers_of(*own, faces), answers_of(*little, faces));
}

TEST(Forward, Refuses) {
  core::ModelConfig config = test::small_config(true);
  config.s2d.with_landmark = false;
  const core::TensorMap blind = test::random_tensors(config, 5);
  const auto without = Forward::load(config, core::views_of(blind), kF32);
  ASSERT_FALSE(without.ok());
  EXPECT_EQ(without.error().code, ErrorCode::kUnsupported);
  const core::TensorMap landmark = test::random_tensors(test::landmark_config(), 5);
  const auto budget = Forward::load(test::landmark_config(), core::views_of(landmark), kF32, 0.5);
  ASSERT_FALSE(budget.ok());
  EXPECT_EQ(budget.error().code, ErrorCode::kUnsupported);
  auto points = Forward::load(test::landmark_config(), core::views_of(landmark), kF32);
  ASSERT_TRUE(points.ok());
  std::vector<float> answers(points->answers());
  EXPECT_FALSE(points->run(test::random_pixels(7, 1), answers).ok());
}

TEST(Measure, TakesBothInTurns) {
  const core::TensorMap tensors = test::random_tensors(test::landmark_config(), 5);
  auto forward = Forward::load(test::landmark_config(), core::views_of(tensors), kF32);
  auto peak = GemmPeak::create(kF32);
  ASSERT_TRUE(forward.ok() && peak.ok());
  const auto times = measure(*forward, *peak, 0.0);
  ASSERT_TRUE(times.ok()) << times.error().to_string();
  EXPECT_EQ(times->forward_ms.size(), kLeastRuns);
  EXPECT_EQ(times->peak_ms.size(), kLeastRuns);
  for (const double ms : times->peak_ms) {
    EXPECT_GT(ms, 0.0);
    // 100 TFLOP/s would be no CPU of today: the product was really computed.
    EXPECT_LT(GemmPeak::giga_operations() / ms, 100.0);
  }
  EXPECT_FALSE(peak->kernel().empty());
}

}  // namespace
}  // namespace mien::engine
