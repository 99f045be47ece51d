#include "report/score_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace mien::report {
namespace {

using ::testing::HasSubstr;

const float kLn3 = std::log(3.0F);
const float kLn9 = std::log(9.0F);

TEST(Softmax, HandWorkedAndSafeForLargeLogits) {
  const auto p = softmax(std::vector<float>{0, kLn3});
  EXPECT_NEAR(p[0], 0.25, 1e-7);
  EXPECT_NEAR(p[1], 0.75, 1e-7);
  const auto large = softmax(std::vector<float>{5000, 5000 + kLn3, -5000});
  EXPECT_NEAR(large[1], 0.75, 1e-3);  // 5000 + ln 3 is not exact in a float
  EXPECT_EQ(large[2], 0.0F);
  EXPECT_TRUE(softmax({}).empty());
}

TEST(ViewScores, AveragesProbabilitiesNotLogits) {
  ViewScores views(2);
  ASSERT_TRUE(*views.add({.id = "a", .truth = 1, .segment = 0}, std::vector<float>{0, kLn3}));
  ASSERT_TRUE(*views.add({.id = "a", .truth = 1, .segment = 1}, std::vector<float>{kLn9, 0}));
  const auto scores = views.scores();
  ASSERT_EQ(scores.size(), 1U);
  EXPECT_EQ(scores[0].id, "a");
  EXPECT_EQ(scores[0].truth, 1);
  EXPECT_EQ(scores[0].views, 2);
  // (0.25 + 0.9) / 2; the mean of the logits would give softmax(ln 3, ln 3 / 2) = 0.634.
  EXPECT_NEAR(scores[0].probabilities[0], 0.575, 1e-6);
  EXPECT_NEAR(scores[0].probabilities[1], 0.425, 1e-6);
}

TEST(ViewScores, CountsEachSegmentAndCropOnce) {
  ViewScores views(2);
  for (int segment = 0; segment < 2; ++segment) {
    for (int crop = 0; crop < 2; ++crop) {
      EXPECT_TRUE(
          *views.add({.id = "a", .segment = segment, .crop = crop}, std::vector<float>{0, kLn3}));
    }
  }
  const auto again = views.add({.id = "a", .segment = 1, .crop = 0}, std::vector<float>{kLn9, 0});
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(*again);
  const auto scores = views.scores();
  ASSERT_EQ(scores.size(), 1U);
  EXPECT_EQ(scores[0].views, 4);
  EXPECT_NEAR(scores[0].probabilities[1], 0.75, 1e-6);
}

TEST(ViewScores, ArrivalOrderDoesNotMatter) {
  const std::vector<std::vector<float>> logits = {
      {0.1F, 1.7F, -3.0F}, {2.2F, 0.3F, 0.9F}, {-1.3F, 0.01F, 4.4F}};
  ViewScores forth(3);
  ViewScores back(3);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(forth.add({.id = "a", .segment = i}, logits[static_cast<std::size_t>(i)]).ok());
    ASSERT_TRUE(
        back.add({.id = "a", .segment = 2 - i}, logits[static_cast<std::size_t>(2 - i)]).ok());
  }
  EXPECT_EQ(forth.scores()[0].probabilities, back.scores()[0].probabilities);  // the same bits
}

TEST(ViewScores, TheSameNameInTwoFoldsIsTwoClips) {
  ViewScores views(2);
  ASSERT_TRUE(views.add({.id = "a", .fold = 2, .truth = 1}, std::vector<float>{0, 1}).ok());
  ASSERT_TRUE(views.add({.id = "a", .fold = 1, .truth = 0}, std::vector<float>{0, 1}).ok());
  EXPECT_EQ(views.clip_count(), 2U);
  EXPECT_EQ(views.scores()[0].fold, 2);  // in order of arrival
}

TEST(ViewScores, RefusesWhatDoesNotFit) {
  ViewScores views(2);
  ASSERT_TRUE(views.add({.id = "a", .truth = 1}, std::vector<float>{0, 1}).ok());
  const auto code = [&](const ViewScores::View& view, const std::vector<float>& logits) {
    const auto result = views.add(view, logits);
    return result.ok() ? std::string() : result.error().to_string();
  };
  EXPECT_THAT(code({.id = "b"}, {0, 1, 2}), HasSubstr("3 logits for 2 classes"));
  EXPECT_THAT(code({.id = "b"}, {0, std::nanf("")}), HasSubstr("not finite"));
  EXPECT_THAT(code({.id = "b", .truth = 2}, {0, 1}), HasSubstr("class 2"));
  EXPECT_THAT(code({.id = "b", .truth = -1}, {0, 1}), HasSubstr("class -1"));
  EXPECT_THAT(code({.id = "a", .truth = 0, .segment = 1}, {0, 1}), HasSubstr("different classes"));
  EXPECT_EQ(views.clip_count(), 1U);
}

ScoreTable small_table() {
  return {.classes = {"happiness", "fear"},
          .clips = {{"00001", 1, 0, {0.75F, 0.25F}, 4},
                    {"00002", 1, 1, {0.625F, 0.375F}, 4},
                    {"00001", 2, 1, {0.0F, 1.0F}, 2}}};
}

TEST(ScoresCsv, HasTheDocumentedColumns) {
  const auto text = scores_csv(small_table());
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text,
            "id,fold,truth,predicted,confidence,views,happiness,fear\n"
            "00001,1,happiness,happiness,0.75,4,0.75,0.25\n"
            "00002,1,fear,happiness,0.625,4,0.625,0.375\n"
            "00001,2,fear,fear,1,2,0,1\n");
}

TEST(ScoresCsv, ReadsBackTheSameBits) {
  ScoreTable table;
  table.classes = {"a,b", "<script>", "quote\"d"};
  const std::vector<std::string> ids = {"plain",      "with,comma", "with \"quotes\"",
                                        "two\nlines", " padded ",   "gr\xC3\xBC\xC3\x9F"};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const float x = 0.1F * static_cast<float>(i);
    table.clips.push_back(
        {ids[i], 1, static_cast<int>(i % 3), softmax(std::vector<float>{x, -3 * x, 0.7F}), 4});
  }
  table.clips.push_back({"tiny", 5, 2, softmax(std::vector<float>{-80, -30, 9}), 1});
  const auto text = scores_csv(table);
  ASSERT_TRUE(text.ok());
  const auto back = parse_scores_csv(*text, "scores.csv");
  ASSERT_TRUE(back.ok()) << back.error().to_string();
  EXPECT_EQ(back->classes, table.classes);
  ASSERT_EQ(back->clips.size(), table.clips.size());
  for (std::size_t i = 0; i < table.clips.size(); ++i) {
    EXPECT_EQ(back->clips[i].id, table.clips[i].id);
    EXPECT_EQ(back->clips[i].fold, table.clips[i].fold);
    EXPECT_EQ(back->clips[i].truth, table.clips[i].truth);
    EXPECT_EQ(back->clips[i].views, table.clips[i].views);
    EXPECT_EQ(back->clips[i].probabilities, table.clips[i].probabilities);
  }
}

// The message of reading the header and one row; "" when they are accepted.
std::string reading(const std::string& row,
                    const std::string& header = "id,fold,truth,predicted,confidence,views,a,b") {
  const auto table = parse_scores_csv(header + "\n" + row + "\n", "s.csv");
  if (table.ok()) return "";
  EXPECT_EQ(table.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(table.error().context, "s.csv");
  return table.error().to_string();
}

TEST(ScoresCsv, BelievesNothing) {
  EXPECT_EQ(reading("x,1,a,b,0.75,4,0.25,0.75"), "");
  EXPECT_THAT(reading("x,1,a,b,0.75,4,0.25"), HasSubstr("line 2: 7 fields, the header has 8"));
  EXPECT_THAT(reading(",1,a,b,0.75,4,0.25,0.75"), HasSubstr("no id"));
  EXPECT_THAT(reading("x,0,a,b,0.75,4,0.25,0.75"), HasSubstr("'0' is no fold"));
  EXPECT_THAT(reading("x,99999999999999999999,a,b,0.75,4,0.25,0.75"), HasSubstr("is no fold"));
  EXPECT_THAT(reading("x,1,c,b,0.75,4,0.25,0.75"), HasSubstr("'c' is none of the classes"));
  EXPECT_THAT(reading("x,1,a,c,0.75,4,0.25,0.75"), HasSubstr("'c' is none of the classes"));
  EXPECT_THAT(reading("x,1,a,a,0.75,4,0.25,0.75"), HasSubstr("the probabilities say 'b'"));
  EXPECT_THAT(reading("x,1,a,b,0.5,4,0.25,0.75"), HasSubstr("confidence '0.5'"));
  EXPECT_THAT(reading("x,1,a,b,nan,4,0.25,0.75"), HasSubstr("confidence 'nan'"));
  EXPECT_THAT(reading("x,1,a,b,0.75,0,0.25,0.75"), HasSubstr("'0' is no number of views"));
  EXPECT_THAT(reading("x,1,a,b,0.75,4,0.2,0.75"), HasSubstr("do not sum to 1"));
  EXPECT_THAT(reading("x,1,a,b,1.25,4,-0.25,1.25"), HasSubstr("'-0.25' is no probability"));
  EXPECT_THAT(reading("x,1,a,b,nan,4,nan,nan"), HasSubstr("'nan' is no probability"));
  EXPECT_THAT(reading("x,1,a,b,1,4,1e-400,1e400"), HasSubstr("is no probability"));
  EXPECT_THAT(reading("\"x,1,a,b,0.75,4,0.25,0.75"), HasSubstr("line 2, column 'id': open quote"));
  EXPECT_THAT(reading("\"x\"y,1,a,b,0.75,4,0.25,0.75"), HasSubstr("behind a closing quote"));
  EXPECT_THAT(reading("x,1,a,b,0.75,4,0.25,0.75\nx,1,b,b,0.75,4,0.25,0.75"),
              HasSubstr("clip 'x' of fold 1 appears twice"));
  EXPECT_EQ(reading("x,1,a,b,0.75,4,0.25,0.75\nx,2,b,b,0.75,4,0.25,0.75"), "");
}

TEST(ScoresCsv, BelievesNoHeader) {
  const std::string row = "x,1,a,b,0.75,4,0.25,0.75";
  EXPECT_THAT(reading(row, "id,fold,truth,predicted,confidence,views"), HasSubstr("header"));
  EXPECT_THAT(reading(row, "fold,id,truth,predicted,confidence,views,a,b"), HasSubstr("header"));
  EXPECT_THAT(reading(row, "id,fold,truth,predicted,confidence,views,a,a"),
              HasSubstr("class 'a' appears twice"));
  EXPECT_THAT(reading(row, "id,fold,truth,predicted,confidence,views,a,"), HasSubstr("empty name"));
  EXPECT_THAT(parse_scores_csv("", "s.csv").error().to_string(), HasSubstr("is empty"));
  EXPECT_THAT(parse_scores_csv("\n\r\n", "s.csv").error().to_string(), HasSubstr("is empty"));
}

TEST(ScoresCsv, WritesNothingThatItWouldNotRead) {
  ScoreTable table = small_table();
  table.clips[1].probabilities[0] = 0.9F;
  EXPECT_THAT(scores_csv(table).error().to_string(), HasSubstr("clip '00002' of fold 1"));
  table = small_table();
  table.clips[2].truth = 7;
  EXPECT_FALSE(scores_csv(table).ok());
  table = small_table();
  table.classes[1] = "happiness";
  EXPECT_FALSE(scores_csv(table).ok());
}

TEST(ScoresCsv, ThroughAFile) {
  const std::string path = std::string(MIEN_BINARY_DIR) + "/score_table_test.csv";
  ASSERT_TRUE(write_scores(path, small_table()).ok());
  const auto table = read_scores(path);
  ASSERT_TRUE(table.ok()) << table.error().to_string();
  EXPECT_EQ(table->clips.size(), 3U);
  EXPECT_EQ(read_scores(path + ".none").error().code, ErrorCode::kNotFound);
}

TEST(ConfusionOf, CountsTruthAndAnswer) {
  const ScoreTable table = small_table();
  const auto matrix = confusion_of(table.clips, 2);
  ASSERT_TRUE(matrix.ok());
  EXPECT_EQ(matrix->count(0, 0), 1);
  EXPECT_EQ(matrix->count(1, 0), 1);
  EXPECT_EQ(matrix->count(1, 1), 1);
  EXPECT_EQ(matrix->total(), 3);
  EXPECT_EQ(confusion_of(table.clips, 3).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace mien::report
