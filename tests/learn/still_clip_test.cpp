// Stills as clips, and clips of several kinds in one training.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "core/model_file.h"
#include "core/random_weights.h"
#include "core/temp_folder.h"
#include "learn/data/joined_store.h"
#include "learn/data/still_clip_store.h"
#include "learn/golden.h"
#include "learn/train_config.h"
#include "learn/trainer.h"
#include "media/image.h"

namespace mien::learn::test {
namespace {

namespace fs = std::filesystem;
using mien::testing::TempFolder;

const std::vector<std::string> kStillClasses = core::find_label_set("ferplus").value().classes;
const std::vector<std::int64_t> kAllFrames = {0, 1, 2, 3, 4, 5, 6, 7};

// RAF-DB's layout with bright happy faces and dark neutral ones, each with a pattern of its own.
void write_rafdb(const std::string& folder, int pictures) {
  const fs::path base = fs::path(folder) / "basic";
  fs::create_directories(base / "EmoLabel");
  fs::create_directories(base / "Image/aligned");
  std::ofstream list(base / "EmoLabel/list_patition_label.txt");
  for (int i = 0; i < pictures; ++i) {
    const bool happy = i % 2 == 0;
    char name[32];
    std::snprintf(name, sizeof(name), "train_%05d", i);
    list << name << ".jpg " << (happy ? 4 : 7) << "\n";
    media::Image image = media::Image::black(24, 24);
    for (std::size_t p = 0; p < image.rgb.size(); ++p) {
      const int wave = static_cast<int>(p / 3 % 24) * (i + 1) % 40;
      image.rgb[p] = static_cast<std::uint8_t>((happy ? 190 : 20) + wave);
    }
    ASSERT_TRUE(media::write_png(
                    (base / "Image/aligned" / (std::string(name) + "_aligned.jpg")).string(), image)
                    .ok());
  }
}

ClipData stills_of(const std::string& folder, std::int64_t clips) {
  ClipData data;
  data.source.path = folder;
  data.source.format = "rafdb";
  data.source.split = "train";
  data.clips = clips;
  return data;
}

ClipDataOptions still_options(std::int64_t passes) {
  return {.classes = kStillClasses, .side = 32, .clip_len = 8, .gray = true, .passes = passes};
}

TEST(StillClips, EveryPictureInTurnAndTheSameEachTime) {
  const TempFolder folder;
  write_rafdb(folder.path(), 6);
  std::string said;
  const auto store = open_stills(stills_of(folder.path(), 4), still_options(3), said).value();
  EXPECT_NE(said.find("6 stills"), std::string::npos) << said;
  EXPECT_NE(said.find("4 of them per epoch"), std::string::npos) << said;
  ASSERT_EQ(store->size(), 12U);
  std::map<std::string, int> seen;
  for (std::size_t clip = 0; clip < store->size(); ++clip) ++seen[store->id(clip)];
  EXPECT_EQ(seen.size(), 6U);
  for (const auto& [name, count] : seen) EXPECT_EQ(count, 2) << name;
  EXPECT_EQ(store->frame_count(0), 8);
  EXPECT_EQ(store->soft_target(0).size(), kStillClasses.size());
  const auto again = open_stills(stills_of(folder.path(), 4), still_options(3), said).value();
  EXPECT_EQ(store->frames(5, kAllFrames).value(), again->frames(5, kAllFrames).value());
  ClipData other = stills_of(folder.path(), 4);
  other.seed = 9;
  const auto differs = open_stills(other, still_options(3), said).value();
  EXPECT_NE(store->frames(5, kAllFrames).value(), differs->frames(5, kAllFrames).value());
}

TEST(StillClips, TheCameraDriftsALittle) {
  const TempFolder folder;
  write_rafdb(folder.path(), 2);
  std::string said;
  const auto store = open_stills(stills_of(folder.path(), 2), still_options(1), said).value();
  const std::vector<std::uint8_t> frames = store->frames(0, kAllFrames).value();
  ASSERT_EQ(frames.size(), 8U * 32U * 32U * 3U);
  const std::size_t frame = 32U * 32U * 3U;
  const auto difference = [&](std::size_t a, std::size_t b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < frame; ++i)
      sum += std::abs(static_cast<double>(frames[a * frame + i]) - frames[b * frame + i]);
    return sum / static_cast<double>(frame);
  };
  EXPECT_GT(difference(0, 7), 0.0);
  EXPECT_LE(difference(0, 1), difference(0, 7));
  EXPECT_LT(difference(0, 7), 40.0);  // it stays the same picture
}

TEST(StillClips, ForValidationNothingMoves) {
  const TempFolder folder;
  write_rafdb(folder.path(), 3);
  std::string said;
  const auto store = open_stills(stills_of(folder.path(), 0), still_options(1), said).value();
  ASSERT_EQ(store->size(), 3U);
  EXPECT_EQ(store->id(0), "train_00000_aligned.jpg");
  const auto frames = store->frames(1, kAllFrames).value();
  const auto frame = static_cast<std::ptrdiff_t>(frames.size() / 8);
  for (std::ptrdiff_t t = 1; t < 8; ++t) {
    EXPECT_TRUE(std::equal(frames.begin(), frames.begin() + frame, frames.begin() + t * frame));
  }
  EXPECT_FALSE(store->frames(3, kAllFrames).ok());
  EXPECT_FALSE(store->frames(0, std::vector<std::int64_t>{8}).ok());
}

TEST(StillClips, PicturesWithoutLabelsAreNoClips) {
  const TempFolder folder;
  write_rafdb(folder.path(), 4);
  std::string said;
  ClipData data = stills_of(folder.path(), 0);
  data.drop_classes = {"neutral"};
  EXPECT_EQ(open_stills(data, still_options(1), said).value()->size(), 2U);
  data.drop_classes = {"neutral", "happiness"};
  const auto none = open_stills(data, still_options(1), said);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

TEST(RepeatedStore, CountsItsClipsSeveralTimes) {
  const TempFolder folder;
  write_rafdb(folder.path(), 3);
  std::string said;
  const auto once = open_stills(stills_of(folder.path(), 0), still_options(1), said).value();
  const auto thrice =
      repeat_store(open_stills(stills_of(folder.path(), 0), still_options(1), said).value(), 3);
  ASSERT_EQ(thrice->size(), 9U);
  EXPECT_EQ(thrice->id(7), once->id(1));
  EXPECT_EQ(thrice->label(8), once->label(2));
  EXPECT_EQ(thrice->frames(3, kAllFrames).value(), once->frames(0, kAllFrames).value());
  EXPECT_FALSE(thrice->frames(9, kAllFrames).ok());
}

// 4 epochs over 16 of the stills' clips, with the temporal model.
std::string write_clip_config(const TempFolder& folder, const std::string& more) {
  std::ofstream out(folder.file("run.toml"));
  out << "[run]\nname = \"clips\"\nseed = 5\nthreads = 1\nprecision = \"f32\"\n"
         "[model]\npreset = \"s2d-tiny\"\ndepth = 1\nnum_frames = 8\ngray = true\n"
         "[[data.train]]\npath = \""
      << folder.path()
      << "\"\nformat = \"rafdb\"\nclips = 16\n"
         "[train]\ntask = \"video\"\nbatch = 4\nepochs = 1\nlr = 1e-3\nwarmup_epochs = 0.1\n"
         "ema = 0.0\n[video]\nworkers = 1\n[augment]\ncrop_scale_low = 0.0\nerase = 0.0\n"
      << more;
  return folder.file("run.toml");
}

core::TensorMap tensors_of(const std::string& path) {
  const auto file = core::open_model(path).value();
  core::TensorMap out;
  for (const auto& [name, view] : file.tensors())
    out[name] = core::convert_float(view, core::DType::kF32).value();
  return out;
}

TEST(StillClips, TrainAVideoModelAndFreezeTheTrunk) {
  const TempFolder folder;
  write_rafdb(folder.path(), 6);
  const std::string config = write_clip_config(folder, "[output]\nhalf = false\n");
  const auto train_to = [&](const std::string& name, const std::vector<std::string>& sets) {
    const TrainConfig c = read_train_config(config, sets).value();
    return train(c, folder.file(name), false, {}).value();
  };
  const auto start = train_to("start", {"train.lr=1e-9"});
  EXPECT_TRUE(start.finished);
  const std::string init = "model.init=" + start.model_path;
  const auto frozen = train_to("frozen", {init, "model.freeze_landmark=true"});
  const core::TensorMap before = tensors_of(start.model_path);
  const core::TensorMap after = tensors_of(frozen.model_path);
  std::size_t trunk = 0;
  std::size_t moved = 0;
  for (const auto& [name, tensor] : before) {
    const bool same = tensor.bytes == after.at(name).bytes;
    if (name.rfind("landmark.", 0) == 0) {
      ++trunk;
      EXPECT_TRUE(same) << name;
    } else if (!same) {
      ++moved;
    }
  }
  EXPECT_GT(trunk, 0U);
  EXPECT_GT(moved, 10U);
}

// A model of the architecture that write_clip_config trains, but without time, as a file.
std::string write_image_model(const TempFolder& folder, const std::string& config) {
  core::ModelConfig image = read_train_config(config, {"model.temporal=false"}).value().model;
  const std::string path = folder.file("image.safetensors");
  const core::TensorMap weights = core::random_weights(image, 3);
  EXPECT_TRUE(core::write_model(path, image, core::views_of(weights), core::DType::kF32).ok());
  return path;
}

TEST(StillClips, AdaptersAloneLeaveTheImageModelWhole) {
  const TempFolder folder;
  write_rafdb(folder.path(), 6);
  const std::string config = write_clip_config(folder, "[output]\nhalf = false\n");
  const std::string image = write_image_model(folder, config);
  const auto train_to = [&](const std::string& name, const std::string& trainable) {
    const TrainConfig c =
        read_train_config(config, {"model.init=" + image, "model.temporal=true", "train.ema=0.9",
                                   "model.freeze_landmark=true", "video.trainable=" + trainable})
            .value();
    return train(c, folder.file(name), false, {}).value().model_path;
  };
  const std::string adapted = train_to("adapted", R"(["temporal_embedding", "TMA"])");
  EXPECT_TRUE(core::open_model(adapted).value().config.s2d.keeps_image_model);
  const core::TensorMap after = tensors_of(adapted);
  for (const auto& [name, tensor] : tensors_of(image)) {
    EXPECT_EQ(tensor.bytes, after.at(name).bytes) << name;
  }
  const auto more = core::open_model(train_to("more", R"(["TMA", "head"])")).value();
  EXPECT_FALSE(more.config.s2d.keeps_image_model);
}

TEST(TrainConfig, StillsAndMomentsNameTheirCounts) {
  const TempFolder folder;
  const std::string config = write_clip_config(folder, "");
  const auto error = [&](const std::string& set) {
    const auto read = read_train_config(config, {set});
    return read.ok() ? std::string("accepted") : read.error().to_string();
  };
  EXPECT_EQ(read_train_config(config, {}).value().video.train.front().clips, 16);
  EXPECT_TRUE(read_train_config(config, {}).value().video.train.front().composed());
  EXPECT_NE(error("train.batch=0").find("batch"), std::string::npos);
  std::ofstream(folder.file("moments.toml"))
      << "[model]\npreset = \"s2d-tiny\"\n[train]\ntask = \"video\"\n[[data.train]]\n"
         "path = \"x.tar\"\nlabels = \"x.csv\"\nformat = \"moments\"\n";
  EXPECT_NE(read_train_config(folder.file("moments.toml"), {}).error().to_string().find("clips"),
            std::string::npos);
}

}  // namespace
}  // namespace mien::learn::test
