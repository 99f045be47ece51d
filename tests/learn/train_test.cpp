// Training runs: configs, learning something, and resuming exactly.
#include <filesystem>
#include <fstream>

#include "core/files.h"
#include "core/model_file.h"
#include "core/temp_folder.h"
#include "learn/golden.h"
#include "learn/train_config.h"
#include "learn/trainer.h"
#include "media/image.h"

namespace mien::learn::test {
namespace {

namespace fs = std::filesystem;
using mien::testing::TempFolder;

// A dataset that anything can learn: bright pictures are happy, dark ones sad.
void write_dataset(const std::string& folder) {
  std::ofstream manifest(folder + "/manifest.csv");
  manifest << "path,label\n";
  for (int i = 0; i < 24; ++i) {
    const bool bright = i % 2 == 0;
    media::Image image = media::Image::black(20, 20);
    std::fill(image.rgb.begin(), image.rgb.end(),
              static_cast<std::uint8_t>(bright ? 230 - i : 20 + i));
    const std::string name = "p" + std::to_string(i) + ".png";
    ASSERT_TRUE(media::write_png(folder + "/" + name, image).ok());
    manifest << name << (bright ? ",happy\n" : ",sad\n");
  }
}

std::string write_config(const TempFolder& folder, const std::string& extra = "") {
  std::ofstream out(folder.file("run.toml"));
  out << "[run]\nname = \"tiny\"\nseed = 5\nthreads = 1\nprecision = \"f32\"\n"
         "[model]\npreset = \"s2d-tiny\"\ndepth = 1\ndrop_path = 0.1\n"
         "[[data.train]]\npath = \""
      << folder.path()
      << "\"\nformat = \"manifest\"\n"
         "[[data.valid]]\npath = \""
      << folder.path()
      << "\"\nformat = \"manifest\"\n"
         "[train]\nsize = 32\nbatch = 8\nepochs = 4\nlr = 2e-3\nwarmup_epochs = 0.5\nema = 0.5\n"
         "[augment]\ngamma = 0.1\ncontrast = 0.1\nbrightness = 0.05\nside_light = 0.1\nerase = "
         "0.0\n"
      << extra;
  return folder.file("run.toml");
}

TEST(TrainConfig, UnknownKeysTypesAndSets) {
  const TempFolder folder;
  const std::string path = write_config(folder);
  EXPECT_EQ(read_train_config(path, {}).value().batch, 8);
  EXPECT_EQ(read_train_config(path, {"train.batch=3", "run.name=other"}).value().name, "other");
  const auto message = [&](const std::string& set) {
    const auto config = read_train_config(path, {set});
    return config.ok() ? std::string("accepted") : config.error().to_string();
  };
  EXPECT_EQ(message("train.batchsize=3"), path + ": 'train.batchsize' is not a known key");
  EXPECT_EQ(message("train.batch=many"), path + ": 'train.batch' has a value of the wrong type");
  EXPECT_EQ(message("wrong.key=1"), path + ": 'wrong' is not a known section");
  EXPECT_NE(message("model.preset=s2d-huge").find("no preset"), std::string::npos);
  EXPECT_NE(message("train.task=landmark").find("landmark"), std::string::npos);
  EXPECT_NE(message("nothing").find("key=value"), std::string::npos);
  std::ofstream(folder.file("bad.toml")) << "[run\n";
  EXPECT_NE(read_train_config(folder.file("bad.toml"), {}).error().to_string().find("line 1"),
            std::string::npos);
  EXPECT_FALSE(read_train_config(folder.file("none.toml"), {}).ok());
}

TEST(TrainConfig, SetsReachIntoLists) {
  const std::string path = std::string(MIEN_SOURCE_DIR) +
                           "/configs/s2d-tiny-moments.toml";  // two items of training data
  const auto config = read_train_config(path, {"data.train.1.clips=7", "data.valid.0.seed=9"});
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  EXPECT_EQ(config->video.train.at(1).clips, 7);
  EXPECT_NE(config->video.train.at(0).clips, 7);
  EXPECT_EQ(config->video.valid.at(0).seed, 9U);
  for (const char* wrong : {"data.train.2.clips=7", "data.train.-1.clips=7", "data.train.x.clips=7",
                            "data.train.0.clips.more=7", "data.train.0=7"}) {
    EXPECT_FALSE(read_train_config(path, {wrong}).ok()) << wrong;
  }
}

TEST(TrainConfig, EveryCommittedConfigParses) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(std::string(MIEN_SOURCE_DIR) + "/configs")) {
    if (entry.is_directory()) continue;  // configs/sweeps: see sweep_test.cpp
    const auto config = read_train_config(entry.path().string(), {});
    EXPECT_TRUE(config.ok()) << config.error().to_string();
    ++count;
  }
  EXPECT_GT(count, 0U);
}

TEST(Train, LearnsAndWritesAModel) {
  const TempFolder folder;
  write_dataset(folder.path());
  const TrainConfig config = read_train_config(write_config(folder), {"train.epochs=12"}).value();
  const auto outcome = train(config, folder.file("runs/tiny"), false, {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
  EXPECT_TRUE(outcome->finished);
  EXPECT_GT(outcome->figures.front().second, 0.9);  // WAR of the best epoch
  const auto model = core::open_model(outcome->model_path);
  ASSERT_TRUE(model.ok()) << model.error().to_string();
  EXPECT_EQ(model->config.classes.size(), 8U);
  EXPECT_NE(model->config.provenance_json.find("\"training_pictures\":24"), std::string::npos);
  const std::string history = core::read_text_file(folder.file("runs/tiny/history.csv")).value();
  EXPECT_EQ(std::count(history.begin(), history.end(), '\n'), 13);
  // The same name again is refused rather than overwritten.
  EXPECT_FALSE(train(config, folder.file("runs/tiny"), false, {}).ok());
}

TEST(Train, ResumesBitExactly) {
  const TempFolder folder;
  write_dataset(folder.path());
  const TrainConfig config = read_train_config(write_config(folder), {}).value();
  ASSERT_TRUE(train(config, folder.file("whole"), false, {}).value().finished);
  // The same run, stopped after every second step.
  std::atomic<bool> cancel{false};
  TrainCallbacks callbacks;
  int steps = 0;
  callbacks.cancel = &cancel;
  callbacks.on_step = [&](const TrainStatus&) { cancel = ++steps % 2 == 0; };
  bool finished = false;
  int starts = 0;
  while (!finished) {
    ASSERT_LT(starts, 20);
    cancel = false;
    const auto outcome = train(config, folder.file("broken"), starts++ > 0, callbacks);
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
    finished = outcome->finished;
  }
  EXPECT_GE(starts, 4);
  const auto whole =
      core::SafetensorsFile::open(folder.file("whole/checkpoint.safetensors")).value();
  const auto broken =
      core::SafetensorsFile::open(folder.file("broken/checkpoint.safetensors")).value();
  ASSERT_EQ(whole.tensors().size(), broken.tensors().size());
  for (const auto& [name, view] : whole.tensors()) {
    const auto& other = broken.tensors().at(name);
    ASSERT_TRUE(
        std::equal(view.bytes.begin(), view.bytes.end(), other.bytes.begin(), other.bytes.end()))
        << name;
  }
}

TEST(Train, LandmarkTaskLowersItsError) {
  const std::string root = std::string(MIEN_SHARED_DIR) + "/data/faces";
  if (!fs::exists(root)) GTEST_SKIP() << "no web faces beside the repository";
  const TempFolder folder;
  std::ofstream(folder.file("l.toml"))
      << "[run]\nname = \"l\"\nthreads = 2\n[model]\npreset = \"landmark\"\ngray = true\n"
         "[[data.train]]\npath = \""
      << root
      << "\"\nformat = \"faces\"\ntenth = \"held\"\n"
         "[train]\ntask = \"landmark\"\nsize = 56\nepochs = 1\nepoch_pictures = 640\nbatch = 16\n"
         "lr = 3e-3\nwarmup_epochs = 0.1\n[loss]\npoints = 10.0\nexpression = 0.0\n";
  std::vector<double> losses;
  TrainCallbacks callbacks;
  callbacks.on_step = [&](const TrainStatus& s) { losses.push_back(s.loss); };
  const auto config = read_train_config(folder.file("l.toml"), {});
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  ASSERT_TRUE(train(*config, folder.file("run"), false, callbacks).value().finished);
  EXPECT_LT(losses.back(), 0.9 * losses.front());
}

}  // namespace
}  // namespace mien::learn::test
