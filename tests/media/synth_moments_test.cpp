// Moments on disk: same seed, same bytes; files that are read back; errors as values.
#include "media/synth_moments.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "drawn_stills.h"
#include "support.h"

namespace mien::media::test {
namespace {

class SynthMomentsTest : public ScratchTest {
 protected:
  void SetUp() override {
    ScratchTest::SetUp();
    ASSERT_TRUE(write_drawn_stills(path("stills"), 3));
  }

  SynthMomentsOptions options(const std::string& out, int clips) const {
    SynthMomentsOptions o;
    o.out = path(out);
    o.clips = clips;
    o.source.images = path("stills");
    o.source.labels = path("stills/labels.csv");
    o.moments = {.seed = 5, .frames = 8, .size = 32};
    return o;
  }

  // Every file below a folder, by its name relative to it.
  static std::map<std::string, std::vector<char>> tree(const std::string& folder) {
    std::map<std::string, std::vector<char>> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      out[fs::relative(entry.path(), folder).string()] = read_bytes(entry.path().string());
    }
    return out;
  }

  static std::vector<std::string> lines(const std::string& file) {
    std::ifstream text(file);
    std::vector<std::string> out;
    for (std::string line; std::getline(text, line);) out.push_back(line);
    return out;
  }

  void write_text(const std::string& name, const std::string& text) const {
    write_bytes(path(name), {text.begin(), text.end()});
  }

  // Runs, expects `code`, and that nothing is left behind.
  Error error_of(const SynthMomentsOptions& o, ErrorCode code) const {
    const auto report = synth_moments(o, {});
    if (report.ok()) {
      ADD_FAILURE() << "was accepted";
      return {};
    }
    EXPECT_EQ(report.error().code, code) << report.error().to_string();
    EXPECT_FALSE(fs::exists(fs::path(o.out) / "manifest.csv"));
    for (const auto& entry : fs::directory_iterator(dir_)) {
      EXPECT_EQ(entry.path().filename().string().find(".part-"), std::string::npos) << entry.path();
    }
    return report.error();
  }
};

TEST_F(SynthMomentsTest, WritesClipsManifestAndTruth) {
  int calls = 0;
  const auto report = synth_moments(options("out", 6), [&](int done) { return done == ++calls; });
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(report->clips, 6);
  EXPECT_EQ(report->manifest, path("out/manifest.csv"));
  int sum = 0;
  for (const int n : report->per_class) sum += n;
  EXPECT_EQ(sum, 6);

  const auto manifest = lines(path("out/manifest.csv"));
  ASSERT_EQ(manifest.size(), 7U);
  EXPECT_EQ(manifest[0], "path,label,group");
  const auto truth = lines(path("out/truth.csv"));
  ASSERT_EQ(truth.size(), 1U + 6 * 8);
  EXPECT_EQ(truth[0], "clip,frame,intensity,class,occluded,distractor");

  const auto composer = MomentComposer::open(options("", 1).source, options("", 1).moments);
  ASSERT_TRUE(composer.ok()) << composer.error().to_string();
  for (int k = 0; k < 6; ++k) {
    const std::string clip = "clips/0000" + std::to_string(k);
    const Moment moment = composer->compose(static_cast<std::uint64_t>(k));
    const std::string& label = composer->classes()[static_cast<std::size_t>(moment.label)];
    EXPECT_EQ(manifest[static_cast<std::size_t>(k) + 1], clip + "," + label + "," + label);
    for (std::size_t t = 0; t < 8; ++t) {
      const std::string name = path("out/" + clip + "/0" + std::to_string(t) + ".png");
      const auto image = read_image(name);
      ASSERT_TRUE(image.ok()) << image.error().to_string();
      ASSERT_EQ(image->width, 32);
      ASSERT_EQ(image->height, 32);
      for (std::size_t i = 0; i < 32 * 32; ++i) {
        ASSERT_EQ(image->rgb[3 * i], moment.frames[t * 32 * 32 + i]) << name;
      }
      std::istringstream row(truth[1 + static_cast<std::size_t>(k) * 8 + t]);
      std::vector<std::string> fields;
      for (std::string field; std::getline(row, field, ',');) fields.push_back(field);
      ASSERT_EQ(fields.size(), 6U);
      EXPECT_EQ(fields[0], clip);
      EXPECT_EQ(fields[1], std::to_string(t));
      EXPECT_NEAR(std::stof(fields[2]), moment.intensity[t], 6e-5F);
      EXPECT_EQ(fields[3], moment.intensity[t] > 0.0F ? label : "neutral");
      EXPECT_EQ(fields[4], moment.occluded[t] != 0 ? "1" : "0");
      EXPECT_NEAR(std::stof(fields[5]), moment.distractor[t], 6e-5F);
    }
  }
}

TEST_F(SynthMomentsTest, SameSeedSameBytes) {
  ASSERT_TRUE(synth_moments(options("a", 3), {}).ok());
  ASSERT_TRUE(synth_moments(options("b", 3), {}).ok());
  ASSERT_TRUE(synth_moments(options("c", 5), {}).ok());
  auto other = options("d", 3);
  other.moments.seed = 6;
  ASSERT_TRUE(synth_moments(other, {}).ok());
  const auto a = tree(path("a"));
  EXPECT_EQ(a.size(), 3U * 8 + 2);
  EXPECT_EQ(a, tree(path("b")));
  const auto more = tree(path("c"));
  for (const auto& [name, bytes] : a) {
    if (name.ends_with(".png")) {
      EXPECT_EQ(more.at(name), bytes) << name;
    } else {  // the tables begin alike
      ASSERT_GT(more.at(name).size(), bytes.size());
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), more.at(name).begin())) << name;
    }
  }
  EXPECT_NE(a.at("clips/00000/00.png"), tree(path("d")).at("clips/00000/00.png"));
}

TEST_F(SynthMomentsTest, RunsAgainInItsOwnFolder) {
  ASSERT_TRUE(synth_moments(options("out", 4), {}).ok());
  ASSERT_TRUE(synth_moments(options("out", 2), {}).ok());
  EXPECT_EQ(tree(path("out")).size(), 2U * 8 + 2);
}

TEST_F(SynthMomentsTest, JpegFramesAreRead) {
  auto o = options("out", 1);
  o.storage = FrameStorage::kJpeg;
  ASSERT_TRUE(synth_moments(o, {}).ok());
  const auto image = read_image(path("out/clips/00000/07.jpg"));
  ASSERT_TRUE(image.ok()) << image.error().to_string();
  EXPECT_EQ(image->width, 32);
}

TEST_F(SynthMomentsTest, ATarIsAsGoodAsAFolder) {
  const std::string command = "tar -cf '" + path("stills.tar") + "' -C '" + path("stills") + "' .";
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "no tar program";
  auto from_tar = options("tar", 2);
  from_tar.source.images = path("stills.tar");
  ASSERT_TRUE(synth_moments(from_tar, {}).ok());
  ASSERT_TRUE(synth_moments(options("folder", 2), {}).ok());
  EXPECT_EQ(tree(path("tar")), tree(path("folder")));
}

TEST_F(SynthMomentsTest, SourcesThatDoNotFitAreErrors) {
  auto o = options("out", 2);
  o.source.images = path("no such folder");
  EXPECT_EQ(error_of(o, ErrorCode::kNotFound).context, o.source.images);

  o = options("out", 2);
  o.source.labels = path("missing.csv");
  EXPECT_EQ(error_of(o, ErrorCode::kNotFound).context, o.source.labels);

  fs::create_directories(path("empty"));
  o = options("out", 2);
  o.source.images = path("empty");
  EXPECT_EQ(error_of(o, ErrorCode::kNotFound).context, o.source.labels);

  write_text("absent.csv", "image,label\nneutral_0.png,neutral\nghost.png,fear\n");
  o = options("out", 2);
  o.source.labels = path("absent.csv");
  const Error absent = error_of(o, ErrorCode::kNotFound);
  EXPECT_EQ(absent.context, o.source.labels);
  EXPECT_NE(absent.message.find("ghost.png"), std::string::npos);

  write_text("one.csv", "image,label\nneutral_0.png,neutral\nanger_0.png,anger\n");
  o.source.labels = path("one.csv");
  EXPECT_EQ(error_of(o, ErrorCode::kInvalidArgument).context, o.source.labels);

  cut_file(path("stills/anger_1.png"), path("stills/anger_1.png"), 0.5);
  const Error damaged = error_of(options("out", 2), ErrorCode::kBadFormat);
  EXPECT_NE(damaged.context.find("anger_1.png"), std::string::npos);
}

TEST_F(SynthMomentsTest, FoldersThatCannotBeWrittenAreErrors) {
  write_text("file", "in the way");
  EXPECT_NE(error_of(options("file/deeper", 2), ErrorCode::kIo).context.find("file/deeper"),
            std::string::npos);
  EXPECT_EQ(error_of(options("file", 2), ErrorCode::kIo).context, path("file"));
  // The pictures' own folder is not to be replaced.
  EXPECT_EQ(error_of(options("stills", 2), ErrorCode::kInvalidArgument).context, path("stills"));
  EXPECT_TRUE(fs::exists(path("stills/anger_0.png")));
  EXPECT_EQ(error_of(options("out", 0), ErrorCode::kInvalidArgument).message, "0 clips");
}

TEST_F(SynthMomentsTest, StopsWhenAsked) {
  const auto report = synth_moments(options("out", 50), [](int done) { return done < 2; });
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(path("out")));
  EXPECT_FALSE(any_file_left("stills"));
}

class StillLabelsTest : public SynthMomentsTest {
 protected:
  Result<std::vector<StillLabel>> read(const std::string& text, double clear_share = 0.5) const {
    write_text("labels.csv", text);
    return read_still_labels(path("labels.csv"), *core::find_label_set("ferplus"), clear_share);
  }
  bool refuses(const std::string& text) const {
    const auto labels = read(text);
    return !labels.ok() && labels.error().code == ErrorCode::kBadFormat &&
           labels.error().context == path("labels.csv");
  }
};

TEST_F(StillLabelsTest, VotesCountWhenTheyAreClear) {
  const auto labels = read(
      "image,neutral,happiness,fear,unknown,majority\n"
      "a.png,6,2,0,2,neutral\n"
      "b.png,4,3,0,3,neutral\n"
      "c.png,0,4,4,2,\n"
      "\"d,1.png\",0,1,5,4,fear\n");
  ASSERT_TRUE(labels.ok()) << labels.error().to_string();
  ASSERT_EQ(labels->size(), 2U);
  EXPECT_EQ((*labels)[0].name, "a.png");
  EXPECT_EQ((*labels)[0].label, 0);
  EXPECT_EQ((*labels)[1].name, "d,1.png");
  EXPECT_EQ((*labels)[1].label, 6);
}

TEST_F(StillLabelsTest, OneLabelPerPicture) {
  const auto labels = read("path,label,x\r\na.png,Happy,1\r\nb.png,confusion,2\r\nc.png,,3\r\n");
  ASSERT_TRUE(labels.ok()) << labels.error().to_string();
  ASSERT_EQ(labels->size(), 1U);
  EXPECT_EQ((*labels)[0].label, 1);
}

TEST_F(StillLabelsTest, PointsAndExclusions) {
  auto labels = read("image,label\na.png,fear\nb.png,anger\nc.png,neutral\n");
  ASSERT_TRUE(labels.ok());
  std::string header = "image,spread";
  std::string values;
  for (int i = 0; i < 68; ++i) {
    header += ",x" + std::to_string(i) + ",y" + std::to_string(i);
    values += "," + std::to_string(i) + ",2.5";
  }
  write_text("points.csv", header + "\na.png,0.01" + values + "\nb.png,0.2" + values +
                               "\nother.png,0.01" + values + "\n");
  ASSERT_TRUE(read_still_points(path("points.csv"), *labels).ok());
  EXPECT_TRUE((*labels)[0].has_points);
  EXPECT_EQ((*labels)[0].points[134], 67.0F);
  EXPECT_EQ((*labels)[0].points[135], 2.5F);
  EXPECT_FALSE((*labels)[1].has_points) << "the two makers disagree";
  EXPECT_FALSE((*labels)[2].has_points);
  write_text("points.csv", header + "\na.png,0.01" + values.substr(0, values.size() - 3) + "nan\n");
  EXPECT_EQ(read_still_points(path("points.csv"), *labels).error().code, ErrorCode::kBadFormat);

  write_text("out.csv", "image,why\nb.png,twin\nz.png,unknown here\n");
  ASSERT_TRUE(drop_named_stills(path("out.csv"), *labels).ok());
  ASSERT_EQ(labels->size(), 2U);
  EXPECT_EQ((*labels)[1].name, "c.png");
}

TEST_F(StillLabelsTest, BrokenTablesAreRefused) {
  EXPECT_TRUE(refuses(""));
  EXPECT_TRUE(refuses("image,votes\na.png,1\n"));
  EXPECT_TRUE(refuses("image,label\na.png\n"));
  EXPECT_TRUE(refuses("image,label\n\"a.png,fear\n"));
  EXPECT_TRUE(refuses("image,label\n../a.png,fear\n"));
  EXPECT_TRUE(refuses("image,label\n/a.png,fear\n"));
  EXPECT_TRUE(refuses("image,label\na.png,fear\na.png,anger\n"));
  EXPECT_TRUE(refuses("image,neutral,majority\na.png,-1,neutral\n"));
  EXPECT_TRUE(refuses("image,neutral,majority\na.png,many,neutral\n"));
  EXPECT_EQ(read("image,label\na.png,confusion\n").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read("image,neutral,majority\n\na.png,many,neutral\n").error().message,
            "line 3, column 'neutral': 'many' is not a count of votes");
}

TEST(PersonOfPicture, IsThePartBeforeTheNumber) {
  EXPECT_EQ(person_of_picture("AJ_Cook_0001.jpg"), "AJ_Cook");
  EXPECT_EQ(person_of_picture("fer0000001.png"), "fer0000001");
  EXPECT_EQ(person_of_picture("sub/Ann_Lee.png"), "sub/Ann_Lee");
  EXPECT_EQ(person_of_picture("_1.png"), "_1");
}

}  // namespace
}  // namespace mien::media::test
