// How AdaTosk is trained: [adatosk] of a config, beside what its model is.
#pragma once

#include "learn/losses/cube_target.h"
#include "learn/models/hard_mask_kind.h"

namespace mien::learn {

// loss = cls_weight * CE + aux_weight * CE of the mask's own logits
//      + budget_weight * (mean m - budget)^2 + rec_weight * reconstruction
//      + course_weight * (1 - r)
// where m is the soft mask over the tokens that are classified, budget that of the model's config,
// and both cross-entropies are against the batch's soft targets. r is the correlation (Pearson),
// over a clip's slots, of the mean m and the true strength of its expression, the mean over the
// clips of which it is known and not the same in all slots; it is ours, not the paper's: labels
// alone teach the mask less well when an expression is seen. The three stages:
//   self-supervised  cls_weight 0: no soft mask, no labels needed; hard_ratio, rec_weight above 0
//   joint            all of it
//   fine-tuning      hard_ratio 0 and rec_weight 0
struct AdaToskTraining {
  // What the classification branch sees while a hard mask hides tokens from the reconstruction.
  enum class Branches {
    kParallel,  // the whole clip: the two branches are two passes through one encoder
    kShared,    // what the reconstruction sees: one pass serves both, for about half of the cost
  };
  Branches branches = Branches::kParallel;
  HardMaskKind hard_mask = HardMaskKind::kTube;
  // Share of the tokens hidden while training; 0: none.
  double hard_ratio = 0.0;
  bool blank_hidden = true;  // see AdaToskTrainOptions
  CubeTarget target = CubeTarget::kNormPix;
  double rec_weight = 0.0;
  double cls_weight = 1.0;
  double aux_weight = 0.5;
  double budget_weight = 1.0;
  double course_weight = 0.0;
  double mask_lr_scale = 1.0;  // of the learning rate, for the parameters of the soft mask
  // Share of the classified tokens that go on past the gate while training. At 1 the mask weighs
  // them only (what `budget` cuts off at run time still takes part). Shared branches need 1: what
  // was dropped cannot be rebuilt from.
  double train_budget = 1.0;
  // Above 0: each batch draws its own share, evenly from here to train_budget, so that the model
  // knows clips of which more or less is left (--budget) and the mask what is dropped first.
  double train_budget_low = 0.0;
};

}  // namespace mien::learn
