#include "media/assignment.h"

#include <algorithm>
#include <limits>

namespace mien::media {
namespace {

// The Hungarian method with potentials on a square matrix (Kuhn 1955; the O(n^3) form by shortest
// augmenting paths, Jonker and Volgenant 1987). Returns the row paired with every column.
std::vector<int> solve_square(const std::vector<std::vector<double>>& cost) {
  const int n = static_cast<int>(cost.size());
  std::vector<double> row_price(n + 1, 0.0);
  std::vector<double> column_price(n + 1, 0.0);
  std::vector<int> row_of(n + 1, 0);  // 1-based; column 0 holds the row being placed
  std::vector<int> came_from(n + 1, 0);
  for (int row = 1; row <= n; ++row) {
    row_of[0] = row;
    int column = 0;
    std::vector<double> slack(n + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> used(n + 1, false);
    do {
      used[column] = true;
      const int r = row_of[column];
      double least = std::numeric_limits<double>::infinity();
      int next = 0;
      for (int c = 1; c <= n; ++c) {
        if (used[c]) continue;
        const double reduced = cost[r - 1][c - 1] - row_price[r] - column_price[c];
        if (reduced < slack[c]) {
          slack[c] = reduced;
          came_from[c] = column;
        }
        if (slack[c] < least) {
          least = slack[c];
          next = c;
        }
      }
      for (int c = 0; c <= n; ++c) {
        if (used[c]) {
          row_price[row_of[c]] += least;
          column_price[c] -= least;
        } else {
          slack[c] -= least;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    while (column != 0) {
      row_of[column] = row_of[came_from[column]];
      column = came_from[column];
    }
  }
  std::vector<int> out(n);
  for (int c = 1; c <= n; ++c) out[c - 1] = row_of[c] - 1;
  return out;
}

}  // namespace

std::vector<int> assign(const std::vector<std::vector<double>>& cost, double limit) {
  const int rows = static_cast<int>(cost.size());
  const int columns = rows > 0 ? static_cast<int>(cost[0].size()) : 0;
  std::vector<int> out(rows, -1);
  if (columns == 0) return out;
  // Every row gets a dummy column of its own at the price of being left alone, so that a dear pair
  // is never forced; dummy rows fill the square.
  const int n = rows + columns;
  std::vector<std::vector<double>> square(n, std::vector<double>(n, 0.0));
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < n; ++c) square[r][c] = c < columns ? std::min(cost[r][c], 1e6) : limit;
  }
  const std::vector<int> row_of = solve_square(square);
  for (int c = 0; c < columns; ++c) {
    const int r = row_of[c];
    if (r < rows && cost[r][c] <= limit) out[r] = c;
  }
  return out;
}

}  // namespace mien::media
