#include "reference_adatosk.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reference_videomae.h"

namespace mien::test {
namespace {

using core::TensorMap;

double dot(const Row& a, const Row& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double cosine(const Row& a, const Row& b) {
  return dot(a, b) / std::max(std::sqrt(dot(a, a) * dot(b, b)), 1e-6);
}

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

double mean_of(const Row& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

Row mean_row(const Rows& rows) {
  Row mean(rows[0].size());
  for (const Row& row : rows) add(mean, row);
  for (double& v : mean) v /= static_cast<double>(rows.size());
  return mean;
}

Row standardised(Row x) {
  const double mean = mean_of(x);
  double variance = 0.0;
  for (const double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
  for (double& v : x) v = (v - mean) / std::sqrt(variance + 0.01 * 0.01);
  return x;
}

Row softmax(Row x) {
  double sum = 0.0;
  for (double& v : x) sum += v = std::exp(v);
  for (double& v : x) v /= sum;
  return x;
}

// Positive parameters are kept as what softplus raises.
double raised(const TensorMap& t, const std::string& name) {
  return std::log1p(std::exp(values(t, name)[0]));
}

// The first slot's is the mean of the others'.
void fill_first(Row& by_slot) {
  if (by_slot.size() > 1) by_slot[0] = mean_of(Row(by_slot.begin() + 1, by_slot.end()));
}

Rows rows_of(const TensorMap& t, const std::string& name) {
  const Row all = values(t, name);
  const auto count = static_cast<std::size_t>(t.at(name).shape[0]);
  const std::size_t width = all.size() / count;
  Rows rows;
  for (std::size_t r = 0; r < count; ++r) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(r * width);
    rows.emplace_back(first, first + static_cast<std::ptrdiff_t>(width));
  }
  return rows;
}

// What the formulas speak of.
struct Terms {
  std::size_t slots = 0;
  std::size_t places = 0;
  Rows zn, y;
  Rows means;       // M
  Rows prototypes;  // w
};

Terms terms_of(const core::AdaToskConfig& c, const TensorMap& t, const Rows& tokens) {
  Terms m;
  m.slots = z(c.vit.slots());
  m.places = tokens.size() / m.slots;
  const Rows slot_mean = rows_of(t, "mask.slot_mean");
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    m.zn.push_back(norm(t, "mask.norm", 1e-6, tokens[i]));
    m.y.push_back(m.zn.back());
    for (std::size_t k = 0; k < m.y[i].size(); ++k) m.y[i][k] -= slot_mean[i / m.places][k];
  }
  for (std::size_t s = 0; s < m.slots; ++s) {
    const auto first = m.y.begin() + static_cast<std::ptrdiff_t>(s * m.places);
    m.means.push_back(mean_row(Rows(first, first + static_cast<std::ptrdiff_t>(m.places))));
  }
  m.prototypes = rows_of(t, "aux_head.weight");
  const Row middle = mean_row(m.prototypes);
  for (Row& row : m.prototypes) {
    for (std::size_t k = 0; k < row.size(); ++k) row[k] -= middle[k];
  }
  return m;
}

// softplus(scale) std'ise(score - softplus(repeat) repetition) + offset, through the sigmoid.
Row factor(const TensorMap& t, const std::string& name, Row score, const Row& repetition) {
  const std::size_t places = score.size() / repetition.size();
  for (std::size_t i = 0; i < score.size(); ++i) {
    score[i] -= raised(t, name + ".repeat") * repetition[i / places];
  }
  Row out = standardised(score);
  for (double& v : out) {
    v = sigmoid(raised(t, name + ".scale") * v + values(t, name + ".offset")[0]);
  }
  return out;
}

// What a place shows beside what it shows all the time: h.
Row moved_of(const Terms& m, std::size_t token) {
  Rows shown;
  for (std::size_t j = token % m.places; j < m.y.size(); j += m.places) shown.push_back(m.y[j]);
  Row moved = m.y[token];
  const Row always = mean_row(shown);
  for (std::size_t k = 0; k < moved.size(); ++k) moved[k] -= always[k];
  return moved;
}

// r.
double shown(const TensorMap& t, const Row& y) {
  Row hidden = linear(t, "mask.agnostic.hidden", y);
  for (double& v : hidden) v = std::max(v, 0.0);
  return dot(hidden, values(t, "mask.agnostic.readout"));
}

// r_s,p of a token, which lies between others of its place.
double lasting(const TensorMap& t, const Terms& m, std::size_t token) {
  Row values = {shown(t, m.y[token]), shown(t, m.y[token])};
  if (token >= m.places) values.push_back(shown(t, m.y[token - m.places]));
  if (token + m.places < m.y.size()) values.push_back(shown(t, m.y[token + m.places]));
  return mean_of(values);
}

// Its mean over the slots at a token's place.
double mean_lasting(const TensorMap& t, const Terms& m, std::size_t token) {
  Row all;
  for (std::size_t j = token % m.places; j < m.y.size(); j += m.places) {
    all.push_back(lasting(t, m, j));
  }
  return mean_of(all);
}

Row agnostic_factor(const core::AdaToskConfig& c, const TensorMap& t, const Terms& m) {
  Row change(m.y.size());
  for (std::size_t i = 0; i < change.size(); ++i) {
    Row found;
    if (i >= m.places) found.push_back((1.0 - cosine(m.y[i], m.y[i - m.places])) / 2.0);
    if (i + m.places < m.y.size()) {
      found.push_back((1.0 - cosine(m.y[i], m.y[i + m.places])) / 2.0);
    }
    change[i] = found.empty() ? 0.0 : mean_of(found);
    if (c.agnostic_hidden > 0) change[i] += lasting(t, m, i) - mean_lasting(t, m, i);
  }
  Row resemblance(m.y.size(), 1.0);
  for (std::size_t i = m.places; i < resemblance.size(); ++i) {
    Rows past;
    for (std::size_t j = i % m.places; j < i; j += m.places) past.push_back(m.y[j]);
    resemblance[i] = cosine(m.y[i], mean_row(past));
  }
  return factor(t, "mask.agnostic", change, resemblance);
}

Row auxiliary(const TensorMap& t, const Terms& m, const Row& agnostic) {
  Row pooled(m.zn[0].size());
  double total = 0.0;
  for (std::size_t i = 0; i < m.zn.size(); ++i) {
    const double g = agnostic.empty() ? 1.0 : agnostic[i];
    total += g;
    for (std::size_t k = 0; k < pooled.size(); ++k) pooled[k] += g * m.zn[i][k];
  }
  for (double& v : pooled) v /= total;
  return linear(t, "aux_head", pooled);
}

Row semantic_factor(const core::AdaToskConfig& config, const TensorMap& t, const Terms& m,
                    const Row& aux_logits) {
  Row belief = softmax(aux_logits);
  if (config.background >= 0) {
    belief[z(config.background)] = 0.0;
    const double rest = std::accumulate(belief.begin(), belief.end(), 0.0);
    for (double& v : belief) v /= rest;
  }
  Row relevance(m.y.size());
  Row keep(m.slots);
  for (std::size_t i = 0; i < relevance.size(); ++i) {
    const Row moved = moved_of(m, i);
    const double length =
        std::max(std::sqrt(dot(moved, moved)), 0.1 * std::sqrt(dot(m.y[i], m.y[i])));
    for (std::size_t c = 0; c < belief.size(); ++c) {
      const Row& w = m.prototypes[c];
      relevance[i] += belief[c] * dot(moved, w) / std::max(length * std::sqrt(dot(w, w)), 1e-6);
    }
    keep[i / m.places] += relevance[i] / static_cast<double>(m.places);
  }
  keep = standardised(keep);
  for (double& v : keep) v = sigmoid(v);
  Rows profiles;
  for (const Row& mean : m.means) {
    Row profile;
    for (const Row& w : m.prototypes) {
      profile.push_back(raised(t, "mask.semantic.sharpness") * cosine(mean, w));
    }
    profiles.push_back(softmax(profile));
  }
  Row redundancy(m.slots);
  for (std::size_t s = 1; s < m.slots; ++s) {
    Row seen(belief.size());
    double total = 0.0;
    for (std::size_t u = 0; u < s; ++u) {
      total += keep[u];
      for (std::size_t c = 0; c < seen.size(); ++c) seen[c] += keep[u] * profiles[u][c];
    }
    for (double& v : seen) v /= total;
    redundancy[s] = cosine(profiles[s], seen);
  }
  fill_first(redundancy);
  return factor(t, "mask.semantic", relevance, redundancy);
}

Rows embed_stem(const core::AdaToskConfig& c, const TensorMap& t,
                const std::vector<Planes>& pictures) {
  Rows tokens;
  for (int slot = 0; slot < c.vit.slots(); ++slot) {
    Planes stacked{c.stem_channels(), c.vit.img_size, {}};
    for (int f = 0; f < c.vit.tubelet_size; ++f) {
      const Planes& picture = pictures[z(slot * c.vit.tubelet_size + f)];
      const auto size = static_cast<std::ptrdiff_t>(c.vit.in_chans) * picture.side * picture.side;
      stacked.values.insert(stacked.values.end(), picture.values.begin(),
                            picture.values.begin() + size);
    }
    const Planes map = reference_stem(c.stem, t, stacked);
    for (int place = 0; place < map.side * map.side; ++place) {
      Row column;
      for (int ch = 0; ch < map.channels; ++ch) {
        column.push_back(map.at(ch, place / map.side, place % map.side));
      }
      tokens.push_back(linear(t, "patch_embed.proj", column));
    }
  }
  return tokens;
}

// The tokens that leave the gate, of pictures that are a sequence: a clip, or a slot alone.
Rows to_gate(const core::AdaToskConfig& c, const TensorMap& t,
             const std::vector<Planes>& pictures) {
  core::AdaToskConfig sequence = c;
  sequence.vit.num_frames = static_cast<int>(pictures.size());
  Rows x;
  if (c.stem.empty()) {
    x = reference_videomae_tokens(sequence.vit, t, pictures);
  } else {
    x = embed_stem(sequence, t, pictures);
    reference_positions(x);
  }
  for (int i = 0; i < c.gate; ++i) reference_videomae_block(t, i, c.vit.num_heads, x);
  return x;
}

}  // namespace

ReferenceAdaTosk reference_adatosk_gate(const core::AdaToskConfig& c, const TensorMap& t,
                                        const std::vector<Planes>& pictures) {
  ReferenceAdaTosk clip;
  const std::ptrdiff_t length = c.slotwise ? c.vit.tubelet_size : c.vit.num_frames;
  for (auto from = pictures.begin(); from != pictures.end(); from += length) {
    const Rows part = to_gate(c, t, {from, from + length});
    clip.gate.insert(clip.gate.end(), part.begin(), part.end());
  }
  clip.log_mask.assign(clip.gate.size(), 0.0);
  if (!c.agnostic && !c.semantic) return clip;
  const Terms m = terms_of(c, t, clip.gate);
  if (c.agnostic) clip.agnostic = agnostic_factor(c, t, m);
  clip.aux_logits = auxiliary(t, m, clip.agnostic);
  if (c.semantic) clip.semantic = semantic_factor(c, t, m, clip.aux_logits);
  for (const Row* part : {&clip.agnostic, &clip.semantic}) {
    for (std::size_t i = 0; i < part->size(); ++i) clip.log_mask[i] += std::log((*part)[i]);
  }
  return clip;
}

std::vector<std::size_t> reference_kept(const Row& log_mask, double budget) {
  const double exact = budget * static_cast<double>(log_mask.size());
  const auto count = static_cast<std::size_t>(std::max(1.0, std::ceil(exact - 1e-9)));
  std::vector<std::size_t> order(log_mask.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return log_mask[a] > log_mask[b]; });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

void reference_adatosk_tail(const core::AdaToskConfig& c, const TensorMap& t,
                            const std::vector<std::size_t>& kept, ReferenceAdaTosk& clip) {
  clip.kept = kept;
  Rows slots(z(c.vit.slots()), Row(z(c.vit.embed_dim)));
  if (c.slotwise) reference_positions(slots);
  Rows x;
  Row bias;
  for (const std::size_t token : kept) {
    x.push_back(clip.gate[token]);
    const Row& slot = slots[token / (clip.gate.size() / slots.size())];
    for (std::size_t k = 0; k < slot.size(); ++k) x.back()[k] += slot[k];
    bias.push_back(clip.log_mask[token]);
  }
  for (int i = c.gate; i < c.vit.depth; ++i) {
    reference_videomae_block(t, i, c.vit.num_heads, x, bias);
  }
  Row mean(x[0].size());
  double total = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    total += std::exp(bias[i]);
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += std::exp(bias[i]) * x[i][k];
  }
  for (double& v : mean) v /= total;
  clip.logits = linear(t, "head", norm(t, "fc_norm", 1e-6, mean));
}

}  // namespace mien::test
