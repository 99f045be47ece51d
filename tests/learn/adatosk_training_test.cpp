// AdaTosk's part of a config, and what a run validates.
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/temp_folder.h"
#include "learn/adatosk_case.h"
#include "learn/clip_validation.h"
#include "learn/train_config.h"

namespace mien::learn::adatosk_training_test {
namespace {

using mien::testing::TempFolder;

std::string write_config(const TempFolder& folder) {
  std::ofstream(folder.file("run.toml"))
      << "[model]\npreset = \"adatosk-tiny\"\nclasses = \"dfew\"\n"
         "[[data.train]]\npath = \"data\"\nformat = \"dfew\"\n"
         "[train]\ntask = \"video\"\n"
         "[adatosk]\nbranches = \"shared\"\nhard_mask = \"random\"\nhard_ratio = "
         "0.75\nblank_hidden = false\n"
         "target = \"frame_diff\"\nrec_weight = 0.5\ncls_weight = 0.9\naux_weight = 0.3\n"
         "budget_weight = 2\nbudget = 0.3\nsemantic = false\ndepth = 6\ngate = 2\n"
         "decoder_dim = 48\ndecoder_depth = 1\ndecoder_heads = 2\n"
         "slotwise = false\nagnostic_hidden = 12\n";
  return folder.file("run.toml");
}

TEST(AdaToskTrainConfig, ReadsEveryKey) {
  const TempFolder folder;
  const auto config = read_train_config(write_config(folder), {});
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  const AdaToskTraining& t = config->adatosk;
  EXPECT_EQ(t.branches, AdaToskTraining::Branches::kShared);
  EXPECT_EQ(t.hard_mask, HardMaskKind::kRandom);
  EXPECT_EQ(t.hard_ratio, 0.75);
  EXPECT_FALSE(t.blank_hidden);
  EXPECT_EQ(t.target, CubeTarget::kFrameDiff);
  EXPECT_EQ(t.rec_weight, 0.5);
  EXPECT_EQ(t.cls_weight, 0.9);
  EXPECT_EQ(t.aux_weight, 0.3);
  EXPECT_EQ(t.budget_weight, 2.0);
  EXPECT_EQ(t.train_budget, 1.0);
  EXPECT_EQ(t.train_budget_low, 0.0);
  EXPECT_EQ(t.mask_lr_scale, 1.0);
  const core::AdaToskConfig& model = config->model.adatosk;
  EXPECT_EQ(model.budget, 0.3);
  EXPECT_TRUE(model.agnostic);
  EXPECT_FALSE(model.semantic);
  EXPECT_FALSE(model.slotwise);  // unlike the preset
  EXPECT_EQ(model.agnostic_hidden, 12);
  EXPECT_EQ(model.vit.depth, 6);
  EXPECT_EQ(model.gate, 2);
  EXPECT_EQ(model.decoder_dim, 48);
  EXPECT_EQ(model.decoder_depth, 1);
  EXPECT_EQ(model.decoder_heads, 2);
  EXPECT_EQ(model.vit.num_classes, 7);
}

TEST(AdaToskTrainConfig, GreyModelsReadOnePlane) {
  const TempFolder folder;
  const std::string path = write_config(folder);
  const TrainConfig grey = read_train_config(path, {}).value();
  EXPECT_TRUE(grey.model.input.gray);
  EXPECT_EQ(grey.model.adatosk.vit.in_chans, 1);
  EXPECT_EQ(grey.model.input.mean[2], grey.model.input.mean[0]);
  const TrainConfig colour = read_train_config(path, {"model.gray=false"}).value();
  EXPECT_EQ(colour.model.adatosk.vit.in_chans, 3);
  EXPECT_EQ(colour.model.input.mean, core::InputNorm().mean);
  // The paper's size keeps the three channels that its checkpoints have.
  const TrainConfig base =
      read_train_config(path, {"model.preset=adatosk-base", "model.gray=true"}).value();
  EXPECT_EQ(base.model.adatosk.vit.in_chans, 3);
}

TEST(AdaToskTrainConfig, RefusesWhatCannotBe) {
  const TempFolder folder;
  const std::string path = write_config(folder);
  for (const auto& [set, word] : {
           std::pair{"adatosk.hard_mask=tubes", "adatosk.hard_mask"},
           std::pair{"adatosk.branches=both", "adatosk.branches"},
           std::pair{"adatosk.target=pixels", "adatosk.target"},
           std::pair{"adatosk.hard_ratio=1.0", "adatosk.hard_ratio"},
           std::pair{"adatosk.hard_ratio=0.001", "adatosk.hard_ratio"},
           std::pair{"adatosk.hard_ratio=0", "adatosk.rec_weight"},
           std::pair{"adatosk.rec_weight=-1", "adatosk.rec_weight"},
           std::pair{"adatosk.course_weight=-1", "adatosk.course_weight"},
           std::pair{"adatosk.course_weight=1", "adatosk.branches"},
           std::pair{"adatosk.train_budget=0.5", "adatosk.train_budget"},
           std::pair{"adatosk.train_budget=0", "adatosk.train_budget"},
           std::pair{"adatosk.mask_lr_scale=-1", "adatosk.mask_lr_scale"},
           std::pair{"adatosk.train_budget_low=0.5", "adatosk.train_budget"},
           std::pair{"adatosk.train_budget_low=-0.1", "adatosk.train_budget_low"},
           std::pair{"adatosk.train_budget_low=1.1", "adatosk.train_budget_low"},
           std::pair{"adatosk.budget=0", "adatosk.budget"},
           std::pair{"adatosk.budget=1.01", "adatosk.budget"},
           std::pair{"adatosk.depth=100", "adatosk.depth"},
           std::pair{"adatosk.decoder_heads=0", "adatosk.decoder_heads"},
           std::pair{"adatosk.gate=6", "gate"},
           std::pair{"adatosk.hard=1", "adatosk.hard"},
           std::pair{"loss.sdl=true", "loss.sdl"},
           std::pair{"model.preset=videomae-tiny", "[adatosk]"},
       }) {
    const auto config = read_train_config(path, {set});
    ASSERT_FALSE(config.ok()) << set;
    EXPECT_NE(config.error().to_string().find(word), std::string::npos)
        << set << ": " << config.error().to_string();
  }
  const auto unused =
      read_train_config(path, {"adatosk.branches=parallel", "adatosk.rec_weight=0"});
  ASSERT_FALSE(unused.ok());
  EXPECT_NE(unused.error().to_string().find("adatosk.branches"), std::string::npos);
  const auto range = read_train_config(
      path,
      {"adatosk.branches=parallel", "adatosk.train_budget=0.5", "adatosk.train_budget_low=0.2"});
  ASSERT_TRUE(range.ok()) << range.error().to_string();
  EXPECT_EQ(range->adatosk.train_budget_low, 0.2);
  const auto nothing = read_train_config(path, {"adatosk.cls_weight=0", "adatosk.rec_weight=0"});
  ASSERT_FALSE(nothing.ok());
  EXPECT_NE(nothing.error().to_string().find("nothing to learn"), std::string::npos);
}

// Five clips of eight frames of 8x8; the last has no label.
MemoryClipStore little_store() {
  std::vector<MemoryClip> clips;
  for (int i = 0; i < 5; ++i) {
    MemoryClip clip;
    clip.id = "clip " + std::to_string(i);
    clip.label = i < 4 ? i : -1;
    for (int byte = 0; byte < 8 * 8 * 8 * 3; ++byte) {
      clip.pixels.push_back(static_cast<std::uint8_t>((byte * (i + 3)) % 251));
    }
    clips.push_back(std::move(clip));
  }
  return MemoryClipStore::create({"a", "b", "c", "d", "e"}, 8, std::move(clips)).value();
}

ClipLoaderOptions loader_options() {
  ClipLoaderOptions options;
  options.batch = 2;
  options.clip_len = 8;
  options.size = 8;
  options.timing = ClipTiming::kTimeWindow;
  options.workers = 0;
  options.drop_last = false;
  options.augment.rand_augment.ops = 0;
  options.augment.crop_scale_low = 0.0;
  options.augment.erase = 0.0;
  return options;
}

std::unique_ptr<ClipNet> net_of(const AdaToskTraining& training) {
  core::ModelConfig model;
  model.arch = core::Arch::kAdaTosk;
  model.adatosk = adatosk_test::little_config();
  auto net = make_clip_net(model, {.adatosk = training}).value();
  net->module().eval();
  return net;
}

double figure(const Figures& figures, const std::string& name) {
  for (const auto& [key, value] : figures) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no figure " << name;
  return 0.0;
}

TEST(AdaToskValidation, TellsTheMaskBesideTheAccuracy) {
  const MemoryClipStore store = little_store();
  const auto net = net_of({});
  const Figures figures = validate_clips(*net, store, loader_options(), torch::kCPU).value();
  EXPECT_EQ(figures.front().first, "war");
  EXPECT_EQ(figure(figures, "n"), 4.0);
  EXPECT_GT(figure(figures, "mask_mean"), 0.05);
  EXPECT_LT(figure(figures, "mask_mean"), 0.95);
}

TEST(AdaToskValidation, WithoutLabelsTheLossIsTheScore) {
  AdaToskTraining training;
  training.cls_weight = 0.0;
  training.hard_ratio = 0.5;
  training.rec_weight = 1.0;
  const auto net = net_of(training);
  const MemoryClipStore store = little_store();
  const Figures figures = validate_clips(*net, store, loader_options(), torch::kCPU).value();
  EXPECT_EQ(figures.front().first, "score");
  EXPECT_EQ(figure(figures, "n"), 5.0);  // the clip without a label counts, too
  EXPECT_GT(figure(figures, "loss"), 0.1);
  EXPECT_EQ(figure(figures, "score"), -figure(figures, "loss"));
  const Figures again = validate_clips(*net, store, loader_options(), torch::kCPU).value();
  EXPECT_EQ(figures, again);
}

TEST(ClipLoader, TakesUnlabelledClipsWhenAsked) {
  const MemoryClipStore store = little_store();
  ClipLoaderOptions options = loader_options();
  EXPECT_EQ(ClipLoader::create(store, options).value()->usable(), 4);
  options.unlabelled = true;
  const auto loader = ClipLoader::create(store, options).value();
  EXPECT_EQ(loader->usable(), 5);
  bool seen = false;
  for (std::int64_t batch = 0; batch < loader->batches_per_epoch(); ++batch) {
    const ClipBatch clips = loader->make(batch).value();
    for (std::int64_t row = 0; row < clips.label.size(0); ++row) {
      if (clips.label[row].item<std::int64_t>() >= 0) continue;
      seen = true;
      EXPECT_EQ(clips.target[row].abs().sum().item<double>(), 0.0);
    }
  }
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace mien::learn::adatosk_training_test
