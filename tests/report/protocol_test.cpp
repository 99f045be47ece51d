#include "report/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "report/calibration.h"
#include "report/interval.h"

namespace mien::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ConfusionMatrix matrix_of(const std::vector<std::vector<int>>& counts) {
  ConfusionMatrix matrix(counts.size());
  for (std::size_t t = 0; t < counts.size(); ++t) {
    for (std::size_t p = 0; p < counts.size(); ++p) {
      EXPECT_TRUE(matrix.add(t, p, counts[t][p]).ok());
    }
  }
  return matrix;
}

// Two folds, by hand:
//   fold 1: WAR 7/8, UAR (3/4 + 1)/2 = 7/8, F1 6/7 and 8/9
//   fold 2: WAR 2/4, UAR 1/2, F1 1/2 and 1/2
//   pooled [[4, 2], [1, 5]]: WAR 9/12, UAR (4/6 + 5/6)/2 = 3/4, F1 8/11 and 10/13
const std::vector<std::vector<int>> kFirst = {{3, 1}, {0, 4}};
const std::vector<std::vector<int>> kSecond = {{1, 1}, {1, 1}};

Protocol two_folds() {
  return *find_protocol("crema-d", 2);
}

TEST(Protocol, KnowsTheDataSets) {
  EXPECT_EQ(find_protocol("DFEW")->folds, 5);
  EXPECT_THAT(find_protocol("dfew")->official_clips, ElementsAre(2341, 2341, 2340, 2339, 2336));
  EXPECT_EQ(find_protocol("FERV39k")->folds, 1);
  EXPECT_THAT(find_protocol("ferv39k")->official_clips, ElementsAre(7847));
  EXPECT_EQ(find_protocol("mafw")->folds, 5);
  EXPECT_EQ(find_protocol("CREMA_D")->name, "crema-d");
  EXPECT_EQ(find_protocol("ravdess", 24)->folds, 24);
  EXPECT_EQ(find_protocol("ravdess")->folds, 5);
  EXPECT_EQ(find_protocol("mae-dfer-ferv39k")->name, "ferv39k");
  EXPECT_EQ(find_protocol("dfew-original")->name, "dfew");
  EXPECT_EQ(find_protocol("manifest")->name, "single");
  for (const std::string& name : protocol_names()) EXPECT_TRUE(find_protocol(name).ok()) << name;
}

TEST(Protocol, RefusesOtherFoldsThanTheAuthors) {
  EXPECT_THAT(find_protocol("afew").error().to_string(), HasSubstr("dfew, ferv39k"));
  EXPECT_EQ(find_protocol("dfew", 4).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(find_protocol("dfew", 5).ok());
  EXPECT_FALSE(find_protocol("ravdess", 2'000'000'000).ok());
}

TEST(Aggregate, MeansDeviationsAndPooledFigures) {
  const std::vector<FoldResult> folds = {{2, matrix_of(kSecond)}, {1, matrix_of(kFirst)}};
  const auto report = aggregate(two_folds(), folds);
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  ASSERT_EQ(report->folds.size(), 2U);
  EXPECT_EQ(report->folds[0].fold, 1);  // sorted
  EXPECT_EQ(report->folds[0].clips, 8);
  EXPECT_DOUBLE_EQ(report->folds[0].rates.war, 7.0 / 8);
  EXPECT_DOUBLE_EQ(report->folds[0].rates.uar, 7.0 / 8);
  EXPECT_DOUBLE_EQ(report->folds[0].rates.macro_f1, (6.0 / 7 + 8.0 / 9) / 2);
  EXPECT_DOUBLE_EQ(report->folds[1].rates.war, 0.5);
  EXPECT_DOUBLE_EQ(report->mean.war, 0.6875);
  EXPECT_DOUBLE_EQ(report->mean.uar, 0.6875);
  EXPECT_DOUBLE_EQ(report->mean.macro_f1, ((6.0 / 7 + 8.0 / 9) / 2 + 0.5) / 2);
  EXPECT_NEAR(report->deviation.war, 0.1875 * std::sqrt(2.0), 1e-15);
  EXPECT_DOUBLE_EQ(report->pooled.war, 0.75);
  EXPECT_DOUBLE_EQ(report->pooled.uar, 0.75);
  EXPECT_DOUBLE_EQ(report->pooled.macro_f1, (8.0 / 11 + 10.0 / 13) / 2);
  EXPECT_EQ(report->confusion.count(0, 1), 2);
  EXPECT_EQ(report->confusion.total(), 12);
  EXPECT_EQ(report->basis(), "mean of 2 folds");
  EXPECT_FALSE(report->partial());
  EXPECT_TRUE(report->notes.empty());
}

TEST(Aggregate, RefusesMissingAndDoubleFolds) {
  const auto message = [](const std::vector<FoldResult>& folds) {
    const auto report = aggregate(two_folds(), folds);
    return report.ok() ? std::string() : report.error().to_string();
  };
  const FoldResult first = {1, matrix_of(kFirst)};
  const FoldResult second = {2, matrix_of(kSecond)};
  EXPECT_EQ(message({first, second}), "");
  EXPECT_THAT(message({first}), HasSubstr("CREMA-D: fold 2 of 2 is missing"));
  EXPECT_THAT(message({first, second, first}), HasSubstr("fold 1 is given twice"));
  EXPECT_THAT(message({first, second, {3, matrix_of(kFirst)}}), HasSubstr("outside 1..2"));
  EXPECT_THAT(message({first, {0, matrix_of(kFirst)}}), HasSubstr("outside 1..2"));
  EXPECT_THAT(message({first, {2, ConfusionMatrix(2)}}), HasSubstr("fold 2 has no clips"));
  EXPECT_THAT(message({first, {2, matrix_of({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}})}}),
              HasSubstr("fold 2 has 3 classes"));
  EXPECT_THAT(message({}), HasSubstr("no fold"));
}

TEST(Aggregate, PartialResultsAreLabelled) {
  const std::vector<FoldResult> second = {{2, matrix_of(kSecond)}};
  const auto report = aggregate(two_folds(), second, {.allow_partial = true});
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->partial());
  EXPECT_THAT(report->missing, ElementsAre(1));
  EXPECT_EQ(report->basis(), "fold 2 of 2 alone (partial)");
  EXPECT_DOUBLE_EQ(report->mean.war, 0.5);
  EXPECT_EQ(report->deviation.war, 0.0);
  ASSERT_EQ(report->notes.size(), 1U);
  EXPECT_THAT(report->notes[0], HasSubstr("without fold 1 of 2"));
  // A fold twice is wrong in a partial result as well.
  const std::vector<FoldResult> twice = {second[0], second[0]};
  EXPECT_FALSE(aggregate(two_folds(), twice, {.allow_partial = true}).ok());
}

TEST(Aggregate, SaysWhenTheTestSetIsNotTheOfficialOne) {
  const Protocol ferv39k = *find_protocol("ferv39k");
  const std::vector<FoldResult> few = {{1, matrix_of(kFirst)}};
  const auto small = aggregate(ferv39k, few);
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(small->basis(), "one split");
  ASSERT_EQ(small->notes.size(), 1U);
  EXPECT_THAT(small->notes[0], HasSubstr("8 clips, the official test list 7847"));
  const std::vector<FoldResult> all = {{1, matrix_of({{7000, 0}, {0, 847}})}};
  EXPECT_TRUE(aggregate(ferv39k, all)->notes.empty());
}

TEST(FoldsOf, SortsClipsIntoTheirFolds) {
  const ScoreTable table = {.classes = {"a", "b"},
                            .clips = {{"x", 3, 0, {0.9F, 0.1F}, 1},
                                      {"y", 1, 1, {0.9F, 0.1F}, 1},
                                      {"z", 3, 1, {0.2F, 0.8F}, 1}}};
  const auto folds = folds_of(table);
  ASSERT_TRUE(folds.ok());
  ASSERT_EQ(folds->size(), 2U);
  EXPECT_EQ((*folds)[0].fold, 1);
  EXPECT_EQ((*folds)[0].confusion.count(1, 0), 1);
  EXPECT_EQ((*folds)[1].fold, 3);
  EXPECT_DOUBLE_EQ((*folds)[1].confusion.war(), 1.0);
}

TEST(Wilson, HandWorkedIntervals) {
  const Interval most = wilson_interval(8, 10);
  EXPECT_NEAR(most.low, 0.49016, 1e-4);
  EXPECT_NEAR(most.high, 0.94332, 1e-4);
  const Interval none = wilson_interval(0, 10);
  EXPECT_NEAR(none.low, 0.0, 1e-12);
  EXPECT_NEAR(none.high, 3.841459 / 13.841459, 1e-6);  // z^2 / (n + z^2)
  EXPECT_EQ(wilson_interval(0, 0).low, 0.0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1.0);
}

TEST(Bootstrap, AgreesWithTheNormalApproximation) {
  const std::vector<ConfusionMatrix> one = {matrix_of({{350, 150}, {150, 350}})};
  const RateIntervals intervals = bootstrap_intervals(one);
  // The standard error of a share of 0.7 in 1000 is 0.0145; percentiles of 1000 draws scatter.
  const double expected = 2 * 1.96 * std::sqrt(0.7 * 0.3 / 1000);
  EXPECT_NEAR(intervals.war.high - intervals.war.low, expected, 0.2 * expected);
  EXPECT_LT(intervals.war.low, 0.7);
  EXPECT_GT(intervals.war.high, 0.7);
  EXPECT_LT(intervals.uar.low, 0.7);
  EXPECT_GT(intervals.macro_f1.high, 0.7);
}

TEST(Bootstrap, IsAFunctionOfItsSeed) {
  const std::vector<ConfusionMatrix> folds = {matrix_of({{30, 15}, {9, 41}}), matrix_of(kFirst)};
  const RateIntervals a = bootstrap_intervals(folds, {.replicates = 200, .seed = 5});
  const RateIntervals b = bootstrap_intervals(folds, {.replicates = 200, .seed = 5});
  const RateIntervals c = bootstrap_intervals(folds, {.replicates = 200, .seed = 6});
  EXPECT_EQ(a.uar.low, b.uar.low);
  EXPECT_EQ(a.macro_f1.high, b.macro_f1.high);
  EXPECT_NE(a.uar.low, c.uar.low);
}

TEST(Bootstrap, EdgesAreNotNumbersMadeUp) {
  const std::vector<ConfusionMatrix> perfect = {matrix_of({{5, 0}, {0, 5}})};
  EXPECT_EQ(bootstrap_intervals(perfect).war.low, 1.0);
  EXPECT_TRUE(std::isnan(bootstrap_intervals({}).war.low));
  const std::vector<ConfusionMatrix> empty = {ConfusionMatrix(3)};
  EXPECT_TRUE(std::isnan(bootstrap_intervals(empty).uar.high));
}

TEST(Calibration, HandWorkedError) {
  // Two clips said with 0.75, one of them rightly; one with 0.95, rightly.
  const std::vector<ClipScore> clips = {{"a", 1, 0, {0.75F, 0.25F}, 1},
                                        {"b", 1, 1, {0.75F, 0.25F}, 1},
                                        {"c", 1, 1, {0.05F, 0.95F}, 1}};
  const Calibration calibration = calibration_of(clips, 10);
  EXPECT_NEAR(calibration.ece, (2 * 0.25 + 0.05) / 3, 1e-7);
  EXPECT_EQ(calibration.clips, 3);
  EXPECT_NEAR(calibration.accuracy, 2.0 / 3, 1e-12);
  EXPECT_NEAR(calibration.confidence, (0.75 + 0.75 + 0.95) / 3, 1e-7);
  ASSERT_EQ(calibration.bins.size(), 10U);
  EXPECT_EQ(calibration.bins[7].clips, 2);
  EXPECT_DOUBLE_EQ(calibration.bins[7].accuracy, 0.5);
  EXPECT_EQ(calibration.bins[9].clips, 1);
}

TEST(Calibration, BinsAreOpenBelowAndClosedAbove) {
  const std::vector<ClipScore> clips = {{"a", 1, 0, {0.5F, 0.5F}, 1}, {"b", 1, 0, {1.0F, 0.0F}, 1}};
  const Calibration calibration = calibration_of(clips, 4);
  EXPECT_EQ(calibration.bins[1].clips, 1);  // (0.25, 0.5]
  EXPECT_EQ(calibration.bins[3].clips, 1);
  EXPECT_EQ(calibration_of({}, 15).ece, 0.0);
}

}  // namespace
}  // namespace mien::report
