// AdaTosk's soft mask: how much each token of a clip counts (core/adatosk_spec.h has the formulas).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/adatosk_spec.h"
#include "engine/arena.h"
#include "engine/models/head.h"
#include "engine/models/vit_block.h"
#include "engine/tap.h"

namespace mien::engine {

// How the tokens of a clip lie: slot by slot, in a slot row by row.
struct MaskShape {
  std::size_t slots = 0;
  std::size_t grid = 0;  // tokens a side

  std::size_t places() const { return grid * grid; }
  std::size_t tokens() const { return slots * places(); }
};

// Immutable, shared by sessions.
struct SoftMaskWeights {
  // One factor of the mask. `scale` and `repeat` are behind their softplus.
  struct Factor {
    double scale = 0.0;
    double offset = 0.0;
    double repeat = 0.0;
  };

  MaskShape shape;
  NormWeights norm;
  std::vector<float> slot_mean;  // [S, D]
  Head aux_head;
  int background = -1;                   // the class that belief leaves out; -1: none
  std::vector<float> prototypes;         // w_c, [C, D]
  std::vector<float> prototype_lengths;  // [C]
  std::optional<Factor> agnostic;
  std::optional<Factor> semantic;
  std::vector<float> hidden;       // of the agnostic factor, [D, H]; empty without hidden units
  std::vector<float> hidden_bias;  // [H]
  std::vector<float> readout;      // [H]
  double sharpness = 0.0;          // behind its softplus

  // Of a config that masks().
  static SoftMaskWeights read(const TensorSource& source, const core::AdaToskConfig& config);

  std::size_t width() const { return norm.gamma.size(); }
};

// The mask of one clip at a time, in f32 with sums in double, in every precision. Bound to its
// place in the arena. run() neither allocates (but for a tap) nor fails.
class SoftMask {
 public:
  // `weights` outlive this. Throws std::bad_alloc.
  SoftMask(const SoftMaskWeights& weights, Arena& arena);

  // tokens: f32 [S * P, D], what leaves the last block before the gate; not changed. `tap` may be
  // null; it is given "mask.agnostic" and "mask.semantic" [1, S, g, g], each where the model has
  // that factor, and "aux_logits" [1, C].
  void run(const Arena& arena, const float* tokens, Tap* tap);

  // log m of that clip, [S * P], finite and at most 0, whatever the weights are.
  std::span<const float> log_mask() const { return log_mask_; }

 private:
  void find_change(const float* y);
  void take_resemblance(const float* y, float* past);
  void find_shown(const Arena& arena, const float* y);
  void add_lasting();
  void classify(const float* y, Tap* tap);
  void find_relevance(float* y, float* always);
  double relevance(const float* moved, float still) const;
  void take_redundancy();
  void profile_slot(std::size_t slot, double* profile) const;
  void apply(const SoftMaskWeights::Factor& factor, std::vector<double>& logs);
  void put(Tap* tap, const char* name, const std::vector<double>& logs) const;

  const SoftMaskWeights* weights_;
  Slot normed_;                                      // y, f32 [S * P, D]
  Slot past_;                                        // sums of y_u,p over slots u, f32 [P, D]
  Slot hidden_;                                      // f32 [S * P, H]; empty without hidden units
  std::vector<float> lengths_;                       // |y|, [S * P]
  std::vector<float> means_;                         // M, [S, D]
  std::vector<float> mean_lengths_;                  // [S]
  std::vector<double> scores_;                       // a, then b; [S * P]
  std::vector<double> shown_;                        // r(y), [S * P]; empty without hidden units
  std::vector<double> redundancy_;                   // d, [S]
  std::vector<double> log_agnostic_, log_semantic_;  // [S * P]; empty without the factor
  std::vector<float> gains_;                         // g up to a factor, [S * P]
  std::vector<float> pooled_, aux_logits_;           // [D], [C]
  std::vector<double> belief_;                       // [C]
  std::vector<double> keep_;                         // k, [S]
  std::vector<double> profile_, seen_;               // q, and sum k q of the slots before; [C]
  std::vector<float> log_mask_;
};

// weights[i] = exp(logs[i] - the largest): the masks up to a factor, not all of them 0.
void relative_weights(std::span<const float> logs, std::span<float> weights);

}  // namespace mien::engine
