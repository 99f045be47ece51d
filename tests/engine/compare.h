// Comparing tensors: the worst relative error of a tensor and where it is.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "core/tensor.h"

namespace mien::test {

// max |a - b| / max |b| over a tensor; infinity when the shapes differ or a value is not finite.
struct Difference {
  double relative = 0.0;
  std::size_t index = 0;
  double got = 0.0;
  double wanted = 0.0;
};

inline Difference difference(std::span<const float> got, std::span<const float> wanted) {
  Difference worst;
  if (got.size() != wanted.size()) {
    worst.relative = std::numeric_limits<double>::infinity();
    return worst;
  }
  double largest = 0.0;
  double error = -1.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double g = static_cast<double>(got[i]);
    const double w = static_cast<double>(wanted[i]);
    largest = std::max(largest, std::abs(w));
    const double e = std::isfinite(g) ? std::abs(g - w) : std::numeric_limits<double>::infinity();
    if (e > error) {
      error = e;
      worst = {0.0, i, g, w};
    }
  }
  worst.relative = got.empty() ? 0.0 : error / std::max(largest, 1e-30);
  return worst;
}

// Expects `got` within `tolerance` of `wanted`; returns the relative error.
inline double expect_close(const std::string& name, const core::TensorView& got,
                           const core::TensorView& wanted, double tolerance) {
  EXPECT_EQ(core::shape_string(got.shape), core::shape_string(wanted.shape)) << name;
  const Difference d = difference(core::to_f32(got), core::to_f32(wanted));
  EXPECT_LE(d.relative, tolerance)
      << name << ": worst at " << d.index << ", got " << d.got << ", wanted " << d.wanted;
  return d.relative;
}

}  // namespace mien::test
