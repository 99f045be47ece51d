#include "report/timing.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mien::report {
namespace {

TEST(Timing, QuantilesOfKnownValues) {
  const Timing timing = timing_of({5, 1, 4, 2, 3, 6, 7, 8, 9, 10, 11});
  EXPECT_DOUBLE_EQ(timing.median, 6.0);
  EXPECT_DOUBLE_EQ(timing.p10, 2.0);
  EXPECT_DOUBLE_EQ(timing.p90, 10.0);
}

TEST(Timing, InterpolatesBetweenTwo) {
  const Timing timing = timing_of({2, 1});
  EXPECT_DOUBLE_EQ(timing.median, 1.5);
  EXPECT_DOUBLE_EQ(timing.p10, 1.1);
  EXPECT_DOUBLE_EQ(timing.p90, 1.9);
}

TEST(Timing, OneAndNone) {
  EXPECT_EQ(timing_of({7}).p90, 7.0);
  EXPECT_TRUE(std::isnan(timing_of({}).median));
}

}  // namespace
}  // namespace mien::report
