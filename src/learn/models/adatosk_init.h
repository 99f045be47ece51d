// What AdaTosk can start from.
#pragma once

#include "core/model_config.h"
#include "core/tensor.h"

namespace mien::learn {

// The tensors of a checkpoint under AdaTosk's names, for loading what fits by name and shape:
//   VideoMAE, official       pre-trained (`encoder.` is dropped from the front; norm,
//                            encoder_to_decoder, mask_token and decoder.* are taken) or fine-tuned
//   AdaTosk                  as they are
//   S2D (a model of ours)    patch_embed.* alone: its blocks see one frame with its prompts. The
//                            first convolution of a stem [O, C, 3, 3] is made to read the stacked
//                            frames of a tubelet, so that equal frames give what one gave: divided
//                            by their number, and for a model of one plane per frame summed over C
// Error kBadFormat for an S2D model with another stem than this one's.
Result<core::TensorMap> adatosk_start(core::TensorMap tensors, const core::AdaToskConfig& config);

}  // namespace mien::learn
