// What the augmentation of clips may do (clip_augment.h), for configs, which know nothing of
// LibTorch.
#pragma once

#include "learn/data/rand_augment.h"

namespace mien::learn {

struct ClipAugmentOptions {
  RandAugmentOptions rand_augment;  // ops = 0: none
  double crop_scale_low = 0.08;     // share of the frame's area, uniform; 0: no random crop
  double crop_scale_high = 1.0;
  double crop_ratio = 4.0 / 3.0;  // width / height, log-uniform from 1 / ratio to ratio
  double flip = 0.5;              // probability of a mirrored clip
  double erase = 0.25;            // probability of a box of noise; 0: none
  double erase_area_low = 0.02;   // share of the crop's area, uniform
  double erase_area_high = 1.0 / 3.0;
  double erase_ratio = 1.0 / 0.3;  // height / width, log-uniform from 1 / ratio to ratio
};

}  // namespace mien::learn
