#include "report/interval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace mien::report {
namespace {

constexpr std::int64_t kMaxDraws = std::int64_t{1} << 26;  // clips of a fold; 32 bits per clip

// The cell (truth * classes + predicted) of every clip of a matrix.
std::vector<std::uint32_t> cells_of(const ConfusionMatrix& matrix) {
  std::vector<std::uint32_t> cells;
  cells.reserve(static_cast<std::size_t>(matrix.total()));
  for (std::size_t t = 0; t < matrix.classes(); ++t) {
    for (std::size_t p = 0; p < matrix.classes(); ++p) {
      cells.insert(cells.end(), static_cast<std::size_t>(matrix.count(t, p)),
                   static_cast<std::uint32_t>(t * matrix.classes() + p));
    }
  }
  return cells;
}

ConfusionMatrix resample(const std::vector<std::uint32_t>& cells, std::size_t classes,
                         core::Rng& rng) {
  std::vector<std::int64_t> counts(classes * classes, 0);
  for (std::size_t i = 0; i < cells.size(); ++i) ++counts[cells[rng.below(cells.size())]];
  ConfusionMatrix matrix(classes);
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    // Cannot fail: every cell is one of the matrix.
    (void)matrix.add(cell / classes, cell % classes, counts[cell]);
  }
  return matrix;
}

// The value below which a share `at` of the sorted values lies, linear between neighbours.
double quantile(const std::vector<double>& sorted, double at) {
  const double place = at * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

Interval percentile_interval(std::vector<double> values, double level) {
  std::sort(values.begin(), values.end());
  const double tail = 0.5 * (1.0 - std::clamp(level, 0.0, 1.0));
  return {quantile(values, tail), quantile(values, 1.0 - tail)};
}

}  // namespace

Interval wilson_interval(std::int64_t right, std::int64_t n, double z) {
  if (n <= 0) return {0.0, 1.0};
  const auto count = static_cast<double>(n);
  const double share = static_cast<double>(std::clamp<std::int64_t>(right, 0, n)) / count;
  const double z2 = z * z;
  const double middle = (share + z2 / (2.0 * count)) / (1.0 + z2 / count);
  const double half = z / (1.0 + z2 / count) *
                      std::sqrt(share * (1.0 - share) / count + z2 / (4.0 * count * count));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

RateIntervals bootstrap_intervals(std::span<const ConfusionMatrix> folds,
                                  const BootstrapOptions& options) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const Interval unknown{kNan, kNan};
  std::vector<std::vector<std::uint32_t>> cells;
  for (const ConfusionMatrix& fold : folds) {
    if (fold.total() == 0 || fold.total() > kMaxDraws) return {unknown, unknown, unknown};
    cells.push_back(cells_of(fold));
  }
  if (cells.empty()) return {unknown, unknown, unknown};
  const auto replicates = static_cast<std::size_t>(std::max(options.replicates, 1));
  std::vector<double> war(replicates, 0.0);
  std::vector<double> uar(replicates, 0.0);
  std::vector<double> macro_f1(replicates, 0.0);
  core::Rng rng(options.seed);
  const auto share = 1.0 / static_cast<double>(folds.size());
  for (std::size_t r = 0; r < replicates; ++r) {
    for (std::size_t f = 0; f < folds.size(); ++f) {
      const ConfusionMatrix drawn = resample(cells[f], folds[f].classes(), rng);
      war[r] += share * drawn.war();
      uar[r] += share * drawn.uar();
      macro_f1[r] += share * drawn.macro_f1();
    }
  }
  return {percentile_interval(std::move(war), options.level),
          percentile_interval(std::move(uar), options.level),
          percentile_interval(std::move(macro_f1), options.level)};
}

}  // namespace mien::report
