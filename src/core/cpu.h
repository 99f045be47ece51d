// What the CPU says of itself, where the libraries below us take it at its word too soon.
#pragma once

namespace mien::core {

// Whether the CPU announces AMX tiles (CPUID leaf 7) without saying how large they are (leaf 1DH is
// empty). Some hypervisors leave it so. oneDNN 2.6 then configures tiles of no rows and dies of
// SIGILL or SIGFPE in its first bf16 product; without AMX the same CPU runs it well.
bool announces_amx_without_tiles();

// Whether this is a CPU made for AMX (an Intel with AVX512-FP16: Sapphire Rapids and later) that
// has no tiles for us: hidden by a hypervisor, or announced in vain. AVX-512 alone multiplies bf16
// there more slowly than f32: 153 against 231 GFLOP/s measured on an Emerald Rapids.
bool misses_its_amx();

// Whether the user chose oneDNN's instruction set by ONEDNN_MAX_CPU_ISA or DNNL_MAX_CPU_ISA.
bool onednn_isa_is_chosen();

// Keeps oneDNN off such tiles through the environment, for a oneDNN that is not ours to call
// (LibTorch's). A choice of the user's stays. Call before the first tensor operation and before
// other threads: setenv is not safe beside a getenv.
void avoid_amx_without_tiles();

}  // namespace mien::core
