// Tables of experiments: the figures by hand, the files read back, names that try to break them.
#include "report/sweep_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/csv.h"
#include "report/dots_svg.h"
#include "report/xml_check.h"

namespace mien::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

SweepResult result(const std::string& row, std::optional<std::int64_t> seed, double war) {
  SweepResult out;
  out.row = row;
  out.seed = seed;
  out.evaluation = "test";
  out.model = row + ".safetensors";
  out.evaluation_seconds = 3.0;
  out.figures = {{"n", 40.0}, {"war", war}, {"uar", war - 0.1}, {"macro_f1", 0.25}};
  return out;
}

// "base" measured once, "new" with three seeds, "none" not at all.
SweepTable table() {
  SweepTable out;
  out.title = "A title";
  out.rows = {"base", "new", "none"};
  out.evaluations = {"test"};
  out.baseline = "base";
  out.figures = {"mask.rho"};
  out.results = {result("base", std::nullopt, 0.50), result("new", 1, 0.52), result("new", 2, 0.56),
                 result("new", 3, 0.60)};
  for (std::size_t i = 1; i < out.results.size(); ++i) {
    out.results[i].training_seconds = 120.0;
    out.results[i].figures.emplace_back("mask.rho", 0.5 * static_cast<double>(i));
  }
  return out;
}

TEST(SweepTable, RowsThatAnEvaluationIsNotForAreNotListed) {
  SweepTable some = table();
  some.evaluations.push_back("other");
  some.left_out = {{"new", "other"}, {"none", "test"}};
  const std::string text = sweep_table_markdown(some);
  const std::size_t other = text.find("## other");
  ASSERT_NE(other, std::string::npos);
  EXPECT_NE(text.find("| new |"), std::string::npos);
  EXPECT_EQ(text.find("| new |", other), std::string::npos);
  EXPECT_GT(text.find("| none |"), other);
  EXPECT_NE(text.find("| base |", other), std::string::npos);
}

TEST(Summarise, MeanAndDeviationByHand) {
  // Mean 5, squares 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, over n - 1 = 7.
  const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
  const Summary summary = summarise(values);
  EXPECT_EQ(summary.n, 8U);
  EXPECT_DOUBLE_EQ(summary.mean, 5.0);
  EXPECT_DOUBLE_EQ(summary.deviation, std::sqrt(32.0 / 7.0));
  const std::vector<double> one = {3.5};
  EXPECT_DOUBLE_EQ(summarise(one).mean, 3.5);
  EXPECT_TRUE(std::isnan(summarise(one).deviation));
  EXPECT_EQ(summarise({}).n, 0U);
  EXPECT_TRUE(std::isnan(summarise({}).mean));
}

TEST(SweepTable, RatesAreKnownByTheirLastName) {
  EXPECT_TRUE(is_rate("war"));
  EXPECT_TRUE(is_rate("budgets[0.5].uar"));
  EXPECT_FALSE(is_rate("mask.rho"));
  EXPECT_FALSE(is_rate("warmth"));
}

TEST(SweepTable, ResultsCsvHasEveryFigure) {
  const auto csv = core::parse_csv(sweep_results_csv(table()), "results.csv");
  ASSERT_TRUE(csv.ok()) << csv.error().to_string();
  EXPECT_THAT(csv->header.names(),
              ElementsAre("row", "seed", "evaluation", "n", "war", "uar", "macro_f1",
                          "training_seconds", "evaluation_seconds", "model", "mask.rho"));
  ASSERT_EQ(csv->rows.size(), 4U);
  EXPECT_THAT(csv->rows[0].fields, ElementsAre("base", "", "test", "40", "0.500000", "0.400000",
                                               "0.250000", "", "3.000000", "base.safetensors", ""));
  EXPECT_EQ(csv->rows[3][1], "3");
  EXPECT_EQ(csv->rows[3][10], "1.500000");
}

TEST(SweepTable, MeansOverSeedsAndDifferences) {
  const auto csv = core::parse_csv(sweep_table_csv(table()), "table.csv");
  ASSERT_TRUE(csv.ok()) << csv.error().to_string();
  bool found = false;
  for (const core::CsvRecord& row : csv->rows) {
    EXPECT_NE(row[1], "none");
    if (row[1] != "new" || row[2] != "war") continue;
    found = true;
    // 0.52, 0.56, 0.60: mean 0.56, deviation 0.04.
    EXPECT_THAT(row.fields,
                ElementsAre("test", "new", "war", "3", "0.560000", "0.040000", "0.060000"));
  }
  EXPECT_TRUE(found);
  const std::string markdown = sweep_table_markdown(table());
  EXPECT_THAT(markdown,
              HasSubstr("| row | seeds | WAR % | UAR % | macro F1 % | mask.rho | to base, "
                        "points | training min |\n"));
  EXPECT_THAT(markdown, HasSubstr("| new | 3 | 56.00 \xC2\xB1 4.00 | 46.00 \xC2\xB1 4.00 | "
                                  "25.00 \xC2\xB1 0.00 | 1.000 \xC2\xB1 0.500 | +6.00 | 2.0 |\n"));
  EXPECT_THAT(markdown, HasSubstr("| base | 1 | 50.00 | 40.00 | 25.00 | \xE2\x80\x93 | "
                                  "\xE2\x80\x93 | \xE2\x80\x93 |\n"));
  EXPECT_THAT(markdown, HasSubstr("| none | 0 | \xE2\x80\x93 |"));
}

TEST(SweepTable, TheDrawingHasADotPerSeed) {
  const std::string svg = sweep_table_svg(table());
  EXPECT_EQ(XmlCheck::fault(svg), "");
  std::size_t dots = 0;
  for (std::size_t at = svg.find("<circle"); at != std::string::npos;
       at = svg.find("<circle", at + 1)) {
    ++dots;
  }
  EXPECT_EQ(dots, 4U);
  EXPECT_THAT(svg, HasSubstr("seed 3: 60.00"));
  EXPECT_THAT(svg, HasSubstr("56.0 \xC2\xB1 4.0"));
  EXPECT_THAT(svg, HasSubstr("none: none."));
}

TEST(SweepTable, NamesDoNotBreakTheFiles) {
  SweepTable hostile = table();
  hostile.title = "<script>alert(1)</script>";
  hostile.rows[1] = "a|b,\"c\"\n<d>";
  for (SweepResult& one : hostile.results) {
    if (one.row == "new") one.row = hostile.rows[1];
  }
  hostile.results[1].figures[1].second = std::nan("");
  const auto csv = core::parse_csv(sweep_results_csv(hostile), "results.csv");
  ASSERT_TRUE(csv.ok()) << csv.error().to_string();
  EXPECT_EQ(csv->rows[2][0], hostile.rows[1]);
  EXPECT_EQ(csv->rows[1][4], "");
  EXPECT_THAT(sweep_table_markdown(hostile), HasSubstr("| a\\|b,\"c\" <d> | 2 |"));
  const std::string svg = sweep_table_svg(hostile);
  EXPECT_EQ(XmlCheck::fault(svg), "");
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
}

TEST(DotsSvg, AnyValuesMakeADrawing) {
  const std::vector<std::vector<double>> many = {
      {}, {0.0}, {5.0, 5.0}, {-1e9, 1e9}, {std::nan(""), 1.0}, {1e-12, 2e-12}};
  for (const auto& values : many) {
    const std::vector<DotsGroup> groups = {
        {.title = "<g>", .rows = {{.name = "r&", .values = values}}}};
    const std::string svg = dots_svg(groups, {.title = "t", .x_title = "x"});
    EXPECT_EQ(XmlCheck::fault(svg), "");
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
  EXPECT_EQ(XmlCheck::fault(dots_svg({}, {.title = "empty"})), "");
}

}  // namespace
}  // namespace mien::report
