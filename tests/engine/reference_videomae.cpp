#include "reference_videomae.h"

#include <cmath>

namespace mien::test {
namespace {

using core::TensorMap;

// One cube of pixels in the order of the filters: channel, frame, row, column.
Row cut_cube(const core::VideoMaeConfig& c, const std::vector<Planes>& pictures, int slot, int y,
             int x) {
  Row cube;
  for (int ch = 0; ch < c.in_chans; ++ch) {
    for (int f = 0; f < c.tubelet_size; ++f) {
      for (int py = 0; py < c.patch_size; ++py) {
        for (int px = 0; px < c.patch_size; ++px) {
          cube.push_back(pictures[z(slot * c.tubelet_size + f)].at(ch, y * c.patch_size + py,
                                                                   x * c.patch_size + px));
        }
      }
    }
  }
  return cube;
}

// Queries and values have a bias, keys have none.
void add_biases(const TensorMap& t, const std::string& attn, Row& qkv) {
  if (!t.contains(attn + ".q_bias")) return;
  const Row q = values(t, attn + ".q_bias");
  const Row v = values(t, attn + ".v_bias");
  for (std::size_t i = 0; i < q.size(); ++i) {
    qkv[i] += q[i];
    qkv[2 * q.size() + i] += v[i];
  }
}

}  // namespace

Rows reference_videomae_tokens(const core::VideoMaeConfig& c, const TensorMap& t,
                               const std::vector<Planes>& pictures) {
  Rows tokens;
  for (int slot = 0; slot < c.slots(); ++slot) {
    for (int y = 0; y < c.grid(); ++y) {
      for (int x = 0; x < c.grid(); ++x) {
        tokens.push_back(linear(t, "patch_embed.proj", cut_cube(c, pictures, slot, y, x)));
      }
    }
  }
  reference_positions(tokens);
  return tokens;
}

void reference_positions(Rows& tokens) {
  for (std::size_t p = 0; p < tokens.size(); ++p) {
    Row& token = tokens[p];
    const auto width = static_cast<double>(token.size());
    for (std::size_t j = 0; j < token.size(); ++j) {
      const auto pair = static_cast<double>(j / 2);
      const double angle = static_cast<double>(p) / std::pow(10000.0, 2.0 * pair / width);
      token[j] += j % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  }
}

void reference_videomae_block(const TensorMap& t, int index, int heads, Rows& x,
                              const Row& key_bias) {
  const std::string name = "blocks." + std::to_string(index);
  Rows qkv;
  for (const Row& row : x) {
    qkv.push_back(linear(t, name + ".attn.qkv", norm(t, name + ".norm1", 1e-6, row)));
    add_biases(t, name + ".attn", qkv.back());
  }
  const Rows mixed = attention(qkv, z(heads), key_bias);
  for (std::size_t i = 0; i < x.size(); ++i) {
    add(x[i], linear(t, name + ".attn.proj", mixed[i]));
    add(x[i], linear(t, name + ".mlp.fc2",
                     gelu(linear(t, name + ".mlp.fc1", norm(t, name + ".norm2", 1e-6, x[i])))));
  }
}

std::vector<double> reference_videomae_logits(const core::VideoMaeConfig& c, const TensorMap& t,
                                              const std::vector<Planes>& pictures) {
  Rows x = reference_videomae_tokens(c, t, pictures);
  for (int i = 0; i < c.depth; ++i) reference_videomae_block(t, i, c.num_heads, x);
  Row mean(z(c.embed_dim));
  for (const Row& row : x) {
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] += row[i] / static_cast<double>(x.size());
    }
  }
  return linear(t, "head", norm(t, "fc_norm", 1e-6, mean));
}

}  // namespace mien::test
