// Whether two lists of figures order things alike.
#pragma once

#include <span>
#include <vector>

#include "mien/result.hpp"

namespace mien::report {

// The ranks of the values, from 1 for the least; equal values share the mean of the ranks that they
// take up together: {10, 20, 20, 5} gives {2, 3.5, 3.5, 1}. Infinities have their place in the
// order; NaN has none, and the ranks mean nothing when there is one.
std::vector<double> mean_ranks(std::span<const double> values);

// Spearman's rho: the correlation (Pearson) of the mean ranks, which is right with ties too, unlike
// the formula 1 - 6 sum d^2 / (n (n^2 - 1)). Within -1..1; NaN when all values of a list are equal,
// since it then orders nothing. Takes time n log n. Errors kInvalidArgument: lists of different
// lengths, fewer than two pairs, a NaN.
Result<double> spearman_rho(std::span<const double> a, std::span<const double> b);

}  // namespace mien::report
