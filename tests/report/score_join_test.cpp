#include "report/score_join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/eval_report.h"

namespace mien::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> kClasses = {"anger", "fear"};

NamedScores part(const std::string& name, const std::vector<ClipScore>& clips) {
  return {name, {kClasses, clips}};
}

// Two classes: a clip of class `truth` of which the model says fear with probability `fear`.
ClipScore clip(const std::string& id, int fold, int truth, float fear, int views = 2) {
  return {id, fold, truth, {1.0F - fear, fear}, views};
}

// Two folds of four clips, by hand:
//   fold 1: anger right, anger wrong, fear right, fear right: WAR 3/4, UAR (1/2 + 1)/2 = 3/4
//   fold 2: anger right, anger right, anger wrong, fear wrong: WAR 2/4, UAR (2/3 + 0)/2 = 1/3
const std::vector<ClipScore> kFirst = {clip("a", 1, 0, 0.25F), clip("b", 1, 0, 0.75F),
                                       clip("c", 1, 1, 0.75F), clip("d", 1, 1, 1.0F)};
const std::vector<ClipScore> kSecond = {clip("a", 2, 0, 0.25F), clip("e", 2, 0, 0.0F),
                                        clip("f", 2, 0, 0.75F), clip("g", 2, 1, 0.25F)};

std::vector<std::string> ids(const ScoreTable& table) {
  std::vector<std::string> out;
  for (const ClipScore& score : table.clips) out.push_back(std::to_string(score.fold) + score.id);
  return out;
}

// The message of what must be refused as a wrong argument.
std::string message_of(const Result<ScoreTable>& table) {
  if (table.ok()) return "accepted";
  EXPECT_EQ(table.error().code, ErrorCode::kInvalidArgument);
  return table.error().to_string();
}

TEST(JoinScores, TheFoldsOfATestWhateverTheirOrder) {
  const std::vector<NamedScores> parts = {part("two.csv", kSecond), part("one.csv", kFirst)};
  const auto joined = join_scores(parts);
  ASSERT_TRUE(joined.ok()) << joined.error().to_string();
  EXPECT_EQ(joined->classes, kClasses);
  EXPECT_THAT(ids(*joined), ElementsAre("1a", "1b", "1c", "1d", "2a", "2e", "2f", "2g"));
  const auto report = make_report(*joined, *find_protocol("crema-d", 2));
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_DOUBLE_EQ(report->protocol.mean.war, (3.0 / 4 + 2.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(report->protocol.mean.uar, (3.0 / 4 + 1.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(report->protocol.pooled.war, 5.0 / 8);
  // anger: 3 of 5 right; fear: 2 of 3.
  EXPECT_EQ(report->protocol.confusion.count(0, 0), 3);
  EXPECT_EQ(report->protocol.confusion.count(0, 1), 2);
  EXPECT_EQ(report->protocol.confusion.count(1, 0), 1);
  EXPECT_EQ(report->protocol.confusion.count(1, 1), 2);
  EXPECT_EQ(report->protocol.basis(), "mean of 2 folds");
}

TEST(JoinScores, PartsOfOneFoldBecomeOneFold) {
  const std::vector<NamedScores> parts = {part("x", {kFirst[0], kFirst[1]}),
                                          part("y", {kFirst[2], kFirst[3]})};
  const auto joined = join_scores(parts);
  ASSERT_TRUE(joined.ok()) << joined.error().to_string();
  EXPECT_THAT(ids(*joined), ElementsAre("1a", "1b", "1c", "1d"));
  EXPECT_EQ(folds_of(*joined)->size(), 1U);
}

TEST(JoinScores, RefusesAClipTwice) {
  EXPECT_THAT(message_of(join_scores(std::vector<NamedScores>{
                  part("one.csv", kFirst), part("two.csv", kSecond),
                  part("again.csv", {clip("z", 1, 0, 0.5F), clip("c", 1, 1, 0.5F)})})),
              HasSubstr("again.csv: clip 'c' of fold 1 is in one.csv too"));
}

TEST(JoinScores, RefusesWhatIsNoneOrDoesNotFit) {
  EXPECT_THAT(message_of(join_scores({})), HasSubstr("no scores"));
  NamedScores other = part("other.csv", kSecond);
  other.table.classes = {"fear", "anger"};  // the same names, but 0 means something else
  EXPECT_THAT(
      message_of(join_scores(std::vector<NamedScores>{part("one.csv", kFirst), other})),
      HasSubstr("other.csv: its classes (fear, anger) are not those of one.csv (anger, fear)"));
  NamedScores broken = part("broken.csv", kSecond);
  broken.table.clips[1].probabilities = {0.5F, 0.75F};
  const auto refused = join_scores(std::vector<NamedScores>{part("one.csv", kFirst), broken});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBadFormat);
  EXPECT_THAT(refused.error().to_string(), HasSubstr("broken.csv: clip 'e' of fold 2"));
}

TEST(AverageScores, TheMeanOfProbabilitiesCanChangeTheAnswer) {
  // Of three models one is right about "a" and sure, two are wrong and unsure; the other clip comes
  // in another order.
  const std::vector<NamedScores> parts = {
      part("one", {clip("a", 1, 1, 1.0F, 2), clip("b", 1, 0, 0.5F, 2)}),
      part("two", {clip("a", 1, 1, 0.375F, 2), clip("b", 1, 0, 0.25F, 2)}),
      part("three", {clip("b", 1, 0, 0.0F, 1), clip("a", 1, 1, 0.4375F, 1)})};
  const auto mean = average_scores(parts);
  ASSERT_TRUE(mean.ok()) << mean.error().to_string();
  EXPECT_THAT(ids(*mean), ElementsAre("1a", "1b"));
  // fear: (1 + 0.375 + 0.4375) / 3 and (0.5 + 0.25 + 0) / 3.
  EXPECT_FLOAT_EQ(mean->clips[0].probabilities[1], 1.8125F / 3.0F);
  EXPECT_FLOAT_EQ(mean->clips[0].probabilities[0], 1.1875F / 3.0F);
  EXPECT_FLOAT_EQ(mean->clips[1].probabilities[1], 0.25F);
  EXPECT_EQ(mean->clips[0].truth, 1);
  EXPECT_EQ(mean->clips[0].views, 5);
  EXPECT_EQ(argmax(mean->clips[0].probabilities), 1U);
  EXPECT_TRUE(check_scores(*mean).ok());
}

TEST(AverageScores, FoldsOfSeveralModelsTogether) {
  std::vector<ClipScore> first = kFirst;
  std::vector<ClipScore> second = kSecond;
  first[1] = clip("b", 1, 0, 0.125F);  // (0.75 + 0.125) / 2 = 0.4375: right now
  second[0] = clip("a", 2, 0, 1.0F);   // (0.25 + 1) / 2 = 0.625: wrong now
  const std::vector<NamedScores> parts = {part("m1f1", kFirst), part("m1f2", kSecond),
                                          part("m2f2", second), part("m2f1", first)};
  const auto mean = average_scores(parts);
  ASSERT_TRUE(mean.ok()) << mean.error().to_string();
  EXPECT_THAT(ids(*mean), ElementsAre("1a", "1b", "1c", "1d", "2a", "2e", "2f", "2g"));
  EXPECT_FLOAT_EQ(mean->clips[1].probabilities[1], 0.4375F);
  EXPECT_FLOAT_EQ(mean->clips[4].probabilities[1], 0.625F);
  EXPECT_EQ(mean->clips[4].views, 4);
  const auto report = make_report(*mean, *find_protocol("crema-d", 2));
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  // All of fold 1; of fold 2 only "e".
  EXPECT_DOUBLE_EQ(report->protocol.mean.war, (1.0 + 1.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(report->protocol.mean.uar, (1.0 + (1.0 / 3 + 0.0) / 2) / 2);
}

TEST(AverageScores, RefusesWhatIsNotScoredAlike) {
  const auto message = [](const std::vector<NamedScores>& parts) {
    return message_of(average_scores(parts));
  };
  const NamedScores one = part("one", kFirst);
  const NamedScores two = part("two", kSecond);
  EXPECT_THAT(message({}), HasSubstr("no scores"));
  EXPECT_THAT(message({part("empty", {})}), HasSubstr("no clips"));
  EXPECT_THAT(message({one}), HasSubstr("nothing to average"));
  EXPECT_THAT(message({one, two}), HasSubstr("nothing to average"));
  EXPECT_THAT(message({one, part("again", kFirst), two}),
              HasSubstr("fold 1 was scored 2 times, fold 2 1 times"));
  EXPECT_THAT(message({one, part("fewer", {kFirst[0], kFirst[1], kFirst[3]})}),
              HasSubstr("fewer: lacks clip 'c' of fold 1, which is in one"));
  EXPECT_THAT(message({part("fewer", {kFirst[0], kFirst[1], kFirst[3]}), one}),
              HasSubstr("fewer: lacks clip 'c' of fold 1, which is in one"));
  EXPECT_THAT(
      message({one, part("other", {kFirst[0], kFirst[1], kFirst[2], clip("d", 1, 0, 1.0F)})}),
      HasSubstr("other: clip 'd' of fold 1 is anger here, fear in one"));
}

}  // namespace
}  // namespace mien::report
