// What a mask is told of a clip's true course, with figures worked by hand.
#include "learn/losses/course_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "learn/adatosk_case.h"
#include "learn/data/clip_loader.h"
#include "learn/models/clip_net.h"

namespace mien::learn::course_loss_test {
namespace {

using torch::Tensor;

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

// Three slots of two frames.
core::VideoMaeConfig three_slots() {
  core::VideoMaeConfig sizes;
  sizes.num_frames = 6;
  return sizes;
}

double loss_of(const std::vector<std::vector<float>>& masks,
               const std::vector<std::vector<float>>& courses) {
  std::vector<Tensor> m;
  std::vector<Tensor> c;
  for (const auto& row : masks) m.push_back(torch::tensor(row));
  for (const auto& row : courses) c.push_back(torch::tensor(row));
  return course_loss(torch::stack(m), torch::stack(c), three_slots()).item<double>();
}

TEST(CourseLoss, HandWorked) {
  // Two places a slot: means 0.2, 0.8, 0.5. The course's are 0, 1, 0.5: the same order and steps.
  const std::vector<float> mask = {0.1F, 0.3F, 0.7F, 0.9F, 0.4F, 0.6F};
  EXPECT_NEAR(loss_of({mask}, {{0, 0, 1, 1, 0.5F, 0.5F}}), 0.0, 1e-4);
  EXPECT_NEAR(loss_of({mask}, {{1, 1, 0, 0, 0.5F, 0.5F}}), 2.0, 1e-4);
  // Less their means: -0.3, 0.3, 0 and 2/3, -1/3, -1/3: r = -0.3 / sqrt(0.18 * 2/3).
  EXPECT_NEAR(loss_of({mask}, {{1, 1, 0, 0, 0, 0}}), 1.0 + 0.3 / std::sqrt(0.12), 1e-4);
}

TEST(CourseLoss, UnknownAndFlatCoursesSayNothing) {
  const std::vector<float> mask = {0.1F, 0.3F, 0.7F, 0.9F, 0.4F, 0.6F};
  const std::vector<float> flat = {0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F};
  const std::vector<float> partly = {0, 0, 1, kUnknown, 0, 0};
  EXPECT_EQ(loss_of({mask}, {flat}), 0.0);
  EXPECT_EQ(loss_of({mask}, {partly}), 0.0);
  EXPECT_NEAR(loss_of({mask, mask, mask}, {flat, {1, 1, 0, 0, 0.5F, 0.5F}, partly}), 2.0, 1e-4);
}

TEST(CourseLoss, AFlatMaskHasAGradientThatRaisesTheMoment) {
  Tensor mask = torch::full({1, 6}, 0.4, torch::requires_grad());
  course_loss(mask, torch::tensor({0.0F, 0.0F, 1.0F, 1.0F, 0.0F, 0.0F}).view({1, 6}), three_slots())
      .backward();
  const Tensor slots = mask.grad().view({3, 2}).mean(1);
  EXPECT_LT(slots[1].item<float>(), 0.0F);
  EXPECT_GT(slots[0].item<float>(), 0.0F);
  EXPECT_TRUE(torch::isfinite(mask.grad()).all().item<bool>());
}

// Clips whose course is known for the first only.
class HalfKnown : public MemoryClipStore {
 public:
  explicit HalfKnown(MemoryClipStore store) : MemoryClipStore(std::move(store)) {}
  std::vector<float> course(std::size_t clip) const override {
    if (clip > 0) return {};
    return {0.0F, 0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F};
  }
};

HalfKnown two_clips() {
  std::vector<MemoryClip> clips(2);
  for (int i = 0; i < 2; ++i) {
    clips[static_cast<std::size_t>(i)] = {
        std::to_string(i), "", i, {}, std::vector<std::uint8_t>(8 * 8 * 8 * 3, 99)};
  }
  return HalfKnown(MemoryClipStore::create({"a", "b"}, 8, std::move(clips)).value());
}

TEST(ClipLoader, BringsTheCourseOfTheFramesThatItTakes) {
  const HalfKnown store = two_clips();
  ClipLoaderOptions options;
  options.batch = 2;
  options.clip_len = 4;
  options.size = 8;
  options.workers = 0;
  options.augment.rand_augment.ops = 0;
  const auto loader = ClipLoader::create(store, options).value();
  const ClipBatch batch = loader->make(0).value();
  ASSERT_EQ(batch.course.sizes(), (std::vector<std::int64_t>{2, 4}));
  const std::int64_t known = batch.index[0] == 0 ? 0 : 1;
  EXPECT_TRUE(torch::isnan(batch.course[1 - known]).all().item<bool>());
  const Tensor steps = batch.course[known].diff();
  EXPECT_TRUE(torch::allclose(steps, torch::full({3}, 0.1F))) << batch.course;
  const std::vector<std::size_t> both = {0, 1};
  const ClipBatch plain = plain_clip_batch(store, both, options, {}).value();
  EXPECT_FALSE(torch::isnan(plain.course[0]).any().item<bool>());
}

// The net's own loss has the term, weighted, and only for clips whose course is known.
TEST(AdaToskNet, LearnsTheCourseWhereItIsKnown) {
  const auto loss_with = [](double weight, const Tensor& course) {
    torch::manual_seed(3);
    core::ModelConfig model;
    model.arch = core::Arch::kAdaTosk;
    model.adatosk = adatosk_test::little_config();
    AdaToskTraining training;
    training.course_weight = weight;
    auto net = make_clip_net(model, {.adatosk = training}).value();
    net->module().eval();
    ClipNet::Lesson lesson{.clips = adatosk_test::noise_clips(2),
                           .target = torch::full({2, 5}, 0.2F),
                           .course = course};
    return net->own_loss(lesson).item<double>();
  };
  const Tensor rises = torch::arange(8).to(torch::kFloat).div(7).expand({2, 8});
  const double plain = loss_with(0.0, rises);
  EXPECT_EQ(loss_with(2.0, Tensor()), plain);
  EXPECT_EQ(loss_with(2.0, torch::full({2, 8}, kUnknown)), plain);
  const double once = loss_with(1.0, rises) - plain;
  EXPECT_GT(once, 0.0);
  EXPECT_LE(once, 2.0);
  EXPECT_NEAR(loss_with(2.0, rises) - plain, 2 * once, 1e-5);
}

}  // namespace
}  // namespace mien::learn::course_loss_test
