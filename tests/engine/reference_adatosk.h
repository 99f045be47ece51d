// AdaTosk written a second time: in double, slowly, straight from core/adatosk_spec.h and with
// nothing of the engine in it.
#pragma once

#include <vector>

#include "core/model_config.h"
#include "core/tensor.h"
#include "reference_math.h"
#include "reference_model.h"

namespace mien::test {

// One clip.
struct ReferenceAdaTosk {
  Rows gate;               // the tokens leaving the last block before the gate
  Row agnostic, semantic;  // the factors of the mask by token; empty when switched off
  Row log_mask;            // by token
  Row aux_logits;          // empty without a mask
  std::vector<std::size_t> kept;
  Row logits;
};

// Up to the mask; `kept` and `logits` stay empty.
ReferenceAdaTosk reference_adatosk_gate(const core::AdaToskConfig& config,
                                        const core::TensorMap& tensors,
                                        const std::vector<Planes>& pictures);

// The tokens that the mask keeps at a budget, ascending.
std::vector<std::size_t> reference_kept(const Row& log_mask, double budget);

// Past the gate with `kept`, ascending; fills in both.
void reference_adatosk_tail(const core::AdaToskConfig& config, const core::TensorMap& tensors,
                            const std::vector<std::size_t>& kept, ReferenceAdaTosk& clip);

}  // namespace mien::test
