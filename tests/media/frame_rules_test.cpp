#include "media/frame_rules.h"

#include <nlohmann/json.hpp>

#include "support.h"

namespace mien::media::test {
namespace {

using Indices = std::vector<std::int64_t>;

TEST(FrameRulesTest, EqualTheOfficialCode) {
  const std::string file = shared("reference/golden/frame_sampling/sampling.json");
  if (!fs::exists(file)) GTEST_SKIP() << "no shared/reference here";
  std::ifstream stream(file);
  const nlohmann::json cases = nlohmann::json::parse(stream);
  ASSERT_GT(cases.size(), 10U);
  for (const auto& c : cases) {
    const auto frames = c["num_frames_in_video"].get<std::int64_t>();
    const int clip = c["clip_len"].get<int>();
    const int rate = c["sampling_rate"].get<int>();
    SCOPED_TRACE(std::to_string(frames) + " frames at rate " + std::to_string(rate));
    const Indices loaded = test_loaded_indices(frames, clip, rate);
    EXPECT_EQ(loaded, c["test_loaded"].get<Indices>());
    for (int s = 0; s < 2; ++s) {
      EXPECT_EQ(test_segment_indices(loaded, clip, s, 2),
                c["test_two_segment_views"][s].get<Indices>());
    }
    for (const auto& draw : c["train_or_validation"]) {
      const EndRange range = train_end_range(frames, clip, rate);
      EXPECT_EQ(range.first == range.last, draw["end_idx"].is_null());
      const std::int64_t end = draw["end_idx"].is_null() ? 0 : draw["end_idx"].get<std::int64_t>();
      if (range.first != range.last) {
        EXPECT_GE(end, range.first);
        EXPECT_LT(end, range.last);
      }
      EXPECT_EQ(train_indices(frames, clip, rate, end), draw["indices"].get<Indices>());
    }
  }
}

TEST(FrameRulesTest, NonsenseGivesNothing) {
  EXPECT_TRUE(test_loaded_indices(0, 16, 1).empty());
  EXPECT_TRUE(train_indices(10, 0, 1).empty());
  EXPECT_TRUE(test_segment_indices({1, 2}, 16, 0, 2).empty());
  EXPECT_EQ(train_indices(100, 16, 1, 100000).back(),
            98);  // an end beyond the range is brought into it
}

}  // namespace
}  // namespace mien::media::test
