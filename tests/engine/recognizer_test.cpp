// The public face: shapes, refusals, threads.
#include "mien/recognizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <thread>

#include "compare.h"
#include "core/files.h"
#include "core/s2d_spec.h"
#include "model_on_disk.h"

namespace mien {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kPixels = 48 * 48 * 3;

TEST(Recognizer, TellsWhatItReads) {
  const testing::TempFolder folder;
  const auto model = Recognizer::load(test::write_random(folder, test::small_config(true)));
  ASSERT_TRUE(model.ok()) << model.error().to_string();
  EXPECT_EQ(model->input_size(), 48);
  EXPECT_EQ(model->num_frames(), 4);
  EXPECT_TRUE(model->is_temporal());
  EXPECT_TRUE(model->has_landmark_net());
  EXPECT_TRUE(model->reads_faces());
  EXPECT_EQ(model->num_classes(), 3);
  EXPECT_EQ(model->embedding_size(), 2 * 9 * 32);
  EXPECT_EQ(model->classes()[1], "happiness");
  EXPECT_NE(model->precision(), Precision::kAuto);
}

TEST(Recognizer, ProbabilitiesAreTheSoftmaxOfLogits) {
  const testing::TempFolder folder;
  const auto model = Recognizer::load(test::write_random(folder, test::small_config(true)));
  ASSERT_TRUE(model.ok());
  auto session = model->session();
  ASSERT_TRUE(session.ok());
  const auto faces = test::random_pixels(2 * 4 * kPixels, 1);
  std::vector<float> logits(6), probabilities(6);
  ASSERT_TRUE(session->logits(faces, 2, 4, logits).ok());
  ASSERT_TRUE(session->probabilities(faces, 2, 4, probabilities).ok());
  for (std::size_t b = 0; b < 2; ++b) {
    float sum = 0.0F;
    for (std::size_t c = 0; c < 3; ++c) sum += std::exp(logits[b * 3 + c]);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(probabilities[b * 3 + c], std::exp(logits[b * 3 + c]) / sum, 1e-6F);
    }
  }
}

TEST(Recognizer, FramesOfAnImageModelCanBeShared) {
  const testing::TempFolder folder;
  const auto model = Recognizer::load(test::write_random(folder, test::small_config(false)),
                                      {.precision = Precision::kF32});
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->num_frames(), 1);
  auto session = model->session();
  ASSERT_TRUE(session.ok());
  const int frames = 37;  // passes of 32 and smaller ones
  const auto faces = test::random_pixels(static_cast<std::size_t>(frames) * kPixels, 2);
  std::vector<float> features(static_cast<std::size_t>(frames) * 32), together(3), shared(3);
  ASSERT_TRUE(session->embed(faces, frames, features).ok());
  ASSERT_TRUE(session->logits(faces, 1, frames, together).ok());
  ASSERT_TRUE(session->logits_of(features, 1, frames, shared).ok());
  EXPECT_EQ(together, shared);
  // A frame's feature does not depend on its neighbours.
  std::vector<float> alone(32);
  const auto ninth = std::span(faces).subspan(9 * kPixels, kPixels);
  ASSERT_TRUE(session->embed(ninth, 1, alone).ok());
  EXPECT_LT(test::difference(alone, std::span(features).subspan(9 * 32, 32)).relative, 1e-5);
}

// What windows that overlap share must not depend on the window.
TEST(Recognizer, FramesOfAVideoModelCanBeShared) {
  const testing::TempFolder folder;
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    const auto model = Recognizer::load(test::write_random(folder, test::small_config(true)),
                                        {.precision = precision, .threads = 2});
    ASSERT_TRUE(model.ok());
    auto session = model->session();
    ASSERT_TRUE(session.ok());
    const auto faces = test::random_pixels(7 * kPixels, 2);
    const auto size = static_cast<std::size_t>(model->embedding_size());
    std::vector<float> embeddings(7 * size), whole(3), shared(3);
    ASSERT_TRUE(session->embed(faces, 7, embeddings).ok());
    for (std::size_t first : {0U, 1U, 3U}) {
      const auto clip = std::span(faces).subspan(first * kPixels, 4 * kPixels);
      ASSERT_TRUE(session->logits(clip, 1, 4, whole).ok());
      const auto own = std::span(embeddings).subspan(first * size, 4 * size);
      ASSERT_TRUE(session->logits_of(own, 1, 4, shared).ok());
      EXPECT_LT(test::difference(shared, whole).relative,
                precision == Precision::kF32 ? 1e-5 : 3e-2);
    }
    // Two clips in one call, the second of other frames.
    std::vector<float> both(6), pair(8 * size);
    std::copy_n(embeddings.begin(), 4 * size, pair.begin());
    std::copy_n(embeddings.begin() + static_cast<std::ptrdiff_t>(3 * size), 4 * size,
                pair.begin() + static_cast<std::ptrdiff_t>(4 * size));
    ASSERT_TRUE(session->logits_of(pair, 2, 4, both).ok());
    EXPECT_EQ(shared, std::vector<float>(both.begin() + 3, both.end()));
  }
}

// The same with AdaTosk's tubelets, and the mask and the budget of a call.
TEST(Recognizer, SlotsOfAdaToskCanBeShared) {
  const testing::TempFolder folder;
  core::ModelConfig config = test::small_adatosk_config();
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    const auto model = Recognizer::load(test::write_random(folder, config),
                                        {.precision = precision, .threads = 2});
    ASSERT_TRUE(model.ok()) << model.error().to_string();
    auto session = model->session();
    ASSERT_TRUE(session.ok());
    const std::size_t pixels = 3 * static_cast<std::size_t>(model->input_size()) *
                               static_cast<std::size_t>(model->input_size());
    const int frames = model->num_frames();
    ASSERT_EQ(model->embedding_frames(), 2);
    const std::size_t count = static_cast<std::size_t>(frames);
    const auto faces = test::random_pixels((count + 4) * pixels, 2);
    const auto size = static_cast<std::size_t>(model->embedding_size());
    const auto classes = static_cast<std::size_t>(model->num_classes());
    const auto tokens = static_cast<std::size_t>(model->mask_slots()) *
                        static_cast<std::size_t>(model->mask_grid() * model->mask_grid());
    std::vector<float> embeddings((count / 2 + 2) * size), whole(classes), shared(classes);
    ASSERT_TRUE(session->embed(faces, frames + 4, embeddings).ok());
    const double tolerance = precision == Precision::kF32 ? 1e-5 : 3e-2;
    for (const std::size_t first : {0U, 2U, 4U}) {
      std::vector<float> mask(tokens), shared_mask(tokens);
      const auto clip = std::span(faces).subspan(first * pixels, count * pixels);
      ASSERT_TRUE(session->logits(clip, 1, frames, whole, {.budget = 0.5, .mask = mask}).ok());
      const auto own = std::span(embeddings).subspan(first / 2 * size, count / 2 * size);
      ASSERT_TRUE(
          session->logits_of(own, 1, frames, shared, {.budget = 0.5, .mask = shared_mask}).ok());
      EXPECT_LT(test::difference(shared_mask, mask).relative, tolerance);
      if (precision == Precision::kF32) {  // in bf16 other tokens may be kept
        EXPECT_LT(test::difference(shared, whole).relative, tolerance);
      }
    }
    EXPECT_FALSE(session->embed(std::span(faces).first(3 * pixels), 3, embeddings).ok());
  }
}

std::vector<std::uint8_t> mirrored(std::span<const std::uint8_t> face) {
  std::vector<std::uint8_t> out;
  for (std::size_t row = 0; row < 48; ++row) {
    for (std::size_t column = 48; column-- > 0;) {
      const auto pixel = face.subspan(3 * (48 * row + column), 3);
      out.insert(out.end(), pixel.begin(), pixel.end());
    }
  }
  return out;
}

// Seen both ways.
TEST(Recognizer, AStillIsAClipInWhichNothingMoves) {
  const testing::TempFolder folder;
  for (const core::ModelConfig& config :
       {test::small_config(true), test::small_config(false), test::small_videomae_config()}) {
    const auto model = Recognizer::load(test::write_random(folder, config),
                                        {.precision = Precision::kF32, .threads = 2});
    ASSERT_TRUE(model.ok());
    auto session = model->session();
    ASSERT_TRUE(session.ok());
    const auto faces = test::random_pixels(2 * kPixels, 4);
    std::vector<float> stills(6), mean(3), clip(3);
    ASSERT_TRUE(session->still_logits(faces, 2, stills).ok());
    const auto second = std::span(faces).last(kPixels);
    const std::vector<std::uint8_t> turned = mirrored(second);
    for (const auto view :
         {std::span<const std::uint8_t>(second), std::span<const std::uint8_t>(turned)}) {
      std::vector<std::uint8_t> frames;
      for (int i = 0; i < model->num_frames(); ++i)
        frames.insert(frames.end(), view.begin(), view.end());
      ASSERT_TRUE(session->logits(frames, 1, model->num_frames(), clip).ok());
      for (std::size_t c = 0; c < 3; ++c) mean[c] += 0.5F * clip[c];
    }
    EXPECT_LT(test::difference(std::span(stills).last(3), mean).relative, 1e-5);
    EXPECT_FALSE(session->still_logits(faces, 1, stills).ok());
    EXPECT_FALSE(session->still_logits(faces, 2, stills, 0.5).ok());  // has no mask
  }
}

// Of the tensors of `video` those that an image model has.
std::string write_image_part(const testing::TempFolder& folder, const core::ModelConfig& video,
                             unsigned seed) {
  core::ModelConfig image = video;
  image.s2d.temporal = false;
  image.s2d.keeps_image_model = false;
  core::TensorMap tensors = test::random_tensors(video, seed);
  std::erase_if(tensors, [](const auto& item) { return core::works_over_time(item.first); });
  const std::string path = folder.file("image.safetensors");
  EXPECT_TRUE(core::write_model(path, image, core::views_of(tensors), core::DType::kF32).ok());
  return path;
}

TEST(Recognizer, AVideoModelThatKeepsItsImageModelReadsStillsByIt) {
  const testing::TempFolder folder;
  core::ModelConfig config = test::small_config(true);
  config.s2d.keeps_image_model = true;
  const std::string image = write_image_part(folder, config, 5);
  const auto faces = test::random_pixels(3 * kPixels, 4);
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    std::vector<std::vector<float>> answers;
    for (const std::string& path : {test::write_random(folder, config), image}) {
      const auto model = Recognizer::load(path, {.precision = precision, .threads = 2});
      ASSERT_TRUE(model.ok()) << model.error().to_string();
      auto session = model->session();
      ASSERT_TRUE(session.ok());
      ASSERT_TRUE(session->still_logits(faces, 3, answers.emplace_back(9)).ok());
    }
    EXPECT_EQ(answers[0], answers[1]);
  }
  // And its clips by all of it.
  const auto model = Recognizer::load(test::write_random(folder, config));
  ASSERT_TRUE(model.ok());
  EXPECT_TRUE(model->is_temporal());
  EXPECT_EQ(model->num_frames(), 4);
}

TEST(Recognizer, OneModelServesTwoThreads) {
  const testing::TempFolder folder;
  for (const int threads : {1, 2}) {
    const auto model = Recognizer::load(test::write_random(folder, test::small_config(true)),
                                        {.threads = threads});
    ASSERT_TRUE(model.ok());
    const auto faces = test::random_pixels(4 * kPixels, 3);
    std::vector<std::vector<float>> results(2);
    std::vector<int> failures(2, 0);
    const auto work = [&](std::size_t id) {
      auto session = model->session();
      std::vector<float> first(3), again(3);
      failures[id] += !session.ok() || !session->logits(faces, 1, 4, first).ok();
      for (int i = 0; i < 20 && failures[id] == 0; ++i) {
        failures[id] += !session->logits(faces, 1, 4, again).ok() || again != first;
      }
      results[id] = first;
    };
    std::thread a(work, 0), b(work, 1);
    a.join();
    b.join();
    EXPECT_EQ(failures, std::vector<int>({0, 0}));
    EXPECT_EQ(results[0], results[1]);
  }
}

TEST(Recognizer, RefusesWrongSizes) {
  const testing::TempFolder folder;
  const auto model = Recognizer::load(test::write_random(folder, test::small_config(true)));
  ASSERT_TRUE(model.ok());
  auto session = model->session();
  ASSERT_TRUE(session.ok());
  const auto faces = test::random_pixels(4 * kPixels, 3);
  std::vector<float> logits(3), features(4 * 32);
  const auto code = [](const Status& status) {
    return status.ok() ? "ok" : error_code_name(status.error().code);
  };
  EXPECT_STREQ(code(session->logits(faces, 1, 3, logits)), "invalid-argument");
  EXPECT_STREQ(code(session->logits(faces, 0, 4, logits)), "invalid-argument");
  EXPECT_STREQ(code(session->logits(faces, -1, 4, logits)), "invalid-argument");
  EXPECT_STREQ(code(session->logits(std::span(faces).first(5), 1, 4, logits)), "invalid-argument");
  EXPECT_STREQ(code(session->logits(faces, 1, 4, std::span(logits).first(2))), "invalid-argument");
  EXPECT_STREQ(code(session->embed(faces, 4, features)), "invalid-argument");
  EXPECT_STREQ(code(session->logits_of(features, 1, 4, logits)), "invalid-argument");
  features.resize(4 * static_cast<std::size_t>(model->embedding_size()));
  EXPECT_STREQ(code(session->embed(faces, 0, features)), "invalid-argument");
  EXPECT_STREQ(code(session->embed(faces, 4, features)), "ok");
  EXPECT_STREQ(code(session->logits_of(features, 2, 2, logits)), "invalid-argument");
  EXPECT_STREQ(code(session->logits_of(features, 1, 4, logits)), "ok");
  EXPECT_STREQ(code(session->logits(faces, 1, 4, logits)), "ok");
}

TEST(Recognizer, RefusesModelsOfAnotherKind) {
  const testing::TempFolder folder;
  const std::string landmark = test::write_random(folder, test::landmark_config());
  const auto wrong = Recognizer::load(landmark);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(wrong.error().to_string(), HasSubstr(landmark));

  EXPECT_EQ(Recognizer::load(folder.file("none")).error().code, ErrorCode::kNotFound);
  std::ofstream(folder.file("text.safetensors")) << "hello";
  EXPECT_EQ(Recognizer::load(folder.file("text.safetensors")).error().code, ErrorCode::kBadFormat);

  auto config = test::small_config(true);
  config.s2d.with_landmark = false;
  const auto blind = Recognizer::load(test::write_random(folder, config));
  ASSERT_TRUE(blind.ok()) << blind.error().to_string();
  EXPECT_FALSE(blind->reads_faces());
  auto session = blind->session();
  ASSERT_TRUE(session.ok());
  std::vector<float> logits(3);
  const auto status = session->logits(test::random_pixels(4 * kPixels, 3), 1, 4, logits);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().to_string(), HasSubstr("landmark network"));
}

TEST(Recognizer, RefusesAPassThatNeedsTooMuchMemory) {
  // Valid by its config and small on disk, but 1024 frames of 4000 x 4000 pixels.
  auto config = test::small_config(false);
  config.s2d.with_landmark = false;
  config.s2d.in_chans = 1;
  config.s2d.img_size = 4096;
  config.s2d.patch_size = 64;
  config.s2d.landmark_size = 512;
  config.s2d.stem = {{4096, 1}, {1, 2}, {1, 2}, {1, 2}, {1, 2}, {1, 2}, {1, 2}};
  const testing::TempFolder folder;
  const auto model = Recognizer::load(test::write_random(folder, config));
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kLimit) << model.error().to_string();
}

TEST(Recognizer, RunsVideoMae) {
  const testing::TempFolder folder;
  const std::string path = test::write_random(folder, test::small_videomae_config());
  const auto model = Recognizer::load(path, {.precision = Precision::kF32, .threads = 2});
  ASSERT_TRUE(model.ok()) << model.error().to_string();
  EXPECT_EQ(model->input_size(), 48);
  EXPECT_EQ(model->num_frames(), 4);
  EXPECT_TRUE(model->is_temporal());
  EXPECT_FALSE(model->has_landmark_net());
  EXPECT_TRUE(model->reads_faces());
  EXPECT_EQ(model->num_classes(), 3);
  EXPECT_EQ(model->embedding_size(), 0);
  EXPECT_EQ(model->classes()[2], "sadness");
  auto session = model->session();
  ASSERT_TRUE(session.ok());
  const auto faces = test::random_pixels(5 * 4 * kPixels, 6);
  std::vector<float> together(5 * 3), alone(3), probabilities(5 * 3), features(4 * 32);
  ASSERT_TRUE(session->logits(faces, 5, 4, together).ok());
  // A clip's logits do not depend on the clips beside it, nor on the thread that has it.
  for (std::size_t b = 0; b < 5; ++b) {
    const auto clip = std::span(faces).subspan(b * 4 * kPixels, 4 * kPixels);
    ASSERT_TRUE(session->logits(clip, 1, 4, alone).ok());
    EXPECT_EQ(alone, std::vector<float>(together.begin() + static_cast<std::ptrdiff_t>(3 * b),
                                        together.begin() + static_cast<std::ptrdiff_t>(3 * b + 3)));
  }
  EXPECT_NE(std::vector<float>(together.begin(), together.begin() + 3),
            std::vector<float>(together.begin() + 3, together.begin() + 6));
  ASSERT_TRUE(session->probabilities(faces, 5, 4, probabilities).ok());
  EXPECT_NEAR(probabilities[0] + probabilities[1] + probabilities[2], 1.0F, 1e-6F);
  const auto wrong = session->logits(faces, 10, 2, std::span<float>(features).first(30));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(wrong.error().to_string(), HasSubstr("a clip has 2 frames, the model reads 4"));
  const auto still = session->embed(std::span(faces).first(4 * kPixels), 4, features);
  ASSERT_FALSE(still.ok());
  EXPECT_EQ(still.error().code, ErrorCode::kUnsupported);
}

TEST(LandmarkLocator, LocatesManyAsOneByOne) {
  const testing::TempFolder folder;
  const auto net = LandmarkLocator::load(test::write_random(folder, test::landmark_config()),
                                         {.precision = Precision::kF32});
  ASSERT_TRUE(net.ok()) << net.error().to_string();
  EXPECT_EQ(net->num_points(), 68);
  EXPECT_EQ(net->input_size(), 112);
  auto session = net->session();
  ASSERT_TRUE(session.ok());
  constexpr std::size_t kCrop = 112 * 112 * 3;
  const auto crops = test::random_pixels(7 * kCrop, 4);
  std::vector<float> all(7 * 136), one(136);
  ASSERT_TRUE(session->locate(crops, 7, all).ok());
  ASSERT_TRUE(session->locate(std::span(crops).subspan(6 * kCrop, kCrop), 1, one).ok());
  EXPECT_LT(test::difference(one, std::span(all).subspan(6 * 136, 136)).relative, 1e-5);
  EXPECT_FALSE(session->locate(crops, 6, all).ok());
  EXPECT_FALSE(session->locate(crops, -1, all).ok());
}

}  // namespace
}  // namespace mien
