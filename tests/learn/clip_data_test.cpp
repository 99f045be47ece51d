// The clips that a config names: labels are numbered as the model numbers its classes.
#include "learn/data/clip_data.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "core/temp_folder.h"
#include "media/image.h"

namespace mien::learn {
namespace {

using mien::testing::TempFolder;

// Three clips of two grey pictures each, of the classes surprise, anger and surprise.
ClipData manifest_of(const TempFolder& folder) {
  std::ofstream list(folder.file("manifest.csv"));
  list << "path,label\n";
  for (const auto& [name, label] :
       {std::pair{"a", "surprise"}, std::pair{"b", "anger"}, std::pair{"c", "surprise"}}) {
    const std::string clip = folder.file(name);
    std::filesystem::create_directory(clip);
    for (int i = 0; i < 2; ++i) {
      const auto written =
          media::write_png(clip + "/" + std::to_string(i) + ".png", media::Image::black(16, 16));
      EXPECT_TRUE(written.ok()) << written.error().to_string();
    }
    list << name << ',' << label << '\n';
  }
  ClipData data;
  data.source.path = folder.file("");
  data.source.format = "manifest";
  return data;
}

Result<std::unique_ptr<ClipStore>> open(const TempFolder& folder, const ClipData& data,
                                        const std::vector<std::string>& classes) {
  VideoConfig video;
  video.cache = folder.file("cache");
  video.storage = "raw";
  ClipDataOptions options;
  options.classes = classes;
  options.side = 16;
  return open_clip_data({data}, video, options, [](const std::string&) {});
}

TEST(ClipData, LabelsAreNumberedByTheNamesOfTheModelsClasses) {
  const TempFolder folder;
  const ClipData data = manifest_of(folder);
  const std::vector<std::string> classes = {"neutral", "surprise", "anger"};
  const auto store = open(folder, data, classes);
  ASSERT_TRUE(store.ok()) << store.error().to_string();
  EXPECT_EQ((*store)->classes(), classes);
  std::map<std::string, int> labels;
  for (std::size_t i = 0; i < (*store)->size(); ++i) labels[(*store)->id(i)] = (*store)->label(i);
  EXPECT_EQ(labels, (std::map<std::string, int>{{"a", 1}, {"b", 2}, {"c", 1}}));
  // Another order makes another cache.
  const auto turned = open(folder, data, {"anger", "surprise"});
  ASSERT_TRUE(turned.ok()) << turned.error().to_string();
  EXPECT_EQ((*turned)->label(0), (*turned)->id(0) == "b" ? 0 : 1);
}

TEST(ClipData, AClassThatTheModelLacksIsAnError) {
  const TempFolder folder;
  const auto store = open(folder, manifest_of(folder), {"neutral", "anger"});
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.error().message.find("surprise"), std::string::npos);
}

}  // namespace
}  // namespace mien::learn
