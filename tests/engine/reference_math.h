// The arithmetic of the slow reference models: in double, one loop per sum.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace mien::test {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

inline std::size_t z(int n) {
  return static_cast<std::size_t>(n);
}

// A tensor's elements.
Row values(const core::TensorMap& tensors, const std::string& name);

// <name>.weight x + <name>.bias, if there is one. Sizes behind the first are flattened.
Row linear(const core::TensorMap& tensors, const std::string& name, const Row& x);

// LayerNorm by <name>.weight and <name>.bias.
Row norm(const core::TensorMap& tensors, const std::string& name, double eps, const Row& x);

Row gelu(Row x);

void add(Row& x, const Row& y);

// Multi-head attention of rows that came from a qkv layer. `key_bias` is added to the scores of
// each key; empty: nothing is.
Rows attention(const Rows& qkv, std::size_t heads, const Row& key_bias = {});

}  // namespace mien::test
