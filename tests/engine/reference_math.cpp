#include "reference_math.h"

#include <cmath>

namespace mien::test {

using core::TensorMap;

Row values(const TensorMap& tensors, const std::string& name) {
  const auto span = tensors.at(name).as<float>();
  return {span.begin(), span.end()};
}

Row linear(const TensorMap& t, const std::string& name, const Row& x) {
  const auto w = t.at(name + ".weight").as<float>();
  const std::size_t out = w.size() / x.size();
  Row y(out);
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[o] += static_cast<double>(w[o * x.size() + i]) * x[i];
    }
  }
  if (const auto it = t.find(name + ".bias"); it != t.end()) {
    for (std::size_t o = 0; o < out; ++o) y[o] += static_cast<double>(it->second.as<float>()[o]);
  }
  return y;
}

Row norm(const TensorMap& t, const std::string& name, double eps, const Row& x) {
  const Row gamma = values(t, name + ".weight");
  const Row beta = values(t, name + ".bias");
  double mean = 0.0;
  double var = 0.0;
  for (const double v : x) mean += v / static_cast<double>(x.size());
  for (const double v : x) var += (v - mean) * (v - mean) / static_cast<double>(x.size());
  Row y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = (x[i] - mean) / std::sqrt(var + eps) * gamma[i] + beta[i];
  }
  return y;
}

Row gelu(Row x) {
  for (double& v : x) v = 0.5 * v * (1.0 + std::erf(v / std::sqrt(2.0)));
  return x;
}

void add(Row& x, const Row& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

Rows attention(const Rows& qkv, std::size_t heads, const Row& key_bias) {
  const std::size_t n = qkv.size();
  const std::size_t width = qkv[0].size() / 3;
  const std::size_t size = width / heads;
  Rows out(n, Row(width));
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t i = 0; i < n; ++i) {
      Row p(n);
      double sum = 0.0;
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t d = 0; d < size; ++d) {
          p[j] += qkv[i][h * size + d] * qkv[j][width + h * size + d];
        }
        const double bias = key_bias.empty() ? 0.0 : key_bias[j];
        p[j] = std::exp(p[j] / std::sqrt(static_cast<double>(size)) + bias);
        sum += p[j];
      }
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t d = 0; d < size; ++d) {
          out[i][h * size + d] += p[j] / sum * qkv[j][2 * width + h * size + d];
        }
      }
    }
  }
  return out;
}

}  // namespace mien::test
