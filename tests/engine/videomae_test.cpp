// VideoMAE in the engine against the slow reference on random models of odd shapes, with several
// threads in a layer, and with tokens dropped between two blocks.
#include <gtest/gtest.h>

#include <algorithm>

#include "compare.h"
#include "engine/infer.h"
#include "engine/models/videomae_plan.h"
#include "model_on_disk.h"
#include "reference_videomae.h"

namespace mien::engine {
namespace {

struct Case {
  const char* name;
  core::VideoMaeConfig sizes;
  int clips = 1;
  bool gray = false;
};

core::VideoMaeConfig tiny() {
  core::VideoMaeConfig c;
  c.img_size = 24;
  c.patch_size = 8;
  c.num_frames = 4;
  c.embed_dim = 24;
  c.depth = 2;
  c.num_heads = 3;
  c.mlp_ratio = 2.5;
  c.num_classes = 5;
  return c;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back({"three_clips", tiny(), 3});
  Case cubes{"cubes_of_three_frames", tiny()};
  cubes.sizes.img_size = 20;
  cubes.sizes.patch_size = 5;
  cubes.sizes.tubelet_size = 3;
  cubes.sizes.num_frames = 9;
  all.push_back(cubes);
  Case flat{"cubes_of_one_frame", tiny(), 2};
  flat.sizes.tubelet_size = 1;
  flat.sizes.num_frames = 3;
  all.push_back(flat);
  Case unbiased{"no_qkv_bias", tiny()};
  unbiased.sizes.qkv_bias = false;
  all.push_back(unbiased);
  Case odd{"odd_width", tiny()};
  odd.sizes.embed_dim = 35;
  odd.sizes.num_heads = 5;
  odd.sizes.mlp_ratio = 1.7;  // int(59.5) = 59
  all.push_back(odd);
  Case one{"one_token", tiny(), 2};
  one.sizes.img_size = 8;
  one.sizes.num_frames = 2;
  all.push_back(one);
  Case gray{"one_channel", tiny(), 2, true};
  gray.sizes.in_chans = 1;
  all.push_back(gray);
  return all;
}

core::ModelConfig config_of(const core::VideoMaeConfig& sizes, bool gray = false) {
  core::ModelConfig config;
  config.arch = core::Arch::kVideoMae;
  config.videomae = sizes;
  config.input.gray = gray;
  return config;
}

class VideoMaeReferenceTest : public ::testing::TestWithParam<Case> {};

TEST_P(VideoMaeReferenceTest, Logits) {
  const Case& c = GetParam();
  const core::ModelConfig config = config_of(c.sizes, c.gray);
  ASSERT_TRUE(core::validate(config).ok()) << core::validate(config).error().to_string();
  const core::TensorMap tensors = test::random_tensors(config, 7);
  const core::Shape shape = {c.clips, c.sizes.num_frames, c.sizes.img_size, c.sizes.img_size, 3};
  const auto pixels = test::random_pixels(core::element_count(shape), 3);
  const core::TensorMap inputs = {{"video_u8", core::Tensor::from_u8(pixels, shape)}};

  const int frames = c.sizes.num_frames;
  const auto pictures = test::reference_pictures(config, pixels, c.clips * frames);
  std::vector<float> wanted;
  for (int b = 0; b < c.clips; ++b) {
    const auto first = pictures.begin() + static_cast<std::ptrdiff_t>(b) * frames;
    const std::vector<test::Planes> clip(first, first + frames);
    for (const double v : test::reference_videomae_logits(c.sizes, tensors, clip)) {
      wanted.push_back(static_cast<float>(v));
    }
  }
  struct Way {
    EngineOptions options;
    bool activations;
    double tolerance;
  };
  for (const Way& way : {Way{{Precision::kF32, 2, NativeBf16::kAuto}, false, 1e-5},
                         Way{{Precision::kF32, 3, NativeBf16::kAuto}, false, 1e-5},
                         Way{{Precision::kF32, 1, NativeBf16::kAuto}, true, 1e-5},
                         Way{{Precision::kBf16, 2, NativeBf16::kOff}, false, 3e-2},
                         Way{{Precision::kBf16, 2, NativeBf16::kAuto}, false, 3e-2}}) {
    const auto result = infer_tensors(config, core::views_of(tensors), core::views_of(inputs),
                                      {.engine = way.options, .activations = way.activations});
    ASSERT_TRUE(result.ok()) << result.error().to_string();
    const auto got = result->outputs.at("logits").as<float>();
    const test::Difference d = test::difference(got, wanted);
    EXPECT_LE(d.relative, way.tolerance)
        << c.name << ": worst at " << d.index << ", got " << d.got << ", wanted " << d.wanted;
    std::printf("%s: %.1e\n", c.name, d.relative);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, VideoMaeReferenceTest, ::testing::ValuesIn(cases()),
                         [](const auto& p) { return std::string(p.param.name); });

// Large models are computed layer by layer by all threads. This one is just large enough that the
// work between the layers is split too.
TEST(VideoMaePlan, ThreadsOfALayerGiveTheNumbersOfOne) {
  core::VideoMaeConfig sizes = tiny();
  sizes.img_size = 96;
  sizes.num_frames = 8;
  sizes.embed_dim = 64;
  sizes.num_heads = 4;
  const core::ModelConfig config = config_of(sizes);
  const core::TensorMap tensors = test::random_tensors(config, 3);
  const auto pixels = test::random_pixels(std::size_t{8} * 96 * 96 * 3, 4);
  const auto context = Context::create({.precision = Precision::kF32, .threads = 3});
  ASSERT_TRUE(context.ok()) << context.error().to_string();
  const auto weights = VideoMaeWeights::load(*context, config, core::views_of(tensors));
  ASSERT_TRUE(weights.ok()) << weights.error().to_string();
  std::vector<std::vector<float>> features;
  for (const int threads : {1, 2, 3}) {
    const ThreadScope scope(threads);
    VideoMaePlan plan(*weights);
    ASSERT_TRUE(plan.allocate().ok());
    auto& feature = features.emplace_back(64);
    plan.run({.rgb = pixels.data()}, feature.data(), nullptr);
  }
  EXPECT_LT(test::difference(features[1], features[0]).relative, 1e-5);
  EXPECT_LT(test::difference(features[2], features[0]).relative, 1e-5);
}

TEST(VitStack, BlocksGoOnWithTheTokensThatAreKept) {
  const core::ModelConfig config = test::small_videomae_config();  // 18 tokens of width 32
  const core::TensorMap tensors = test::random_tensors(config, 9);
  const auto context = Context::create({.precision = Precision::kF32, .threads = 1});
  ASSERT_TRUE(context.ok());
  const auto loaded = VideoMaeWeights::load(*context, config, core::views_of(tensors));
  ASSERT_TRUE(loaded.ok());
  const VideoMaeWeights& w = **loaded;
  const std::vector<std::size_t> kept = {0, 3, 4, 9, 17};
  const std::vector<float> tokens = test::random_floats(std::size_t{18} * 32, 2);

  const ThreadScope scope(1);
  Arena arena;
  const Slot x_slot = arena.reserve_for<float>(tokens.size());
  const Slot kept_slot = arena.reserve_for<float>(kept.size() * 32);
  const std::size_t region = arena.mark();
  VitStackShape shape{.sizes = w.block_sizes(), .begin = 0, .end = 1, .tokens = 18};
  VitStack before(**context, w.blocks, shape, arena);
  arena.release(region);
  shape.begin = 1;
  shape.end = 2;
  shape.tokens = kept.size();
  VitStack after(**context, w.blocks, shape, arena);
  const Slot scratch = arena.reserve_above(std::max(before.scratch_bytes(), after.scratch_bytes()));
  ASSERT_TRUE(arena.allocate().ok());
  const dnnl::stream stream((*context)->engine());
  const LayerPass pass{&stream, &arena, arena.at(scratch)};
  auto* x = arena.at<float>(x_slot);
  auto* y = arena.at<float>(kept_slot);
  std::copy(tokens.begin(), tokens.end(), x);
  before.run(pass, x, nullptr);
  for (std::size_t i = 0; i < kept.size(); ++i) std::copy_n(x + kept[i] * 32, 32, y + i * 32);
  after.run(pass, y, nullptr);

  test::Rows all;
  for (std::size_t t = 0; t < 18; ++t) {
    const auto* row = tokens.data() + t * 32;
    all.emplace_back(row, row + 32);
  }
  test::reference_videomae_block(tensors, 0, 2, all);
  test::Rows some;
  for (const std::size_t t : kept) some.push_back(all[t]);
  test::reference_videomae_block(tensors, 1, 2, some);
  std::vector<float> wanted;
  for (const test::Row& row : some) {
    for (const double v : row) wanted.push_back(static_cast<float>(v));
  }
  EXPECT_LT(test::difference({y, wanted.size()}, wanted).relative, 1e-5);
}

}  // namespace
}  // namespace mien::engine
