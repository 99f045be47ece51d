// Gradient checkpointing: memory for time (Chen et al. 2016, arXiv 1604.06174).
#pragma once

#include <torch/torch.h>

#include <functional>
#include <vector>

namespace mien::learn {

using Piece = std::function<std::vector<torch::Tensor>(const std::vector<torch::Tensor>&)>;

// piece(inputs), of which only the inputs are kept for the backward pass: there the piece runs once
// more, under the same autocast setting and with the same random draws as the first time, and hands
// its gradients on. Without gradient mode it is a plain call.
//
// The piece must be a function of its inputs, the parameters it holds, and LibTorch's default
// generators of the CPU and of the inputs' device. It must own what it needs (capture modules by
// shared pointer: it lives as long as the graph), record no taps, and change no state: a BatchNorm
// in training mode would count its batch twice. Modules must still be in the mode (training or not)
// of the first time when backward() is called. Inputs: at least one, all of one device. Gradients
// of gradients are not supported.
std::vector<torch::Tensor> recompute(const Piece& piece, const std::vector<torch::Tensor>& inputs);

// The same for one tensor in and one out.
torch::Tensor recompute(const std::function<torch::Tensor(const torch::Tensor&)>& piece,
                        const torch::Tensor& input);

}  // namespace mien::learn
