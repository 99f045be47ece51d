// Datasets of stills, crops, augmentation and the loader.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

#include "core/temp_folder.h"
#include "learn/data/eval_set.h"
#include "learn/data/loader.h"
#include "learn/golden.h"
#include "media/image.h"

namespace mien::learn::test {
namespace {

namespace fs = std::filesystem;
using mien::testing::TempFolder;

const std::vector<std::string> kFerPlus = core::find_label_set("ferplus").value().classes;

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

void write_picture(const fs::path& path, std::uint8_t level) {
  fs::create_directories(path.parent_path());
  media::Image image = media::Image::black(12, 10);
  std::fill(image.rgb.begin(), image.rgb.end(), level);
  ASSERT_TRUE(media::write_png(path.string(), image).ok());
}

// A picture with a horizontal ramp and a plausible face of 68 points.
StillSet ramp_set(int count) {
  StillSet set;
  set.classes = kFerPlus;
  for (int i = 0; i < count; ++i) {
    Still still;
    still.name = "p" + std::to_string(i);
    still.target.assign(kFerPlus.size(), 0.0F);
    still.majority = i % 3;
    still.target[static_cast<std::size_t>(still.majority)] = 1.0F;
    still.target_weight = 1.0F;
    for (int p = 0; p < 68; ++p) {
      still.points.push_back(24.0F + 12.0F * std::cos(0.1F * static_cast<float>(p)));
      still.points.push_back(24.0F + 12.0F * std::sin(0.13F * static_cast<float>(p)));
    }
    std::vector<std::uint8_t> luma;
    for (int y = 0; y < 48; ++y) {
      for (int x = 0; x < 48; ++x) luma.push_back(static_cast<std::uint8_t>(5 * x + i));
    }
    set.add(std::move(still), 48, 48, luma);
  }
  return set;
}

TEST(Geometry, FrameMapsThereAndBack) {
  const CropFrame frame{.cx = 30, .cy = 20, .side = 17, .angle = 0.3, .mirrored = true};
  const auto at = frame.to_picture(0.2, 0.9);
  const auto back = frame.to_crop(at[0], at[1]);
  EXPECT_NEAR(back[0], 0.2, 1e-12);
  EXPECT_NEAR(back[1], 0.9, 1e-12);
}

TEST(Geometry, MirrorIsAnInvolution) {
  const auto& mirror = mirror_index();
  for (std::size_t i = 0; i < 68; ++i) {
    EXPECT_EQ(mirror[static_cast<std::size_t>(mirror[i])], static_cast<int>(i));
  }
  EXPECT_EQ(mirror[36], 45);
  EXPECT_EQ(mirror[48], 54);
  EXPECT_EQ(mirror[30], 30);
}

TEST(Geometry, TemplateFrameIsRecovered) {
  // Points that are the template seen through a known frame must give that frame back.
  const std::vector<float> face_template = {0.3F, 0.4F,  0.7F, 0.4F,  0.5F,
                                            0.6F, 0.35F, 0.8F, 0.65F, 0.8F};
  const CropFrame truth{.cx = 50, .cy = 40, .side = 60, .angle = -0.2};
  std::vector<float> points(136, 0.0F);
  const auto put = [&](std::size_t first, std::size_t last, std::size_t k) {
    const auto at = truth.to_picture(static_cast<double>(face_template[2 * k]),
                                     static_cast<double>(face_template[2 * k + 1]));
    for (std::size_t i = first; i <= last; ++i) {
      points[2 * i] = static_cast<float>(at[0]);
      points[2 * i + 1] = static_cast<float>(at[1]);
    }
  };
  put(36, 41, 0);
  put(42, 47, 1);
  put(30, 30, 2);
  put(48, 48, 3);
  put(54, 54, 4);
  const CropFrame found = frame_on_template(points, face_template);
  EXPECT_NEAR(found.cx, truth.cx, 1e-3);
  EXPECT_NEAR(found.cy, truth.cy, 1e-3);
  EXPECT_NEAR(found.side, truth.side, 1e-3);
  EXPECT_NEAR(found.angle, truth.angle, 1e-5);
}

TEST(Augment, WholePictureIsReproduced) {
  const StillSet set = ramp_set(1);
  std::vector<float> crop(48 * 48);
  render_crop(set, set.stills[0], frame_on_picture(set.stills[0]), 48, crop);
  for (std::size_t i = 0; i < crop.size(); ++i) {
    ASSERT_NEAR(crop[i], static_cast<float>(set.pixels[i]) / 255.0F, 1e-5F) << i;
  }
  CropFrame mirrored = frame_on_picture(set.stills[0]);
  mirrored.mirrored = true;
  std::vector<float> other(crop.size());
  render_crop(set, set.stills[0], mirrored, 48, other);
  EXPECT_NEAR(other[0], crop[47], 1e-5F);
}

TEST(Augment, PhotometricStaysInRange) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::vector<float> crop(32 * 32, 0.5F);
    Rng rng(seed);
    photometric(crop, 32, {}, rng);
    for (const float p : crop) ASSERT_TRUE(p >= 0.0F && p <= 1.0F);
  }
}

TEST(Augment, MirroredPointsKeepTheirMeaning) {
  const StillSet set = ramp_set(1);
  CropFrame frame = frame_on_picture(set.stills[0]);
  const auto plain = points_in_crop(set.stills[0], frame);
  frame.mirrored = true;
  const auto mirrored = points_in_crop(set.stills[0], frame);
  // The left eye's corner in the mirror is the right eye's, at 1 - x.
  EXPECT_NEAR(mirrored[72], 1.0F - plain[90], 1e-5F);
  EXPECT_NEAR(mirrored[73], plain[91], 1e-5F);
}

// The engine does (pixel / 255 - mean) / std per channel, as the model file says; a model that
// learnt from anything else answers wrongly there.
TEST(Loader, PicturesAreNormalisedAsTheModelFileSays) {
  const StillSet set = ramp_set(1);
  core::InputNorm input;  // ImageNet: three different means
  const std::vector<std::size_t> first = {0};
  const torch::Tensor x = plain_batch(set, first, {.size = 48, .input = input});
  for (const auto& [row, column] : {std::pair{0, 0}, {20, 30}, {47, 47}}) {
    const double pixel = set.pixels[static_cast<std::size_t>(48 * row + column)] / 255.0;
    for (int c = 0; c < 3; ++c) {
      const auto at = static_cast<std::size_t>(c);
      EXPECT_NEAR(
          x[0][c][row][column].item<double>(),
          (pixel - static_cast<double>(input.mean[at])) / static_cast<double>(input.std[at]), 1e-5);
    }
  }
}

TEST(Loader, BatchesDependOnTheirIndexAlone) {
  const StillSet set = ramp_set(10);
  StillLoader loader(set, {.batch = 4, .size = 16, .seed = 7});
  EXPECT_EQ(loader.usable(), 10U);
  const Batch third = loader.make(3);
  loader.start(2);
  loader.next();
  const Batch again = loader.next();
  EXPECT_TRUE(torch::equal(third.images, again.images));
  EXPECT_TRUE(torch::equal(third.target, again.target));
  loader.start(0);
  EXPECT_FALSE(torch::equal(loader.next().images, third.images));
}

TEST(Loader, EveryPictureOncePerPass) {
  const StillSet set = ramp_set(12);
  StillLoader loader(set, {.batch = 4, .size = 8, .seed = 3});
  torch::Tensor sum = torch::zeros({static_cast<std::int64_t>(kFerPlus.size())});
  for (int i = 0; i < 3; ++i) sum += loader.make(i).target.sum(0);
  EXPECT_EQ(sum[0].item<float>(), 4.0F);
  EXPECT_EQ(sum[1].item<float>(), 4.0F);
  EXPECT_EQ(sum[2].item<float>(), 4.0F);
}

TEST(Stills, PackGivesBackTheSet) {
  const TempFolder folder;
  const StillSet set = ramp_set(5);
  ASSERT_TRUE(write_pack(folder.file("p.safetensors"), set).ok());
  const StillSet back = read_pack(folder.file("p.safetensors")).value();
  ASSERT_EQ(back.stills.size(), 5U);
  EXPECT_EQ(back.pixels, set.pixels);
  EXPECT_EQ(back.stills[4].points, set.stills[4].points);
  EXPECT_EQ(back.stills[4].name, "p4");
  EXPECT_EQ(back.stills[2].majority, 2);
  write_text(folder.file("bad.safetensors"), "nonsense");
  EXPECT_FALSE(read_pack(folder.file("bad.safetensors")).ok());
}

TEST(Stills, RafDbLayout) {
  const TempFolder folder;
  const fs::path base = fs::path(folder.path()) / "basic";
  write_text(base / "EmoLabel/list_patition_label.txt",
             "train_00001.jpg 4\ntrain_00002.jpg 7\ntest_0001.jpg 1\n");
  for (const char* name : {"train_00001", "train_00002", "test_0001"}) {
    write_picture(base / "Image/aligned" / (std::string(name) + "_aligned.jpg"), 100);
  }
  const auto train = read_stills({.path = folder.path(), .split = "train"}, kFerPlus).value();
  ASSERT_EQ(train.stills.size(), 2U);
  EXPECT_EQ(kFerPlus[static_cast<std::size_t>(train.stills[0].majority)], "happiness");
  EXPECT_EQ(kFerPlus[static_cast<std::size_t>(train.stills[1].majority)], "neutral");
  const auto test = read_stills({.path = folder.path(), .split = "test"}, kFerPlus).value();
  EXPECT_EQ(kFerPlus[static_cast<std::size_t>(test.stills[0].majority)], "surprise");
}

TEST(Stills, AffectNetLayouts) {
  const TempFolder npy;
  write_picture(fs::path(npy.path()) / "train_set/images/7.png", 50);
  std::string bytes("\x93NUMPY\x01\x00", 8);
  std::string header = "{'descr': '<U1', 'fortran_order': False, 'shape': (), }";
  header.resize(118, ' ');
  bytes += std::string("\x76\x00", 2) + header + std::string("6\0\0\0", 4);
  write_text(fs::path(npy.path()) / "train_set/annotations/7_exp.npy", bytes);
  const auto set = read_stills({.path = npy.path(), .format = "affectnet"}, kFerPlus).value();
  ASSERT_EQ(set.stills.size(), 1U);
  EXPECT_EQ(kFerPlus[static_cast<std::size_t>(set.stills[0].majority)], "anger");

  const TempFolder folders;
  write_picture(fs::path(folders.path()) / "val/3/a.png", 50);
  write_picture(fs::path(folders.path()) / "val/Happy/b.png", 50);
  const auto by_class =
      read_stills({.path = folders.path(), .format = "affectnet", .split = "valid"}, kFerPlus)
          .value();
  ASSERT_EQ(by_class.stills.size(), 2U);
  EXPECT_EQ(kFerPlus[static_cast<std::size_t>(by_class.stills[0].majority)], "surprise");
}

TEST(Stills, ManifestSkipsWhatCannotBeRead) {
  const TempFolder folder;
  write_picture(fs::path(folder.path()) / "a.png", 9);
  write_text(fs::path(folder.path()) / "b.png", "not a picture");
  write_text(fs::path(folder.path()) / "manifest.csv",
             "path,label\na.png,joy\nb.png,sad\nc.png,sad\n");
  StillReport report;
  const auto set = read_stills({.path = folder.path()}, kFerPlus, &report).value();
  ASSERT_EQ(set.stills.size(), 1U);
  EXPECT_EQ(kFerPlus[static_cast<std::size_t>(set.stills[0].majority)], "happiness");
  EXPECT_EQ(report.skipped, 2U);
  EXPECT_FALSE(read_stills({.path = folder.file("none"), .format = "ferplus"}, kFerPlus).ok());
}

TEST(Stills, FerPlusVotesAndSplits) {
  const std::string root = std::string(MIEN_SHARED_DIR) + "/data/ferplus";
  if (!fs::exists(root)) GTEST_SKIP() << "no FERPlus pictures beside the repository";
  const auto set =
      read_stills({.path = root, .format = "ferplus", .split = "valid"}, kFerPlus).value();
  EXPECT_EQ(set.stills.size(), 3579U);
  std::vector<int> counts(kFerPlus.size(), 0);
  for (const Still& still : set.stills) {
    if (still.majority >= 0) ++counts[static_cast<std::size_t>(still.majority)];
  }
  EXPECT_EQ(counts, (std::vector<int>{1182, 865, 415, 351, 287, 24, 62, 13}));  // data README
  const auto duplicates =
      read_name_list(duplicates_list_of({.path = root, .split = "valid"})).value();
  EXPECT_EQ(duplicates.size(), 294U);
  const auto face_template = mean_face_template(set);
  ASSERT_EQ(face_template.size(), 10U);
  EXPECT_LT(face_template[0], face_template[2]);  // left eye left of the right eye
  EXPECT_LT(face_template[1], face_template[7]);  // eyes above the mouth
}

TEST(Stills, WebFacesSplitByPerson) {
  const std::string root = std::string(MIEN_SHARED_DIR) + "/data/faces";
  if (!fs::exists(root)) GTEST_SKIP() << "no web faces beside the repository";
  const auto kept = read_stills({.path = root, .tenth = "keep"}, kFerPlus).value();
  const auto held = read_stills({.path = root, .tenth = "held"}, kFerPlus).value();
  std::set<std::string> people;
  for (const Still& still : kept.stills) people.insert(still.group);
  for (const Still& still : held.stills) EXPECT_FALSE(people.contains(still.group)) << still.group;
  EXPECT_EQ(kept.stills.size() + held.stills.size(), 10754U);
}

}  // namespace
}  // namespace mien::learn::test
