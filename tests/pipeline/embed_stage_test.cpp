// What is embedded ahead is what windows ask for, and the same as embedded by hand.
#include "pipeline/embed_stage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <optional>

#include "mien/analyzer.hpp"
#include "pipeline/expression_stage.h"
#include "pipeline/random_models.h"
#include "pipeline/test_videos.h"

namespace mien::pipeline {
namespace {

class EmbedStageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/embed_" + std::to_string(::getpid()) + ".safetensors";
    ASSERT_TRUE(testing::write_random_adatosk(path_).ok());
    auto recognizer = Recognizer::load(path_, {Precision::kF32, 1});
    ASSERT_TRUE(recognizer.ok()) << recognizer.error().to_string();
    recognizer_.emplace(std::move(*recognizer));
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // A face on every frame of a second and a half.
  std::vector<CroppedFrame> cropped(double fps) const {
    std::vector<CroppedFrame> frames;
    const int side = recognizer_->input_size();
    for (int i = 0; i < static_cast<int>(1.5 * fps); ++i) {
      FaceSample sample;
      sample.frame = i;
      sample.time_s = i / fps;
      sample.crop = std::make_shared<const std::vector<std::uint8_t>>(
          testing::plain_picture(side, side, 7 * i).rgb);
      const media::FaceRow row{i, sample.time_s, 1, {}, true};
      frames.push_back({nullptr, {{1, row, {sample}}}});
    }
    return frames;
  }

  Result<std::vector<WindowRow>> rows(double fps, int stride, bool ahead) {
    EmbedStage embeds(*recognizer_, recognizer_->session().value(), stride, clock_);
    ExpressionStage expressions(*recognizer_, recognizer_->session().value(),
                                {.window = 16, .stride = stride}, clock_);
    std::vector<WindowRow> out;
    for (CroppedFrame& frame : cropped(fps)) {
      if (ahead) MIEN_TRY(embeds.push(frame));
      for (CropStep& step : frame.steps) {
        MIEN_ASSIGN(auto more, expressions.push(std::move(step)));
        std::move(more.begin(), more.end(), std::back_inserter(out));
      }
    }
    return out;
  }

  std::string path_;
  std::optional<Recognizer> recognizer_;
  StageClock clock_;
};

TEST_F(EmbedStageTest, WindowsAreTheSameWithItAndWithout) {
  for (const double fps : {30.0, 15.0, 25.0}) {
    for (const int stride : {1, 2, 3, 4, 6}) {
      SCOPED_TRACE(std::to_string(fps) + " Hz, stride " + std::to_string(stride));
      const auto with = rows(fps, stride, true);
      const auto without = rows(fps, stride, false);
      ASSERT_TRUE(with.ok() && without.ok());
      ASSERT_EQ(with->size(), without->size());
      ASSERT_GE(with->size(), 4U);
      for (std::size_t i = 0; i < with->size(); ++i) {
        EXPECT_EQ((*with)[i].window.probabilities, (*without)[i].window.probabilities);
        EXPECT_EQ((*with)[i].window.start_s, (*without)[i].window.start_s);
      }
    }
  }
}

TEST_F(EmbedStageTest, EmbedsTubeletsAsTheGridHasThemAndEachOnce) {
  for (const double fps : {30.0, 15.0}) {
    EmbedStage embeds(*recognizer_, recognizer_->session().value(), 4, clock_);
    auto session = recognizer_->session().value();
    std::map<std::vector<std::int64_t>, int> seen;
    std::vector<CroppedFrame> frames = cropped(fps);
    const auto samples = frames;
    for (CroppedFrame& frame : frames) {
      ASSERT_TRUE(embeds.push(frame).ok());
      for (const PartEmbedding& part : frame.steps[0].embeddings) {
        ++seen[part.frames];
        std::vector<std::uint8_t> faces;
        for (const std::int64_t i : part.frames) {
          const auto& crop = *samples[static_cast<std::size_t>(i)].steps[0].samples[0].crop;
          faces.insert(faces.end(), crop.begin(), crop.end());
        }
        std::vector<float> wanted(static_cast<std::size_t>(recognizer_->embedding_size()));
        ASSERT_TRUE(session.embed(faces, 2, wanted).ok());
        EXPECT_EQ(part.values, wanted);
      }
    }
    EXPECT_GE(seen.size(), 18U);
    for (const auto& [part, times] : seen) EXPECT_EQ(times, 1);
    // At half the rate of the grid a tubelet is one frame twice.
    const std::vector<std::int64_t> first =
        fps == 30.0 ? std::vector<std::int64_t>{0, 1} : std::vector<std::int64_t>{0, 0};
    EXPECT_TRUE(seen.contains(first));
  }
}

TEST_F(EmbedStageTest, StridesAcrossTubeletsAreLeftAlone) {
  EmbedStage embeds(*recognizer_, recognizer_->session().value(), 3, clock_);
  for (CroppedFrame& frame : cropped(30.0)) {
    ASSERT_TRUE(embeds.push(frame).ok());
    EXPECT_TRUE(frame.steps[0].embeddings.empty());
  }
}

}  // namespace
}  // namespace mien::pipeline
