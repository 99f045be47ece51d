// core/adatosk_spec.h once more, in loops and double precision, for tests to hold the soft mask
// against.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace mien::learn::test {

using Row = std::vector<double>;

// A clip of S slots with P places each, as the mask sees it.
struct ReferenceClip {
  std::vector<Row> tokens;     // z, [S * P] rows of D
  std::vector<bool> there;     // [S * P]
  std::vector<Row> slot_mean;  // [S] rows of D
  std::size_t places = 1;
};

struct ReferenceMask {
  Row log_agnostic, log_semantic;  // [S * P]; what stands where no token is means nothing
  Row aux_logits;                  // [C]
};

// The parameters, by their names behind "mask.", and aux_head's.
struct ReferenceWeights {
  std::map<std::string, double> values;  // agnostic.scale, ...
  std::vector<Row> hidden_weight;        // of the agnostic factor, [H] rows of D; empty: none
  Row hidden_bias, readout;              // [H]
  Row norm_weight, norm_bias;
  std::vector<Row> aux_weight;  // [C] rows of D
  Row aux_bias;
  bool agnostic = true;
  bool semantic = true;
  int background = -1;
};

class MaskReference {
 public:
  MaskReference(const ReferenceClip& clip, const ReferenceWeights& weights)
      : clip_(clip), w_(weights), slots_(clip.tokens.size() / clip.places) {
    for (std::size_t i = 0; i < clip.tokens.size(); ++i) {
      normed_.push_back(layer_norm(clip.tokens[i]));
      y_.push_back(less(normed_.back(), clip.slot_mean[i / clip.places]));
    }
    for (std::size_t s = 0; s < slots_; ++s) {
      Row mean(clip.slot_mean[0].size(), 0.0);
      double count = 0.0;
      for (std::size_t p = 0; p < clip.places; ++p) {
        if (!here(s, p)) continue;
        count += 1.0;
        for (std::size_t d = 0; d < mean.size(); ++d) mean[d] += at(s, p)[d];
      }
      for (double& value : mean) value /= std::max(count, 1.0);
      mean_.push_back(mean);
      present_.push_back(count > 0.0);
    }
  }

  ReferenceMask run() const {
    ReferenceMask out;
    if (w_.agnostic) out.log_agnostic = log_factor("agnostic", agnostic());
    Row pooled(clip_.slot_mean[0].size(), 0.0);
    double total = 0.0;
    for (std::size_t i = 0; i < y_.size(); ++i) {
      if (!clip_.there[i]) continue;
      const double g = w_.agnostic ? std::exp(out.log_agnostic[i]) : 1.0;
      total += g;
      for (std::size_t d = 0; d < pooled.size(); ++d) pooled[d] += g * normed_[i][d];
    }
    for (std::size_t c = 0; c < w_.aux_weight.size(); ++c) {
      out.aux_logits.push_back(dot(pooled, w_.aux_weight[c]) / total + w_.aux_bias[c]);
    }
    if (w_.semantic) out.log_semantic = log_factor("semantic", semantic(out.aux_logits));
    return out;
  }

 private:
  static double dot(const Row& a, const Row& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }
  static double cosine(const Row& a, const Row& b) {
    return dot(a, b) / std::max(std::sqrt(dot(a, a)) * std::sqrt(dot(b, b)), 1e-6);
  }
  static double softplus(double x) { return std::log1p(std::exp(x)); }
  static Row less(const Row& a, const Row& b) {
    Row out = a;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] -= b[i];
    return out;
  }
  static Row softmax(const Row& x) {
    Row out;
    double sum = 0.0;
    const double most = *std::max_element(x.begin(), x.end());
    for (const double value : x) out.push_back(std::exp(value - most));
    for (const double value : out) sum += value;
    for (double& value : out) value /= sum;
    return out;
  }
  // Over the entries that count.
  static Row standardised(const Row& x, const std::vector<bool>& counts) {
    double count = 0.0;
    double mean = 0.0;
    double variance = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!counts[i]) continue;
      count += 1.0;
      mean += x[i];
    }
    mean /= count;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (counts[i]) variance += (x[i] - mean) * (x[i] - mean) / count;
    }
    Row out;
    for (const double value : x) out.push_back((value - mean) / std::sqrt(variance + 1e-4));
    return out;
  }

  bool here(std::size_t s, std::size_t p) const { return clip_.there[s * clip_.places + p]; }
  const Row& at(std::size_t s, std::size_t p) const { return y_[s * clip_.places + p]; }
  double parameter(const std::string& name) const { return w_.values.at(name); }

  Row layer_norm(const Row& x) const {
    double mean = 0.0;
    double variance = 0.0;
    const auto size = static_cast<double>(x.size());
    for (const double v : x) mean += v / size;
    for (const double v : x) variance += (v - mean) * (v - mean) / size;
    Row out;
    for (std::size_t i = 0; i < x.size(); ++i) {
      out.push_back((x[i] - mean) / std::sqrt(variance + 1e-6) * w_.norm_weight[i] +
                    w_.norm_bias[i]);
    }
    return out;
  }

  // The first slot that is there gets the mean of the others that are.
  Row with_first(Row x) const {
    std::size_t first = slots_;
    double sum = 0.0;
    double count = 0.0;
    for (std::size_t s = 0; s < slots_; ++s) {
      if (!present_[s]) continue;
      if (first == slots_) {
        first = s;
        continue;
      }
      sum += x[s];
      count += 1.0;
    }
    if (first < slots_) x[first] = count > 0.0 ? sum / count : 0.0;
    return x;
  }

  // Resemblance of a token to what its place has shown before.
  double resemblance(std::size_t s, std::size_t p) const {
    Row past(mean_[s].size(), 0.0);
    double count = 0.0;
    for (std::size_t u = 0; u < s; ++u) {
      if (!present_[u]) continue;
      const Row& shown = here(u, p) ? at(u, p) : mean_[u];
      for (std::size_t d = 0; d < past.size(); ++d) past[d] += shown[d];
      count += 1.0;
    }
    if (count == 0.0) return 1.0;
    for (double& v : past) v /= count;
    return cosine(at(s, p), past);
  }

  Row agnostic() const {
    Row out;
    for (std::size_t s = 0; s < slots_; ++s) {
      for (std::size_t p = 0; p < clip_.places; ++p) {
        double change = 0.0;
        double neighbours = 0.0;
        for (const std::size_t u : {s - 1, s + 1}) {  // s - 1 of 0 is beyond the last, too
          if (u >= slots_ || !present_[u]) continue;
          change += 0.5 * (1.0 - cosine(at(s, p), here(u, p) ? at(u, p) : mean_[u]));
          neighbours += 1.0;
        }
        change /= std::max(neighbours, 1.0);
        if (present_[s]) change += lasting(s, p) - mean_lasting(p);
        out.push_back(change - softplus(parameter("agnostic.repeat")) * resemblance(s, p));
      }
    }
    return out;
  }

  // r.
  double shown(const Row& y) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < w_.hidden_weight.size(); ++k) {
      sum += w_.readout[k] * std::max(dot(w_.hidden_weight[k], y) + w_.hidden_bias[k], 0.0);
    }
    return sum;
  }

  // r_s,p.
  double lasting(std::size_t s, std::size_t p) const {
    double sum = 0.0;
    double count = 0.0;
    for (std::size_t u = s == 0 ? 0 : s - 1; u <= std::min(s + 1, slots_ - 1); ++u) {
      if (!present_[u]) continue;
      const double weight = u == s ? 2.0 : 1.0;
      sum += weight * shown(here(u, p) ? at(u, p) : mean_[u]);
      count += weight;
    }
    return sum / count;
  }

  double mean_lasting(std::size_t p) const {
    double sum = 0.0;
    double count = 0.0;
    for (std::size_t s = 0; s < slots_; ++s) {
      if (!present_[s]) continue;
      sum += lasting(s, p);
      count += 1.0;
    }
    return sum / count;
  }

  // What a place shows in the mean over the clip.
  Row always(std::size_t p) const {
    Row mean(mean_[0].size(), 0.0);
    double count = 0.0;
    for (std::size_t u = 0; u < slots_; ++u) {
      if (!present_[u]) continue;
      const Row& shown = here(u, p) ? at(u, p) : mean_[u];
      for (std::size_t d = 0; d < mean.size(); ++d) mean[d] += shown[d];
      count += 1.0;
    }
    for (double& v : mean) v /= count;
    return mean;
  }

  Row semantic(const Row& aux_logits) const {
    const std::size_t classes = w_.aux_weight.size();
    std::vector<Row> prototypes = w_.aux_weight;
    for (std::size_t d = 0; d < prototypes[0].size(); ++d) {
      double mean = 0.0;
      for (const Row& row : w_.aux_weight) mean += row[d] / static_cast<double>(classes);
      for (Row& row : prototypes) row[d] -= mean;
    }
    Row belief = softmax(aux_logits);
    if (w_.background >= 0) {
      belief[static_cast<std::size_t>(w_.background)] = 0.0;
      double rest = 0.0;
      for (const double v : belief) rest += v;
      for (double& v : belief) v /= rest;
    }
    Row relevance;
    Row of_slot(slots_, 0.0);
    std::vector<Row> profiles;
    for (std::size_t s = 0; s < slots_; ++s) {
      double count = 0.0;
      for (std::size_t p = 0; p < clip_.places; ++p) {
        const Row moved = less(at(s, p), always(p));
        const double length =
            std::max(std::sqrt(dot(moved, moved)), 0.1 * std::sqrt(dot(at(s, p), at(s, p))));
        double sum = 0.0;
        for (std::size_t c = 0; c < classes; ++c) {
          const double lengths = length * std::sqrt(dot(prototypes[c], prototypes[c]));
          sum += belief[c] * dot(moved, prototypes[c]) / std::max(lengths, 1e-6);
        }
        relevance.push_back(sum);
        if (here(s, p)) of_slot[s] += sum;
        count += here(s, p) ? 1.0 : 0.0;
      }
      of_slot[s] /= std::max(count, 1.0);
      Row scores;
      for (std::size_t c = 0; c < classes; ++c) {
        scores.push_back(softplus(parameter("semantic.sharpness")) *
                         cosine(mean_[s], prototypes[c]));
      }
      profiles.push_back(softmax(scores));
    }
    const Row keep = standardised(of_slot, present_);
    Row redundancy(slots_, 0.0);
    for (std::size_t s = 0; s < slots_; ++s) {
      Row kept(classes, 0.0);
      double total = 0.0;
      for (std::size_t u = 0; u < s; ++u) {
        if (!present_[u]) continue;
        const double k = 1.0 / (1.0 + std::exp(-keep[u]));
        total += k;
        for (std::size_t c = 0; c < classes; ++c) kept[c] += k * profiles[u][c];
      }
      for (double& v : kept) v /= std::max(total, 1e-6);
      redundancy[s] = cosine(profiles[s], kept);
    }
    redundancy = with_first(redundancy);
    Row out;
    for (std::size_t i = 0; i < relevance.size(); ++i) {
      out.push_back(relevance[i] -
                    softplus(parameter("semantic.repeat")) * redundancy[i / clip_.places]);
    }
    return out;
  }

  Row log_factor(const std::string& name, const Row& measured) const {
    Row out = standardised(measured, clip_.there);
    for (double& v : out) {
      v = -std::log1p(
          std::exp(-(softplus(parameter(name + ".scale")) * v + parameter(name + ".offset"))));
    }
    return out;
  }

  const ReferenceClip& clip_;
  const ReferenceWeights& w_;
  std::size_t slots_;
  std::vector<Row> normed_, y_, mean_;
  std::vector<bool> present_;
};

}  // namespace mien::learn::test
