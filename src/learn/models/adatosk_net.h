// AdaTosk as a classifier of clips with a loss of its own.
#pragma once

#include <memory>

#include "learn/models/clip_net.h"

namespace mien::learn {

// For config.arch kAdaTosk. forward() computes the share of tokens that config.adatosk.budget says;
// own_loss() is that of options.adatosk (adatosk_training.h). Only with a rec_weight does the
// module have the decoder.
std::unique_ptr<ClipNet> make_adatosk_net(const core::ModelConfig& config,
                                          const ClipNetOptions& options);

}  // namespace mien::learn
