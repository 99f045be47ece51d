// The cheapest way to pair rows with columns. Inside this folder only.
#pragma once

#include <vector>

namespace mien::media {

// cost[r][c] for every row and column (a rectangle, each row of the same length). Returns per row
// the column paired with it, or -1. Pairs that cost more than `limit` are not made; of all ways the
// one with the most pairs below the limit weighed by cost: leaving a row alone costs `limit`.
std::vector<int> assign(const std::vector<std::vector<double>>& cost, double limit);

}  // namespace mien::media
