// `mien synth`: clips with known truth, as its users call it.
#include <gmock/gmock.h>

#include <filesystem>

#include "cli/analyze_fixture.h"
#include "media/drawn_stills.h"

namespace mien::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SynthTest : public CliTest {
 protected:
  Ran moments(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"synth",    "moments", "--out",    out,
                                          "--images", "stills",  "--labels", "stills/labels.csv",
                                          "--frames", "8",       "--size",   "32"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return mien(arguments);
  }
};

TEST_F(SynthTest, MomentsFromAFolderOfStills) {
  ASSERT_TRUE(media::test::write_drawn_stills(path("stills"), 2));
  const Ran ran = moments("out", {"--clips", "3", "--seed", "9"});
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(ran.out, HasSubstr("out/manifest.csv: 3 clips ("));
  EXPECT_THAT(ran.err, IsEmpty());
  EXPECT_THAT(list(""), ElementsAre("out", "stills"));
  EXPECT_THAT(list("out"), ElementsAre("clips", "manifest.csv", "truth.csv"));
  EXPECT_THAT(list("out/clips"), ElementsAre("00000", "00001", "00002"));
  EXPECT_EQ(list("out/clips/00001").size(), 8U);
  EXPECT_EQ(lines("out/manifest.csv").size(), 4U);
  EXPECT_EQ(lines("out/truth.csv").size(), 1U + 3 * 8);

  ASSERT_EQ(moments("again", {"--clips", "4", "--seed", "9"}).exit_code, 0);
  EXPECT_EQ(read("out/clips/00002/05.png"), read("again/clips/00002/05.png"));
  ASSERT_EQ(moments("jpeg", {"--clips", "1", "--storage", "jpeg"}).exit_code, 0);
  EXPECT_EQ(list("jpeg/clips/00000").front(), "00.jpg");
}

TEST_F(SynthTest, FacesAreDrawn) {
  const std::vector<std::string> arguments = {"synth",    "faces", "--out",  "drawn",
                                              "--clips",  "1",     "--seed", "3",
                                              "--frames", "4",     "--size", "128"};
  const Ran ran = mien(arguments);
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(ran.out, HasSubstr("1 clips"));
  EXPECT_EQ(lines("drawn/manifest.csv").size(), 2U);
}

TEST_F(SynthTest, WrongUsageIsCodeTwo) {
  EXPECT_EQ(mien({"synth"}).exit_code, 2);
  EXPECT_EQ(mien({"synth", "dances"}).exit_code, 2);
  EXPECT_EQ(mien({"synth", "faces"}).exit_code, 2);
  EXPECT_EQ(mien({"synth", "moments", "--out", "x"}).exit_code, 2);
  EXPECT_EQ(moments("x", {"--clips", "0"}).exit_code, 2);
  EXPECT_EQ(moments("x", {"--frames", "4"}).exit_code, 2);
  EXPECT_EQ(moments("x", {"--seed", "-1"}).exit_code, 2);
  EXPECT_EQ(moments("x", {"--storage", "bmp"}).exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(path("x")));
}

TEST_F(SynthTest, WhatIsWrongWithASourceIsNamed) {
  expect_one_line_error(moments("out"), "stills");
  ASSERT_TRUE(media::test::write_drawn_stills(path("stills"), 2));
  std::filesystem::remove(path("stills/anger_1.png"));
  expect_one_line_error(moments("out"), "anger_1.png");
  ASSERT_TRUE(media::test::write_drawn_stills(path("stills"), 2));
  write("file", "in the way");
  expect_one_line_error(moments("file/deeper"), "file/deeper");
  expect_one_line_error(moments("stills"), "stills");
  EXPECT_THAT(list(""), ElementsAre("file", "stills"));
}

}  // namespace
}  // namespace mien::testing
