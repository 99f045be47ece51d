// A model on disk: one .safetensors file with its config inside (DESIGN.md, Files).
#pragma once

#include <memory>
#include <string>

#include "core/model_config.h"
#include "core/safetensors.h"
#include "core/tensor_table.h"

namespace mien::core {

// A model file that was opened, parsed and checked against its own tensor table. Tensor views point
// into the mapped file and live as long as this object.
struct ModelFile {
  std::string path;
  ModelConfig config;
  SafetensorsFile file;

  const TensorViewMap& tensors() const { return file.tensors(); }
};

// Errors: kNotFound/kIo, kBadFormat (not safetensors, no `mien.config`, tensors that do not fit
// it), kUnsupported (a later `mien.format`).
Result<ModelFile> open_model(const std::string& path);

// Writes `tensors` (those of the config's table; others are dropped) with `mien.format` and
// `mien.config`. `storage` kF32 or kF16 (half the size; the engine widens at load). Checks the
// tensors first.
Status write_model(const std::string& path, const ModelConfig& config, const TensorViewMap& tensors,
                   DType storage);

}  // namespace mien::core
