// How the engine is asked to compute.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model_config.h"
#include "mien/recognizer.hpp"

namespace mien::engine {

// Whether precision bf16 uses oneDNN's bf16 primitives. kAuto: when the CPU has the instructions.
// kOn fails (kUnsupported) where oneDNN has no bf16 at all; kOff always rounds and computes in f32.
enum class NativeBf16 { kAuto, kOn, kOff };

struct EngineOptions {
  Precision precision = Precision::kAuto;
  int threads = 0;  // 0: every CPU this process may use
  NativeBf16 native_bf16 = NativeBf16::kAuto;
  // Layers of core::int8_layers() that precision int8 leaves alone; unset: those that the model's
  // calibration names, none without one. A calibration tries candidates by it.
  std::optional<std::vector<std::string>> keep{};
};

// The options as they are for this model. kAuto becomes kInt8 where the CPU is good at int8 and the
// model's calibration says that it holds; kInt8 becomes kAuto for a model without int8 layers; with
// kInt8, `keep` is set afterwards.
EngineOptions options_for(EngineOptions options, const core::ModelConfig& config);

// Whether int8 is worth its while here: the CPU adds u8 x s8 products in 32 bits in one instruction
// (AVX-512 VNNI) that oneDNN uses. Elsewhere precision int8 works, with activations of 7 bits,
// since instructions that add in 16 bits saturate.
bool has_fast_int8();

// Whether bf16 is worth its while here: the CPU has instructions for it that oneDNN uses
// (ONEDNN_MAX_CPU_ISA can hide them), and they are not a shadow of AMX tiles that it misses
// (core/cpu.h).
bool has_fast_bf16();

// Whether oneDNN can compute in bf16 here at all.
bool has_any_bf16();

}  // namespace mien::engine
