// How batches are mixed (mixup.h), for configs, which know nothing of LibTorch.
#pragma once

namespace mien::learn {

struct MixOptions {
  double mixup_alpha = 0.8;   // of Beta(alpha, alpha); 0 switches Mixup off
  double cutmix_alpha = 1.0;  // the same for CutMix
  double probability = 1.0;   // that a batch is mixed at all
  double cutmix_share = 0.5;  // of the mixed batches, when both are on (timm: switch_prob)
};

}  // namespace mien::learn
