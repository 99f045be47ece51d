// What the drawings read off a window's mask.
#include "pipeline/window_row.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mien::pipeline {
namespace {

WindowRow row_of(std::vector<float> mask) {
  WindowRow row;
  row.slots = 2;
  row.grid = 1;
  row.places.resize(4);
  row.window.mask = std::move(mask);
  return row;
}

TEST(WindowRow, ASlotsShareIsAgainstTheWholeMask) {
  const WindowRow row = row_of({0.2F, 0.6F});
  EXPECT_FLOAT_EQ(row.slot_mean(1), 0.6F);
  EXPECT_FLOAT_EQ(row.slot_share(0), 0.5F);
  EXPECT_FLOAT_EQ(row.slot_share(1), 1.5F);
  // The level of a window's mask says nothing about its moments.
  const WindowRow fainter = row_of({0.1F, 0.3F});
  EXPECT_FLOAT_EQ(fainter.slot_share(1), row.slot_share(1));
  EXPECT_EQ(row_of({0.0F, 0.0F}).slot_share(0), 1.0F);
}

TEST(WindowRow, SlotsShareOutTheSamples) {
  WindowRow row = row_of({0.2F, 0.6F});
  row.window.start_s = 1.0;
  EXPECT_EQ(row.samples_per_slot(), 2);
  EXPECT_DOUBLE_EQ(row.slot_start_s(1), 1.0 + 2.0 / 30.0);
}

}  // namespace
}  // namespace mien::pipeline
