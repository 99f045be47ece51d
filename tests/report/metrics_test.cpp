#include "report/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.h"

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

TEST(ConfusionMatrix, CountsSeveralAtOnce) {
  ConfusionMatrix m(2);
  ASSERT_TRUE(m.add(0, 1, 5).ok());
  ASSERT_TRUE(m.add(0, 1).ok());
  ASSERT_TRUE(m.add(1, 1, 0).ok());
  EXPECT_EQ(m.count(0, 1), 6);
  EXPECT_EQ(m.total(), 6);
  EXPECT_EQ(m.add(0, 1, -1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(m.total(), 6);
}

TEST(ConfusionMatrix, MergeAddsCounts) {
  ConfusionMatrix m = example();
  ASSERT_TRUE(m.merge(example()).ok());
  EXPECT_EQ(m.total(), 20);
  EXPECT_EQ(m.count(1, 1), 8);
  EXPECT_DOUBLE_EQ(m.war(), 0.7);
}

// The example of scikit-learn's classification_report, with the figures that its documentation
// prints: y_true = 0 1 2 2 2, y_pred = 0 0 2 2 1.
TEST(ConfusionMatrix, ScikitLearnsPublishedExample) {
  ConfusionMatrix m(3);
  const std::vector<std::pair<std::size_t, std::size_t>> samples = {
      {0, 0}, {1, 0}, {2, 2}, {2, 2}, {2, 1}};
  for (const auto& [truth, predicted] : samples) ASSERT_TRUE(m.add(truth, predicted).ok());
  const std::vector<std::vector<double>> printed = {
      {0.50, 1.00, 0.67, 1}, {0.00, 0.00, 0.00, 1}, {1.00, 0.67, 0.80, 3}};
  const auto rows = m.per_class();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(rows[i].precision, printed[i][0], 0.005) << i;
    EXPECT_NEAR(rows[i].recall, printed[i][1], 0.005) << i;
    EXPECT_NEAR(rows[i].f1, printed[i][2], 0.005) << i;
    EXPECT_EQ(static_cast<double>(rows[i].support), printed[i][3]) << i;
  }
  EXPECT_NEAR(m.war(), 0.60, 0.005);
  EXPECT_NEAR(m.uar(), 0.56, 0.005);
  EXPECT_NEAR(m.macro_f1(), 0.49, 0.005);
}

// Figures of another implementation; the file's "source" says which, the script beside it makes it.
TEST(ConfusionMatrix, ReferenceFigures) {
  const auto text = core::read_text_file(std::string(MIEN_SOURCE_DIR) +
                                         "/tests/report/data/metrics_reference.json");
  ASSERT_TRUE(text.ok()) << text.error().to_string();
  const auto reference = nlohmann::json::parse(*text);
  ASSERT_GE(reference.at("cases").size(), 7U);
  for (const auto& expected : reference.at("cases")) {
    SCOPED_TRACE(expected.at("name").get<std::string>());
    const auto counts = expected.at("confusion").get<std::vector<std::vector<std::int64_t>>>();
    ConfusionMatrix m(counts.size());
    for (std::size_t t = 0; t < counts.size(); ++t) {
      for (std::size_t p = 0; p < counts.size(); ++p) {
        ASSERT_TRUE(m.add(t, p, counts[t][p]).ok());
      }
    }
    EXPECT_NEAR(m.war(), expected.at("war").get<double>(), 1e-12);
    EXPECT_NEAR(m.uar(), expected.at("uar").get<double>(), 1e-12);
    EXPECT_NEAR(m.macro_f1(), expected.at("macro_f1").get<double>(), 1e-12);
    const auto rows = m.per_class();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_NEAR(rows[i].recall, expected.at("recall")[i].get<double>(), 1e-12) << i;
      EXPECT_NEAR(rows[i].precision, expected.at("precision")[i].get<double>(), 1e-12) << i;
      EXPECT_NEAR(rows[i].f1, expected.at("f1")[i].get<double>(), 1e-12) << i;
      EXPECT_EQ(rows[i].support, expected.at("support")[i].get<std::int64_t>()) << i;
    }
  }
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
