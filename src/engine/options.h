// How the engine is asked to compute.
#pragma once

#include "mien/recognizer.hpp"

namespace mien::engine {

// Whether precision bf16 uses oneDNN's bf16 primitives. kAuto: when the CPU has the instructions.
// kOn fails (kUnsupported) where oneDNN has no bf16 at all; kOff always rounds and computes in f32.
enum class NativeBf16 { kAuto, kOn, kOff };

struct EngineOptions {
  Precision precision = Precision::kAuto;
  int threads = 0;  // 0: every CPU this process may use
  NativeBf16 native_bf16 = NativeBf16::kAuto;
};

// Whether bf16 is worth its while here: the CPU has instructions for it that oneDNN uses
// (ONEDNN_MAX_CPU_ISA can hide them), and they are not a shadow of hidden AMX tiles (core/cpu.h).
bool has_fast_bf16();

// Whether oneDNN can compute in bf16 here at all.
bool has_any_bf16();

}  // namespace mien::engine
