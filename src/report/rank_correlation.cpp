#include "report/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>

namespace mien::report {
namespace {

bool has_nan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

}  // namespace

std::vector<double> mean_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t k) { return values[i] < values[k]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first + 1;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    // They take up the ranks first + 1 ... end.
    const double shared = static_cast<double>(first + 1 + end) / 2.0;
    for (std::size_t at = first; at < end; ++at) ranks[order[at]] = shared;
    first = end;
  }
  return ranks;
}

Result<double> spearman_rho(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    return make_error(ErrorCode::kInvalidArgument, "lists of " + std::to_string(a.size()) +
                                                       " and " + std::to_string(b.size()) +
                                                       " values have no rank correlation");
  }
  if (a.size() < 2) {
    return make_error(ErrorCode::kInvalidArgument, "a rank correlation needs two pairs or more");
  }
  if (has_nan(a) || has_nan(b)) {
    return make_error(ErrorCode::kInvalidArgument, "NaN has no rank");
  }
  const std::vector<double> ranks_a = mean_ranks(a);
  const std::vector<double> ranks_b = mean_ranks(b);
  // Sharing ranks does not change their mean.
  const double mean = static_cast<double>(a.size() + 1) / 2.0;
  double products = 0.0;
  double squares_a = 0.0;
  double squares_b = 0.0;
  for (std::size_t i = 0; i < ranks_a.size(); ++i) {
    const double from_a = ranks_a[i] - mean;
    const double from_b = ranks_b[i] - mean;
    products += from_a * from_b;
    squares_a += from_a * from_a;
    squares_b += from_b * from_b;
  }
  if (squares_a == 0.0 || squares_b == 0.0) return std::numeric_limits<double>::quiet_NaN();
  // One root of the product: of two equal squares it is the square itself, and the same order gives
  // 1, not nearly 1.
  return std::clamp(products / std::sqrt(squares_a * squares_b), -1.0, 1.0);
}

}  // namespace mien::report
