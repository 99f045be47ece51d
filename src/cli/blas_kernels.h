// Which of its kernels OpenBLAS uses.
#pragma once

namespace mien::cli {

// OpenBLAS chooses its kernels when it is loaded, and one older than the CPU falls back to those of
// a Prescott (2004): on an Emerald Rapids, Debian 12's 0.3.21 then trains at 16 pictures/s instead
// of 50. Where the loaded OpenBLAS runs kernels without AVX2 on a CPU that has it, starts this
// program anew with OPENBLAS_CORETYPE set; otherwise, or when the user has set that variable,
// returns. Call first in main: `argv` is handed on as it is.
void restart_with_fast_blas(char** argv);

}  // namespace mien::cli
