// How AdaTosk is trained: [adatosk] of a config, beside what its model is.
#pragma once

#include "learn/losses/cube_targets.h"
#include "learn/models/hard_mask.h"

namespace mien::learn {

// loss = cls_weight * CE + aux_weight * CE of the mask's own logits
//      + budget_weight * (mean m - budget)^2 + rec_weight * reconstruction
// where m is the soft mask over the batch's visible tokens, budget that of the model's config, and
// both cross-entropies are against the batch's soft targets. The three stages:
//   self-supervised  cls_weight 0: no soft mask, no labels needed; hard_ratio and rec_weight above
//   0 joint            all of it fine-tuning      hard_ratio 0 and rec_weight 0
struct AdaToskTraining {
  HardMaskKind hard_mask = HardMaskKind::kTube;
  double hard_ratio = 0.0;   // share of the tokens hidden while training; 0: none
  bool blank_hidden = true;  // see AdaToskTrainOptions
  CubeTarget target = CubeTarget::kNormPix;
  double rec_weight = 0.0;
  double cls_weight = 1.0;
  double aux_weight = 0.5;
  double budget_weight = 1.0;
  // Share of the visible tokens that go on past the gate while training. At 1 the mask weighs them
  // only (what `budget` cuts off at run time still takes part), and only then can they be rebuilt
  // from.
  double train_budget = 1.0;
};

}  // namespace mien::learn
