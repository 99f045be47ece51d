// truth.csv of composed clips beside their manifest.
#include "learn/data/moment_truth.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/temp_folder.h"

namespace mien::learn::moment_truth_test {
namespace {

using mien::testing::TempFolder;

const std::string kTruthHeader = "clip,frame,intensity,class,occluded,distractor\n";
const std::string kAngry =
    "clips/0,0,0.0000,neutral,0,0.0000\nclips/0,1,0.5000,anger,1,0.0000\n"
    "clips/0,2,0.0000,anger,0,0.0000\n";
const std::string kNeutral =
    "clips/1,0,0.0000,neutral,0,0.2000\nclips/1,1,0.0000,neutral,0,0.0000\n";

class MomentTruthTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write("manifest.csv", "path,label,group\nclips/0,anger,a\nclips/1,neutral,b\n");
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
  }

  Result<std::optional<MomentTruth>> find(const std::string& path,
                                          const std::string& annotation = {}) const {
    ClipSource source;
    source.path = path;
    source.format = "manifest";
    source.split = "valid";
    source.annotation = annotation;
    MIEN_ASSIGN(const ClipList list, read_clip_list(source));
    return find_moment_truth(source, list);
  }

  // The message about `truth` in the place of truth.csv; "" when it is accepted.
  std::string fault(const std::string& truth) const {
    write("truth.csv", truth);
    const auto found = find(folder_.path());
    if (found.ok()) return found->has_value() ? "" : "nothing found";
    EXPECT_EQ(found.error().code, ErrorCode::kBadFormat);
    EXPECT_NE(found.error().context.find("truth.csv"), std::string::npos);
    return found.error().message;
  }

  TempFolder folder_;
};

TEST_F(MomentTruthTest, IsReadFrameByFrame) {
  // Of a clip that the manifest has not, too.
  write("truth.csv", kTruthHeader + kAngry + kNeutral + "clips/2,7,3,fear,0,0\n");
  for (const std::string& path : {folder_.path(), folder_.file("manifest.csv")}) {
    const auto truth = find(path);
    ASSERT_TRUE(truth.ok()) << truth.error().to_string();
    ASSERT_TRUE(truth->has_value());
    const MomentTruth wanted = {{"clips/0", {0.0, 0.5, 0.0}}, {"clips/1", {0.0, 0.0}}};
    EXPECT_EQ(**truth, wanted);
  }
}

TEST_F(MomentTruthTest, NeedNotBeThere) {
  const auto none = find(folder_.path());
  ASSERT_TRUE(none.ok()) << none.error().to_string();
  EXPECT_FALSE(none->has_value());
  // That of drawn faces.
  write("truth.csv", "clip,frame,time_s,class,intensity\nclips/0,0,0,anger,1\n");
  const auto faces = find(folder_.path());
  ASSERT_TRUE(faces.ok()) << faces.error().to_string();
  EXPECT_FALSE(faces->has_value());
  write("truth.csv", kTruthHeader + kAngry + kNeutral);
  const auto other_list = find(folder_.path(), folder_.file("manifest.csv"));
  ASSERT_TRUE(other_list.ok()) << other_list.error().to_string();
  EXPECT_FALSE(other_list->has_value());
}

TEST_F(MomentTruthTest, MustFitTheManifest) {
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_EQ(fault(kTruthHeader + kAngry + kNeutral), "");
  EXPECT_TRUE(has(fault(kTruthHeader + kAngry), "no rows of clip 'clips/1'"));
  const std::string start = kTruthHeader + kNeutral;
  EXPECT_TRUE(has(fault(start + "clips/0,1,0.5,anger,0,0\n"), "'1', frame 0"));
  EXPECT_TRUE(has(fault(start + "clips/0,-1,0.5,anger,0,0\n"), "'-1', frame 0"));
  EXPECT_TRUE(has(fault(start + "clips/0,0,1.5,anger,0,0\n"), "'1.5' is not in 0..1"));
  EXPECT_TRUE(has(fault(start + "clips/0,0,nan,anger,0,0\n"), "'nan' is not in 0..1"));
  EXPECT_TRUE(has(fault(start + "clips/0,0,0.5,fear,0,0\n"), "manifest says 'anger'"));
  EXPECT_TRUE(has(fault(start + "clips/0,0,0.5,neutral,0,0\n"), "manifest says 'anger'"));
  EXPECT_TRUE(has(fault(start + "clips/0,0\n"), "line 4"));
}

}  // namespace
}  // namespace mien::learn::moment_truth_test
