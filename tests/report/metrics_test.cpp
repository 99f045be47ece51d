#include "report/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace mien::report {
namespace {

using ::testing::HasSubstr;

// Rows are the truth. By hand:
//        p0 p1 p2 p3 | support recall  precision  f1
//   t0    3  1  0  0 |  4      3/4     3/5        6/9  = 2/3
//   t1    2  4  0  0 |  6      4/6     4/5        8/11
//   t2    0  0  0  0 |  0      -       -          -        (never occurs, never predicted)
//   t3    0  0  0  0 ... see each test
ConfusionMatrix example() {
  ConfusionMatrix m(3);
  const auto times = [&](std::size_t t, std::size_t p, int n) {
    for (int i = 0; i < n; ++i) EXPECT_TRUE(m.add(t, p).ok());
  };
  times(0, 0, 3);
  times(0, 1, 1);
  times(1, 0, 2);
  times(1, 1, 4);
  return m;
}

TEST(ConfusionMatrix, HandWorkedRates) {
  const ConfusionMatrix m = example();
  EXPECT_EQ(m.total(), 10);
  EXPECT_EQ(m.count(1, 0), 2);
  EXPECT_DOUBLE_EQ(m.war(), 0.7);
  EXPECT_DOUBLE_EQ(m.uar(), (3.0 / 4 + 4.0 / 6) / 2);
  EXPECT_DOUBLE_EQ(m.macro_f1(), (2.0 / 3 + 8.0 / 11) / 2);
  const auto rows = m.per_class();
  EXPECT_EQ(rows[0].support, 4);
  EXPECT_EQ(rows[0].predicted, 5);
  EXPECT_DOUBLE_EQ(rows[0].recall, 0.75);
  EXPECT_DOUBLE_EQ(rows[0].precision, 0.6);
  EXPECT_DOUBLE_EQ(rows[1].f1, 8.0 / 11);
}

TEST(ConfusionMatrix, AClassThatNeverOccursIsNoPartOfUar) {
  ConfusionMatrix m = example();
  EXPECT_EQ(m.per_class()[2].support, 0);
  EXPECT_DOUBLE_EQ(m.uar(), (3.0 / 4 + 4.0 / 6) / 2);
  // Predicted once though it never occurs: it costs F1 (a third class of 0) and recall of class 0.
  ASSERT_TRUE(m.add(0, 2).ok());
  EXPECT_DOUBLE_EQ(m.uar(), (3.0 / 5 + 4.0 / 6) / 2);
  EXPECT_DOUBLE_EQ(m.macro_f1(), (6.0 / 10 + 8.0 / 11 + 0) / 3);
}

TEST(ConfusionMatrix, EmptyIsZeroNotNan) {
  const ConfusionMatrix m(4);
  EXPECT_EQ(m.war(), 0);
  EXPECT_EQ(m.uar(), 0);
  EXPECT_EQ(m.macro_f1(), 0);
}

TEST(ConfusionMatrix, RefusesWhatDoesNotFit) {
  ConfusionMatrix m(3);
  EXPECT_EQ(m.add(3, 0).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(m.add(0, 3).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(m.merge(ConfusionMatrix(2)).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(m.total(), 0);
}

TEST(ConfusionMatrix, MergeAddsCounts) {
  ConfusionMatrix m = example();
  ASSERT_TRUE(m.merge(example()).ok());
  EXPECT_EQ(m.total(), 20);
  EXPECT_EQ(m.count(1, 1), 8);
  EXPECT_DOUBLE_EQ(m.war(), 0.7);
}

TEST(Argmax, FirstOfEqualsAndNeverNan) {
  const float nan = std::nanf("");
  EXPECT_EQ(argmax(std::vector<float>{1, 3, 3}), 1U);
  EXPECT_EQ(argmax(std::vector<float>{nan, -1, -2}), 1U);
  EXPECT_EQ(argmax(std::vector<float>{-5, nan, -2}), 2U);
  EXPECT_EQ(argmax(std::vector<float>{}), 0U);
}

TEST(MetricsTable, NamesClassesAndFigures) {
  const std::string table = metrics_table(example(), {"anger", "joy", "fear"});
  EXPECT_THAT(table, HasSubstr("anger"));
  EXPECT_THAT(table, HasSubstr("75.00"));
  EXPECT_THAT(table, HasSubstr("WAR 70.00 %, UAR 70.83 %, macro F1 69.70 %, 10 samples"));
}

}  // namespace
}  // namespace mien::report
