// Reads the tensors of PyTorch checkpoints (.pth, .pt) without running anything in them: a zip
// reader, and an interpreter for the subset of pickle that torch.save writes (see pickle.h). Both
// containers are read: zip (torch 1.6 and later) and the older stream ("legacy", magic number
// 0x1950a86a20f9469cfc6c). The file is hostile: it cannot make us call, import or open anything,
// and memory stays within a small multiple of its own size.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "mien/result.hpp"

namespace mien::core {

// The tensors of a checkpoint by dotted path through its dictionaries and lists, e.g.
// "model.blocks.0.attn.qkv.weight", "optimizer.state.0.exp_avg"; row-major and contiguous, whatever
// their strides were. Numbers, strings and None are not kept.
struct Checkpoint {
  TensorMap tensors;

  // Keys of the outermost dictionary whose value is itself a dictionary: tells "model" -> {"x":
  // ...} from a bare state dict whose parameter is called "model.x".
  std::set<std::string> top_level_dicts;

  // "path: module.Class" of what was left out because we do not know it (argparse.Namespace, numpy
  // scalars, sparse or complex tensors ...), in file order, at most 64 of them. For messages.
  std::vector<std::string> ignored;
};

// Errors (context: the path, then the part of it): kNotFound, kIo; kBadFormat (neither container,
// cut off, a pickle that does not hold together, a view outside its storage, a storage of the wrong
// size, two tensors under one path, big-endian data), kUnsupported (an opcode that torch does not
// write, an encrypted or otherwise compressed zip entry), kLimit (see pth.cpp and pickle.h).
Result<Checkpoint> read_pth(const std::string& path);

// The same from the bytes of a whole file; they are not needed afterwards.
Result<Checkpoint> read_pth_bytes(std::span<const std::byte> bytes);

// The model's parameters as the official loaders pick them: the dictionary under
// "model_state_dict", else "model", else "state_dict" (MobileFaceNet's file), else the outermost
// dictionary's own tensors (a bare state dict). When every name starts with "module."
// (DistributedDataParallel), that is removed. Error kNotFound when this leaves no tensor.
Result<TensorMap> select_state_dict(Checkpoint checkpoint);

}  // namespace mien::core
