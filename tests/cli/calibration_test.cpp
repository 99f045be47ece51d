// How a calibration decides, on answers whose errors are known layer by layer.
#include "cli/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

namespace mien::cli {
namespace {

using engine::EngineOptions;

constexpr std::size_t kSamples = 200;

// Two classes. Sample i is surer by 0.01 than the one before it, and its class is i % 2. Each layer
// in int8 takes its harm off the margin between the classes, so a sample turns where that is more
// than its margin: with a harm of 0.05 the first five do.
struct Model {
  std::map<std::string, double> harm;
  std::vector<EngineOptions> asked{};
  std::vector<std::size_t> asked_samples{};

  std::vector<float> answer(const EngineOptions& options, std::size_t samples) {
    asked.push_back(options);
    asked_samples.push_back(samples);
    double taken = 0.0;
    for (const auto& [layer, error] : harm) {
      const auto keep = options.keep.value_or(std::vector<std::string>());
      const bool kept = std::find(keep.begin(), keep.end(), layer) != keep.end();
      if (options.precision == Precision::kInt8 && !kept) taken += error;
    }
    std::vector<float> logits;
    for (std::size_t i = 0; i < samples; ++i) {
      const double margin = 0.01 * (static_cast<double>(i) + 0.5) - taken;
      const double first = i % 2 == 0 ? margin : -margin;
      logits.push_back(static_cast<float>(first));
      logits.push_back(0.0F);
    }
    return logits;
  }

  CalibrationTask task() {
    CalibrationTask made;
    for (const auto& [layer, error] : harm) made.layers.push_back(layer);
    for (std::size_t i = 0; i < kSamples; ++i) made.truths.push_back(i % 2);
    made.classes = 2;
    made.answers = [this](const EngineOptions& options,
                          std::size_t samples) -> Result<std::vector<float>> {
      return answer(options, samples);
    };
    return made;
  }
};

TEST(Calibration, ModelsThatHoldKeepNothing) {
  Model model{{{"a", 0.0}, {"b", 0.001}, {"c", 0.003}, {"d", 0.0}}};
  const auto found = calibrate(model.task());
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_TRUE(found->int8);
  EXPECT_TRUE(found->keep.empty());
  EXPECT_EQ(found->samples, static_cast<std::int64_t>(kSamples));
  EXPECT_EQ(found->agreement, 1.0);
  EXPECT_EQ(found->accuracy_f32, 1.0);
  EXPECT_EQ(found->accuracy_bf16, 1.0);
  EXPECT_EQ(found->accuracy_int8, 1.0);
  ASSERT_EQ(model.asked.size(), 3U);
  EXPECT_EQ(model.asked[0].precision, Precision::kF32);
  EXPECT_EQ(model.asked[1].precision, Precision::kBf16);
  EXPECT_EQ(model.asked[2].precision, Precision::kInt8);
}

TEST(Calibration, TheWorstLayersAreLeftOutUntilItHolds) {
  // 0.104 of harm: ten samples turn. Without c it is four, without b too none.
  Model model{{{"a", 0.004}, {"b", 0.04}, {"c", 0.06}, {"d", 0.0}, {"e", 0.0}}};
  const auto found = calibrate(model.task());
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_TRUE(found->int8);
  EXPECT_EQ(found->keep, (std::vector<std::string>{"c", "b"}));
  EXPECT_EQ(found->agreement, 1.0);
  // Each layer was ranked alone, on fewer samples.
  const auto few =
      std::count(model.asked_samples.begin(), model.asked_samples.end(), kRankingSamples);
  EXPECT_EQ(few, 5);
  for (std::size_t i = 0; i < model.asked.size(); ++i) {
    if (model.asked_samples[i] == kRankingSamples) {
      EXPECT_EQ(model.asked[i].keep->size(), 4U);
    }
  }
}

TEST(Calibration, TheLimitsThemselvesAreAllowed) {
  // One of 200 samples turns: 0.5 points, 99.5 % agree.
  Model one{{{"a", 0.006}, {"b", 0.0}}};
  EXPECT_TRUE(calibrate(one.task()).value().int8);
  // Two of 200: a point is lost, though 99 % still agree.
  Model two{{{"a", 0.016}, {"b", 0.0}}};
  const auto found = calibrate(two.task()).value();
  EXPECT_EQ(found.keep, std::vector<std::string>{"a"});
  // The other way round: nothing is lost where the turned samples were wrong before.
  Model lucky{{{"a", 0.016}, {"b", 0.0}}};
  CalibrationTask task = lucky.task();
  for (const std::size_t i : {0U, 1U}) task.truths[i] = 1 - task.truths[i];
  EXPECT_TRUE(calibrate(task).value().keep.empty());
}

TEST(Calibration, MoreThanHalfOfTheLayersIsTooMany) {
  Model model{{{"a", 0.1}, {"b", 0.1}, {"c", 0.1}, {"d", 0.1}}};
  const auto found = calibrate(model.task());
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->int8);
  EXPECT_EQ(found->keep, (std::vector<std::string>{"a", "b"}));  // equal harm: in their order
  EXPECT_LT(found->agreement, 0.99);
  EXPECT_LT(found->accuracy_int8, found->accuracy_f32);
}

TEST(Calibration, AnswersThatAreNotFiniteAgreeWithNothing) {
  Model model{{{"a", 0.0}, {"b", 0.0}}};
  CalibrationTask task = model.task();
  task.answers = [&](const EngineOptions& options,
                     std::size_t samples) -> Result<std::vector<float>> {
    std::vector<float> logits = model.answer(options, samples);
    const bool spoiled =
        options.precision == Precision::kInt8 &&
        std::find(options.keep->begin(), options.keep->end(), "b") == options.keep->end();
    if (spoiled) std::fill(logits.begin(), logits.end(), std::numeric_limits<float>::quiet_NaN());
    return logits;
  };
  const auto found = calibrate(task);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->int8);
  EXPECT_EQ(found->keep, std::vector<std::string>{"b"});
}

TEST(Calibration, Refusals) {
  Model model{{{"a", 0.0}}};
  CalibrationTask none = model.task();
  none.truths.clear();
  EXPECT_EQ(calibrate(none).error().code, ErrorCode::kInvalidArgument);
  CalibrationTask bare = model.task();
  bare.layers.clear();
  EXPECT_EQ(calibrate(bare).error().code, ErrorCode::kInvalidArgument);
  CalibrationTask odd = model.task();
  odd.classes = 3;
  EXPECT_EQ(calibrate(odd).error().code, ErrorCode::kInvalidArgument);
  CalibrationTask failing = model.task();
  failing.answers = [](const EngineOptions&, std::size_t) -> Result<std::vector<float>> {
    return make_error(ErrorCode::kCancelled, "stopped");
  };
  EXPECT_EQ(calibrate(failing).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace mien::cli
