// The rates that training reports.
#include "learn/step_clock.h"

#include <gtest/gtest.h>

namespace mien::learn::step_clock_test {

TEST(StepClock, HasNoRateBeforeTheFirstStep) {
  const StepClock clock;
  EXPECT_EQ(clock.recent_rate(), 0.0);
  EXPECT_EQ(clock.epoch_rate(), 0.0);
}

TEST(StepClock, AnEpochIsMeasuredByItself) {
  StepClock clock;
  clock.add(4.0, 8);
  EXPECT_DOUBLE_EQ(clock.epoch_rate(), 2.0);
  clock.begin_epoch();
  clock.add(1.0, 8);
  clock.add(3.0, 8);
  EXPECT_DOUBLE_EQ(clock.epoch_rate(), 4.0);
  EXPECT_DOUBLE_EQ(clock.seconds(), 8.0);
}

TEST(StepClock, ASlowFirstStepIsSoonForgotten) {
  StepClock clock;
  clock.add(10.0, 1);
  for (int i = 0; i < 19; ++i) clock.add(1.0, 1);
  EXPECT_NEAR(1.0 / clock.recent_rate(), 1.45, 1e-9);  // the mean of the twenty
  for (int i = 0; i < 60; ++i) clock.add(1.0, 1);
  EXPECT_NEAR(clock.recent_rate(), 1.0, 0.03);
}

TEST(StepClock, TheRecentRateFollowsAChange) {
  StepClock clock;
  for (int i = 0; i < 100; ++i) clock.add(1.0, 4);
  EXPECT_NEAR(clock.recent_rate(), 4.0, 1e-9);
  for (int i = 0; i < 100; ++i) clock.add(0.5, 4);
  EXPECT_NEAR(clock.recent_rate(), 8.0, 0.1);
}

}  // namespace mien::learn::step_clock_test
