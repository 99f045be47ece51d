// What AdaTosk can start from.
#pragma once

#include "core/model_config.h"
#include "core/tensor.h"

namespace mien::learn {

// What is added to the tokens is this much larger than in the S2D model that a start inherits. A
// block norms its tokens before it reads them, so they carry the same; but AdaTosk's fixed
// positions, thirty times the size of S2D's learnt ones, disturb larger tokens less.
inline constexpr double kStreamGain = 4.0;

// The tensors of a checkpoint under AdaTosk's names, for loading what fits by name and shape:
//   VideoMAE, official       pre-trained (`encoder.` is dropped from the front; norm,
//                            encoder_to_decoder, mask_token and decoder.* are taken) or fine-tuned
//   AdaTosk                  as they are
//   S2D (a model of ours)    patch_embed.*, and when it has as many blocks of the same width or
//                            more, its first blocks (their number of heads is not checked), with
//                            kStreamGain; its prompts, its class token and its classifier are left.
//                            The first convolution of a stem [O, C, 3, 3] is made to read the
//                            stacked frames of a tubelet, so that equal frames give what one gave:
//                            divided by their number, and for a model of one plane per frame
//                            summed over C
// Error kBadFormat for an S2D model with another stem than this one's.
Result<core::TensorMap> adatosk_start(core::TensorMap tensors, const core::AdaToskConfig& config);

}  // namespace mien::learn
