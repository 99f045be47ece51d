// How many threads LibTorch computes with.
#pragma once

namespace mien::learn {

// `threads` of them in this process; 0: those of OMP_NUM_THREADS, else every CPU that this process
// may use. LibTorch's own default asks a library that takes some virtual CPUs for one. Call before
// the first tensor operation, from the thread that computes.
void use_threads(int threads);

// `threads` of them for what is called from this thread on; others keep theirs.
void use_threads_here(int threads);

}  // namespace mien::learn
