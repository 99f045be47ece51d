#include "report/rank_correlation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mien::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

double rho(const std::vector<double>& a, const std::vector<double>& b) {
  const auto result = spearman_rho(a, b);
  EXPECT_TRUE(result.ok()) << result.error().to_string();
  return result.ok() ? *result : -9.0;
}

TEST(MeanRanks, EqualValuesShareTheMeanOfTheirRanks) {
  EXPECT_THAT(mean_ranks(std::vector<double>{10, 20, 20, 5}), ElementsAre(2, 3.5, 3.5, 1));
  EXPECT_THAT(mean_ranks(std::vector<double>{7, 7, 7}), ElementsAre(2, 2, 2));
  EXPECT_THAT(mean_ranks(std::vector<double>{-0.0, 0.0, -1}), ElementsAre(2.5, 2.5, 1));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(mean_ranks(std::vector<double>{infinity, 1, -infinity}), ElementsAre(3, 2, 1));
  EXPECT_TRUE(mean_ranks({}).empty());
}

// Without ties the textbook's formula holds: 1 - 6 sum d^2 / (n (n^2 - 1)).
TEST(SpearmanRho, HandWorkedWithoutTies) {
  // Ranks 1 2 3 4 5 and 2 1 4 3 5: d^2 = 1 1 1 1 0, rho = 1 - 24 / 120.
  EXPECT_NEAR(rho({1, 2, 3, 4, 5}, {20, 10, 40, 30, 50}), 0.8, 1e-15);
  // Ranks 1 2 3 and 2 3 1: d^2 = 1 1 4, rho = 1 - 36 / 24.
  EXPECT_NEAR(rho({0.1, 0.2, 0.3}, {5, 9, -4}), -0.5, 1e-15);
}

TEST(SpearmanRho, HandWorkedWithTies) {
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4, less 2.5: products 2.25 + 0 + 0 + 2.25 = 4.5, squares 4.5
  // and 5; rho = 4.5 / sqrt(22.5) = sqrt(0.9). (The formula without ties gives 0.95.)
  EXPECT_NEAR(rho({1, 2, 2, 3}, {1, 3, 2, 4}), std::sqrt(0.9), 1e-15);
  // Ranks 1.5, 1.5, 3.5, 3.5 and 1.5, 3.5, 1.5, 3.5: products 1 - 1 - 1 + 1.
  EXPECT_EQ(rho({0, 0, 1, 1}, {0, 1, 0, 1}), 0.0);
}

TEST(SpearmanRho, OnlyTheOrderCounts) {
  const std::vector<double> values = {0.3, -2, 11, 4, 4, 0.1};
  std::vector<double> cubes;
  std::vector<double> back;
  for (const double value : values) {
    cubes.push_back(value * value * value);
    back.push_back(-value);
  }
  EXPECT_DOUBLE_EQ(rho(values, cubes), 1.0);
  EXPECT_DOUBLE_EQ(rho(values, back), -1.0);
  const std::vector<double> other = {5, 1, 2, 2, 9, 3};
  EXPECT_EQ(rho(values, other), rho(other, values));
  EXPECT_EQ(rho(values, other), rho(cubes, other));
}

TEST(SpearmanRho, AConstantListOrdersNothing) {
  EXPECT_TRUE(std::isnan(rho({3, 3, 3}, {1, 2, 3})));
  EXPECT_TRUE(std::isnan(rho({1, 2, 3}, {3, 3, 3})));
}

TEST(SpearmanRho, RefusesWhatCannotBeRanked) {
  const auto message = [](const std::vector<double>& a, const std::vector<double>& b) {
    const auto result = spearman_rho(a, b);
    if (result.ok()) return std::string();
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    return result.error().to_string();
  };
  EXPECT_THAT(message({1, 2, 3}, {1, 2}), HasSubstr("lists of 3 and 2"));
  EXPECT_THAT(message({1}, {1}), HasSubstr("two pairs"));
  EXPECT_THAT(message({}, {}), HasSubstr("two pairs"));
  EXPECT_THAT(message({1, std::nan("")}, {1, 2}), HasSubstr("NaN"));
  EXPECT_THAT(message({1, 2}, {std::nan(""), 2}), HasSubstr("NaN"));
  EXPECT_EQ(message({1, 2}, {1, 2}), "");
}

}  // namespace
}  // namespace mien::report
