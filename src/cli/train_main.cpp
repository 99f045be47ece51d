// The program mien-train: everything that needs LibTorch. `mien train`, `mien eval`, `mien
// quantize` and `mien sweep` start it.
#include <CLI/CLI.hpp>
#include <iostream>
#include <limits>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/blas_kernels.h"
#include "cli/train_command.h"
#include "core/cpu.h"

namespace {

// LibTorch on the CPU asks for every activation anew and gives it back. Left to itself, glibc maps
// the large ones from the kernel and unmaps them each time, and zeroing their pages took 15 % of
// the training time (measured with vmstat).
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  mien::cli::restart_with_fast_blas(argv);
  keep_freed_memory();
  mien::core::avoid_amx_without_tiles();
  CLI::App app{"mien-train: trains and measures models for dynamic facial expression recognition"};
  app.set_version_flag("--version", MIEN_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  mien::cli::add_train(app, exit_code);
  mien::cli::add_pack(app, exit_code);
#ifdef MIEN_WITH_ENGINE
  mien::cli::add_eval(app, exit_code);
  mien::cli::add_quantize(app, exit_code);
  mien::cli::add_sweep(app, exit_code);
#endif
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return exit_code;
}
