// The course of a moment, and how clips get onto the disk.
#include "media/moment_script.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "media/image.h"
#include "media/moment_files.h"
#include "support.h"

namespace mien::media::test {
namespace {

std::vector<MomentScript> many_scripts(int frames, bool arises) {
  std::vector<MomentScript> out;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    core::Rng rng(seed);
    out.push_back(draw_script(frames, arises, rng));
  }
  return out;
}

TEST(MomentScript, RisesOnceAndFallsAgain) {
  for (const int frames : {kLeastMomentFrames, 16, 50}) {
    for (const MomentScript& script : many_scripts(frames, true)) {
      const auto& curve = script.curve;
      ASSERT_EQ(curve.size(), static_cast<std::size_t>(frames));
      EXPECT_EQ(curve.front(), 0.0F);
      EXPECT_EQ(curve.back(), 0.0F);
      const auto peak = std::max_element(curve.begin(), curve.end());
      EXPECT_GE(*peak, static_cast<float>(kLeastPeak));
      EXPECT_LE(*peak, 1.0F);
      EXPECT_TRUE(std::is_sorted(curve.begin(), peak + 1));
      EXPECT_TRUE(std::is_sorted(peak, curve.end(), std::greater<>()));
      ASSERT_LE(script.apex_first, script.apex_last);
      for (int t = script.apex_first; t <= script.apex_last; ++t) {
        EXPECT_EQ(curve[static_cast<std::size_t>(t)], *peak);
      }
    }
  }
}

TEST(MomentScript, StartsAtManyMoments) {
  std::vector<int> starts(16, 0);
  for (const MomentScript& script : many_scripts(16, true)) {
    const auto first = std::find_if(script.curve.begin(), script.curve.end(),
                                    [](float value) { return value > 0.0F; });
    ++starts[static_cast<std::size_t>(first - script.curve.begin())];
  }
  EXPECT_GE(std::count_if(starts.begin(), starts.end(), [](int n) { return n > 0; }), 6);
}

TEST(MomentScript, NothingArisesWhenNothingShall) {
  for (const MomentScript& script : many_scripts(16, false)) {
    EXPECT_EQ(std::accumulate(script.curve.begin(), script.curve.end(), 0.0F), 0.0F);
    EXPECT_LT(script.apex_last, script.apex_first);
  }
}

TEST(MomentScript, HandsNeverHideTheWholeApex) {
  int hidden = 0;
  for (const int frames : {kLeastMomentFrames, 16, 50}) {
    for (const MomentScript& script : many_scripts(frames, true)) {
      bool seen = false;
      for (int t = 0; t < frames; ++t) {
        hidden += script.occluded(t) ? 1 : 0;
        seen = seen || (t >= script.apex_first && t <= script.apex_last && !script.occluded(t));
      }
      EXPECT_TRUE(seen);
    }
  }
  EXPECT_GT(hidden, 300);
}

TEST(MomentScript, DistractionsStayOutsideTheMoment) {
  std::size_t found = 0;
  for (const MomentScript& script : many_scripts(16, true)) {
    for (const Distraction& d : script.distractions) {
      ++found;
      EXPECT_GE(d.first, 1);
      EXPECT_LE(d.first, d.last);
      EXPECT_LT(d.last, 16);
      EXPECT_GT(d.weight, 0.0);
      EXPECT_LE(d.weight, kMostDistraction);
      for (int t = d.first; t <= d.last; ++t) {
        EXPECT_EQ(script.curve[static_cast<std::size_t>(t)], 0.0F);
      }
    }
  }
  EXPECT_GT(found, 50U);
}

TEST(PlainPng, IsReadBack) {
  // More than one block of 65535 bytes.
  constexpr int kWidth = 301;
  constexpr int kHeight = 260;
  std::vector<std::uint8_t> grey(static_cast<std::size_t>(kWidth) * kHeight);
  for (std::size_t i = 0; i < grey.size(); ++i) grey[i] = static_cast<std::uint8_t>(i * i / 7);
  const auto image = decode_image(encode_plain_png(grey, kWidth, kHeight), "plain.png");
  ASSERT_TRUE(image.ok()) << image.error().to_string();
  ASSERT_EQ(image->width, kWidth);
  ASSERT_EQ(image->height, kHeight);
  for (std::size_t i = 0; i < grey.size(); ++i) {
    ASSERT_EQ(image->rgb[3 * i], grey[i]) << i;
    ASSERT_EQ(image->rgb[3 * i + 2], grey[i]) << i;
  }
}

class WholeFolderTest : public ScratchTest {};

TEST_F(WholeFolderTest, AppearsWholeOrNotAtAll) {
  {
    auto folder = WholeFolder::create(path("a/b/"), "mark");
    ASSERT_TRUE(folder.ok()) << folder.error().to_string();
    ASSERT_TRUE(folder->write("in/x.txt", std::string("x")).ok());
    EXPECT_FALSE(fs::exists(path("a/b")));
  }
  EXPECT_TRUE(fs::is_empty(path("a")));
  auto folder = WholeFolder::create(path("a/b/"), "mark");
  ASSERT_TRUE(folder.ok());
  ASSERT_TRUE(folder->write("in/x.txt", std::string("x")).ok());
  ASSERT_TRUE(folder->write("mark", std::string("m")).ok());
  ASSERT_TRUE(folder->commit().ok());
  EXPECT_EQ(read_bytes(path("a/b/in/x.txt")), std::vector<char>{'x'});
  EXPECT_EQ(std::distance(fs::directory_iterator(path("a")), fs::directory_iterator()), 1);
}

TEST_F(WholeFolderTest, ReplacesItsOwnKindOnly) {
  fs::create_directories(path("mine"));
  write_bytes(path("mine/mark"), {'m'});
  write_bytes(path("mine/old"), {'o'});
  auto folder = WholeFolder::create(path("mine"), "mark");
  ASSERT_TRUE(folder.ok()) << folder.error().to_string();
  ASSERT_TRUE(folder->write("new", std::string("n")).ok());
  EXPECT_TRUE(fs::exists(path("mine/old")));
  ASSERT_TRUE(folder->commit().ok());
  EXPECT_FALSE(fs::exists(path("mine/old")));
  EXPECT_TRUE(fs::exists(path("mine/new")));

  fs::create_directories(path("theirs"));
  write_bytes(path("theirs/thesis.txt"), {'t'});
  const auto refused = WholeFolder::create(path("theirs"), "mark");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().context, path("theirs"));
  EXPECT_TRUE(fs::exists(path("theirs/thesis.txt")));
}

TEST(CsvField, QuotesWhatNeedsIt) {
  EXPECT_EQ(csv_field("A_B"), "A_B");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("a\"b"), "\"a\"\"b\"");
}

}  // namespace
}  // namespace mien::media::test
