#include "cli/mini_datasets.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "media/expression_recipes.h"
#include "media/face_drawing.h"
#include "media/image.h"

namespace mien::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kFrames = 16;
constexpr int kSide = 64;  // models scale it; drawing takes longer than training on it
constexpr double kFps = 16.0;

// Canonical names in the order of DFEW's labels.
const std::vector<std::string> kDfew = {"happiness", "sadness", "neutral", "anger",
                                        "surprise",  "disgust", "fear"};

// Draws a face that shows `expression` into folder/00.jpg ... 15.jpg (or .png).
Status draw_clip(const std::string& folder, const std::string& expression, std::uint64_t number,
                 bool png) {
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  core::Rng rng(core::Rng::mix(7, number));
  const media::FaceLook look = media::random_look(rng);
  const media::Scene scene = media::random_scene(rng);
  media::HeadPose home;
  home.scale = kSide * 0.36;  // a close crop, as the data sets have them
  home.x = kSide * 0.5;
  home.y = kSide * 0.5;
  const media::Performance performance(expression, home, kFrames / kFps, core::Rng::mix(8, number));
  MIEN_ASSIGN(const media::FaceArtist artist,
              media::FaceArtist::create(look, scene, kSide, kSide, home.scale));
  for (int t = 0; t < kFrames; ++t) {
    const auto moment = performance.at((t + 0.5) / kFps);
    MIEN_ASSIGN(const media::Image picture,
                artist.draw(moment.units, moment.pose, static_cast<std::uint64_t>(t)));
    const std::string name =
        folder + "/" + (t < 10 ? "0" : "") + std::to_string(t) + (png ? ".png" : ".jpg");
    MIEN_TRY(png ? media::write_png(name, picture) : media::write_jpeg(name, picture));
  }
  return {};
}

// A recording as RAVDESS has them: a face that takes up a quarter of a wide frame, or the empty
// wall. folder/00.png ... 15.png.
Status draw_recording(const std::string& folder, const std::string& expression,
                      std::uint64_t number) {
  constexpr int kWide = 320;
  constexpr int kHigh = 240;
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  media::Scene scene;
  scene.blobs = 0;
  media::HeadPose home;
  home.scale = 32;
  home.x = 195;
  home.y = 120;
  const media::Performance performance(expression, home, kFrames / kFps, core::Rng::mix(9, number));
  MIEN_ASSIGN(const media::FaceArtist artist,
              media::FaceArtist::create({}, scene, kWide, kHigh, home.scale));
  for (int t = 0; t < kFrames; ++t) {
    media::Image picture = media::Image::black(kWide, kHigh);
    if (!expression.empty()) {
      const auto moment = performance.at((t + 0.5) / kFps);
      MIEN_ASSIGN(picture, artist.draw(moment.units, moment.pose, static_cast<std::uint64_t>(t)));
    }
    MIEN_TRY(
        media::write_png(folder + "/" + (t < 10 ? "0" : "") + std::to_string(t) + ".png", picture));
  }
  return {};
}

std::string id_of(int clip) {
  const std::string digits = std::to_string(clip + 1);
  return std::string(5 - digits.size(), '0') + digits;
}

// Lists of one fold: row(clip) of every clip, split by whether it is of the fold's tests.
void write_lists(const std::string& train, const std::string& test, const std::string& header,
                 int clips, int fold, const std::function<std::string(int)>& row) {
  fs::create_directories(fs::path(train).parent_path());
  std::ofstream train_list(train);
  std::ofstream test_list(test);
  train_list << header;
  test_list << header;
  for (int clip = 0; clip < clips; ++clip) {
    (clip % 5 == fold - 1 ? test_list : train_list) << row(clip) << "\n";
  }
}

}  // namespace

Status write_mini_dfew(const std::string& folder, int clips) {
  for (int clip = 0; clip < clips; ++clip) {
    MIEN_TRY(draw_clip(folder + "/Clip/clip_224x224_16f/" + id_of(clip),
                       kDfew[static_cast<std::size_t>(clip) % 7], static_cast<std::uint64_t>(clip),
                       false));
  }
  for (int fold = 1; fold <= 5; ++fold) {
    const std::string k = std::to_string(fold);
    const std::string lists = folder + "/EmoLabel_DataSplit/";
    fs::create_directories(lists + "test(single-labeled)");
    write_lists(lists + "train(single-labeled)/train_set_" + k + ".csv",
                lists + "test(single-labeled)/test_set_" + k + ".csv", "video_name,label\n", clips,
                fold, [](int clip) { return id_of(clip) + "," + std::to_string(clip % 7); });
  }
  return {};
}

Status write_mini_ferv39k(const std::string& folder, int clips) {
  // Its folders' names, and what is drawn for them.
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"Angry", "anger"},      {"Disgust", "disgust"}, {"Fear", "fear"},
      {"Happy", "happiness"},  {"Neutral", "neutral"}, {"Sad", "sadness"},
      {"Surprise", "surprise"}};
  const auto place = [&](int clip) {
    return "Daily_Life/" + kinds[static_cast<std::size_t>(clip) % 7].first + "/" +
           id_of(clip).substr(1);
  };
  for (int clip = 0; clip < clips; ++clip) {
    MIEN_TRY(draw_clip(folder + "/2_ClipsforFaceCrop/" + place(clip),
                       kinds[static_cast<std::size_t>(clip) % 7].second,
                       static_cast<std::uint64_t>(clip), false));
  }
  const std::string lists = folder + "/4_setups/All_scenes/";
  write_lists(lists + "train_All.csv", lists + "test_All.csv", "", clips, 1, [&](int clip) {
    return place(clip) + " " + kinds[static_cast<std::size_t>(clip) % 7].first;
  });
  return {};
}

Status write_mini_mafw(const std::string& folder, int clips) {
  const std::vector<std::string> classes = {"anger",   "disgust", "fear",    "happiness",
                                            "neutral", "sadness", "surprise"};
  for (int clip = 0; clip < clips; ++clip) {
    MIEN_TRY(draw_clip(folder + "/frames_crop_align_224/" + id_of(clip),
                       classes[static_cast<std::size_t>(clip) % 7],
                       static_cast<std::uint64_t>(clip), true));
  }
  for (int fold = 1; fold <= 5; ++fold) {
    const std::string lists =
        folder + "/Train & Test Set/single/no_caption/set_" + std::to_string(fold) + "/";
    write_lists(lists + "train.txt", lists + "test.txt", "", clips, fold, [&](int clip) {
      return id_of(clip) + ".mp4 " + classes[static_cast<std::size_t>(clip) % 7];
    });
  }
  return {};
}

Status write_mini_ravdess(const std::string& folder) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"01", "neutral"}, {"03", "happiness"}, {"08", "surprise"}};
  std::uint64_t number = 0;
  for (const std::string actor : {"02", "03", "04"}) {
    const std::string place = folder + "/Actor_" + actor + "/02-01-";
    for (const auto& [emotion, expression] : kinds) {
      MIEN_TRY(draw_recording(place + emotion + "-01-01-01-" + actor, expression, number++));
    }
  }
  return draw_recording(folder + "/Actor_02/02-01-05-01-01-01-02", "", number);
}

}  // namespace mien::testing
