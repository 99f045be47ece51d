#include "reference_model.h"

#include <algorithm>
#include <cmath>

#include "core/mobilefacenet_spec.h"
#include "core/s2d_spec.h"
#include "reference_math.h"

namespace mien::test {
namespace {

using core::TensorMap;

enum class After { kNothing, kPrelu, kRelu };

Planes conv_block(const TensorMap& t, const std::string& prefix, const core::ConvBlockSpec& s,
                  After after, const Planes& in) {
  const std::string name = prefix + s.name;
  const Row w = values(t, name + ".conv.weight");
  const Row gamma = values(t, name + ".bn.weight");
  const Row beta = values(t, name + ".bn.bias");
  const Row mean = values(t, name + ".bn.running_mean");
  const Row var = values(t, name + ".bn.running_var");
  const int in_group = s.in / s.groups;
  Planes out{s.out, (in.side + 2 * s.padding - s.kernel) / s.stride + 1, {}};
  out.values.resize(z(out.channels * out.side * out.side));
  for (int o = 0; o < s.out; ++o) {
    const int first = o / (s.out / s.groups) * in_group;
    for (int y = 0; y < out.side; ++y) {
      for (int x = 0; x < out.side; ++x) {
        double sum = 0.0;
        for (int c = 0; c < in_group; ++c) {
          for (int ky = 0; ky < s.kernel; ++ky) {
            for (int kx = 0; kx < s.kernel; ++kx) {
              const int iy = y * s.stride + ky - s.padding;
              const int ix = x * s.stride + kx - s.padding;
              if (iy < 0 || ix < 0 || iy >= in.side || ix >= in.side) continue;
              sum += w[z(((o * in_group + c) * s.kernel + ky) * s.kernel + kx)] *
                     in.at(first + c, iy, ix);
            }
          }
        }
        double v = (sum - mean[z(o)]) / std::sqrt(var[z(o)] + 1e-5) * gamma[z(o)] + beta[z(o)];
        if (after == After::kRelu) v = std::max(v, 0.0);
        if (after == After::kPrelu && v < 0.0) v *= values(t, name + ".prelu.weight")[z(o)];
        out.at(o, y, x) = v;
      }
    }
  }
  return out;
}

// The state of a clip: patch tokens and landmark tokens by frame.
struct Clip {
  std::vector<Rows> tokens;  // without the class token
  std::vector<Rows> maps;
};

Rows patch_tokens(const core::S2DConfig& c, const TensorMap& t, const Planes& picture) {
  const Planes map = reference_stem(c.stem, t, picture);
  const int patch = c.stem.empty() ? c.patch_size : 1;
  Rows rows;
  for (int y = 0; y < c.grid(); ++y) {
    for (int x = 0; x < c.grid(); ++x) {
      Row cut;
      for (int ch = 0; ch < map.channels; ++ch) {
        for (int py = 0; py < patch; ++py) {
          for (int px = 0; px < patch; ++px)
            cut.push_back(map.at(ch, y * patch + py, x * patch + px));
        }
      }
      rows.push_back(linear(t, "patch_embed.proj", cut));
    }
  }
  return rows;
}

Rows map_tokens(const TensorMap& t, const Planes& map) {
  Rows rows;
  for (int p = 0; p < map.side * map.side; ++p) {
    Row row;
    for (int c = 0; c < map.channels; ++c)
      row.push_back(map.values[z(c * map.side * map.side + p)]);
    rows.push_back(linear(t, "patch_embed_prompt.proj", row));
  }
  return rows;
}

// The spatial prompt of one frame from its normed tokens.
Rows spatial_prompt(const TensorMap& t, const std::string& name, const Rows& x, const Rows& a) {
  Rows u, v;
  for (const Row& row : x) u.push_back(linear(t, name + ".conv0_0", row));
  for (const Row& row : a) v.push_back(linear(t, name + ".conv0_1", row));
  const double smooth = values(t, name + ".fovea.smooth")[0];
  for (std::size_t c = 0; c < u[0].size(); ++c) {
    double sum = 0.0;
    for (const Row& row : u) sum += std::exp(row[c] * smooth);
    for (Row& row : u) row[c] *= std::exp(row[c] * smooth) / sum;
  }
  Rows s;
  for (std::size_t p = 0; p < u.size(); ++p) {
    add(u[p], v[p]);
    s.push_back(linear(t, name + ".conv1x1", u[p]));
  }
  return s;
}

// The temporal term of one patch from its normed tokens over time.
Rows temporal_term(const TensorMap& t, const std::string& tma, const Rows& x) {
  Rows qkv;
  for (const Row& row : x) {
    qkv.push_back(
        linear(t, tma + ".T_Adapter.attn.qkv", gelu(linear(t, tma + ".T_Adapter.D_fc1", row))));
  }
  Rows out;
  for (const Row& row : attention(qkv, 8)) {
    const Row up =
        linear(t, tma + ".T_Adapter.D_fc2", linear(t, tma + ".T_Adapter.attn.proj", row));
    out.push_back(
        linear(t, tma + ".S_Adapter.D_fc2",
               gelu(linear(t, tma + ".S_Adapter.D_fc1", norm(t, tma + ".norm", 1e-5, up)))));
  }
  return out;
}

Rows normed(const TensorMap& t, int index, const Rows& x) {
  Rows out;
  for (const Row& row : x) {
    out.push_back(norm(t, "prompt_norms." + std::to_string(index), 1e-6, row));
  }
  return out;
}

void prompt(const core::S2DConfig& c, const TensorMap& t, int index, Clip& clip) {
  const std::string name = "prompt_blocks." + std::to_string(index);
  std::vector<Rows> x;
  for (const Rows& frame : clip.tokens) x.push_back(normed(t, std::max(0, index - 1), frame));
  for (std::size_t f = 0; f < x.size(); ++f) {
    clip.maps[f] = spatial_prompt(t, name, x[f], normed(t, 0, clip.maps[f]));
    for (std::size_t p = 0; p < x[f].size(); ++p) add(clip.tokens[f][p], clip.maps[f][p]);
  }
  if (!c.temporal) return;
  for (std::size_t p = 0; p < x[0].size(); ++p) {
    Rows over_time;
    for (const Rows& frame : x) over_time.push_back(frame[p]);
    const Rows m = temporal_term(t, name + ".TMA", over_time);
    for (std::size_t f = 0; f < x.size(); ++f) add(clip.tokens[f][p], m[f]);
  }
}

void block(const core::S2DConfig& c, const TensorMap& t, int index, Rows& x) {
  const std::string name = "blocks." + std::to_string(index);
  Rows qkv;
  for (const Row& row : x) {
    qkv.push_back(linear(t, name + ".attn.qkv", norm(t, name + ".norm1", 1e-6, row)));
  }
  const Rows mixed = attention(qkv, z(c.num_heads));
  for (std::size_t i = 0; i < x.size(); ++i) {
    add(x[i], linear(t, name + ".attn.proj", mixed[i]));
    add(x[i], linear(t, name + ".mlp.fc2",
                     gelu(linear(t, name + ".mlp.fc1", norm(t, name + ".norm2", 1e-6, x[i])))));
  }
}

}  // namespace

std::vector<Planes> reference_pictures(const core::ModelConfig& config,
                                       const std::vector<std::uint8_t>& rgb, int frames) {
  const int side = config.input_size();
  std::vector<Planes> pictures;
  for (int f = 0; f < frames; ++f) {
    Planes picture{3, side, Row(z(3 * side * side))};
    for (int i = 0; i < side * side; ++i) {
      const std::uint8_t* p = rgb.data() + z(f * side * side + i) * 3;
      const double luma = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
      for (std::size_t c = 0; c < 3; ++c) {
        const double v = (config.input.gray ? luma : p[c]) / 255.0;
        picture.values[c * z(side * side) + z(i)] =
            (v - static_cast<double>(config.input.mean[c])) /
            static_cast<double>(config.input.std[c]);
      }
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

Planes reference_trunk(const TensorMap& tensors, const std::string& prefix, const Planes& picture) {
  Planes map = picture;
  for (const core::MobileFaceNetStage& stage : core::mobilefacenet_trunk()) {
    for (const auto& conv : stage.convs)
      map = conv_block(tensors, prefix, conv, After::kPrelu, map);
    for (const auto& b : stage.bottlenecks) {
      Planes y = conv_block(tensors, prefix, b.conv(), After::kPrelu, map);
      y = conv_block(tensors, prefix, b.conv_dw(), After::kPrelu, y);
      y = conv_block(tensors, prefix, b.project(), After::kNothing, y);
      if (b.residual) add(y.values, map.values);
      map = std::move(y);
    }
  }
  return map;
}

Planes reference_stem(const std::vector<core::StemLayer>& stem, const TensorMap& tensors,
                      const Planes& picture) {
  Planes map = picture;
  for (std::size_t i = 0; i < stem.size(); ++i) {
    const core::ConvBlockSpec spec{.name = "patch_embed.stem." + std::to_string(i),
                                   .in = map.channels,
                                   .out = stem[i].channels,
                                   .kernel = 3,
                                   .stride = stem[i].stride,
                                   .padding = 1};
    map = conv_block(tensors, "", spec, After::kRelu, map);
  }
  return map;
}

Planes reference_resize(const Planes& in, int side) {
  Planes out{in.channels, side, Row(z(in.channels * side * side))};
  const double scale = side > 1 ? static_cast<double>(in.side - 1) / (side - 1) : 0.0;
  for (int c = 0; c < in.channels; ++c) {
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        const int y0 = static_cast<int>(y * scale);
        const int x0 = static_cast<int>(x * scale);
        const int y1 = std::min(y0 + 1, in.side - 1);
        const int x1 = std::min(x0 + 1, in.side - 1);
        const double fy = y * scale - y0;
        const double fx = x * scale - x0;
        out.at(c, y, x) = (1 - fy) * ((1 - fx) * in.at(c, y0, x0) + fx * in.at(c, y0, x1)) +
                          fy * ((1 - fx) * in.at(c, y1, x0) + fx * in.at(c, y1, x1));
      }
    }
  }
  return out;
}

std::vector<double> reference_logits(const core::S2DConfig& c, const TensorMap& t,
                                     const std::vector<Planes>& pictures,
                                     const std::vector<Planes>& maps) {
  Clip clip;
  for (const Planes& picture : pictures) clip.tokens.push_back(patch_tokens(c, t, picture));
  for (const Planes& map : maps) clip.maps.push_back(map_tokens(t, map));
  prompt(c, t, 0, clip);
  const Row position = values(t, "pos_embed");
  const auto place = [&](std::size_t token, std::size_t i) {
    return position[token * z(c.embed_dim) + i];
  };
  Rows cls(pictures.size(), values(t, "cls_token"));
  for (std::size_t f = 0; f < pictures.size(); ++f) {
    for (std::size_t i = 0; i < z(c.embed_dim); ++i) {
      const double time =
          c.temporal ? values(t, "temporal_embedding")[f * z(c.embed_dim) + i] : 0.0;
      cls[f][i] += place(0, i) + time;
      for (std::size_t p = 0; p < clip.tokens[f].size(); ++p) {
        clip.tokens[f][p][i] += place(p + 1, i) + time;
      }
    }
  }
  for (int i = 0; i < c.depth; ++i) {
    if (i > 0 && c.deep_prompt) prompt(c, t, i, clip);
    for (std::size_t f = 0; f < pictures.size(); ++f) {
      Rows x = clip.tokens[f];
      x.insert(x.begin(), cls[f]);
      block(c, t, i, x);
      cls[f] = x[0];
      clip.tokens[f].assign(x.begin() + 1, x.end());
    }
  }
  Row mean(z(c.embed_dim));
  for (const Row& row : cls) {
    const Row y = norm(t, "ln_post", 1e-6, row);
    for (std::size_t i = 0; i < y.size(); ++i) mean[i] += y[i] / static_cast<double>(cls.size());
  }
  return linear(t, "head.fc_cls", mean);
}

}  // namespace mien::test
