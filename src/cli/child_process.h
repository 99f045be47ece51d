// Other programs, run and waited for.
#pragma once

#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::cli {

struct ChildSetup {
  std::string out{};        // file that stdout goes to, from its beginning; empty: nowhere
  std::string log{};        // file that stderr is added to; empty: ours
  std::vector<int> cpus{};  // those that it may use (Linux); empty: all that we may
};

struct ChildEnd {
  int exit_code = 0;  // 128 + the signal's number when one ended it
  double seconds = 0;
};

// Runs argv[0] (a path, or a name on PATH) with the arguments after it and waits for its end. When
// interrupted() (cli/interrupt.h) says so it gets SIGTERM, once, and is waited for still; when this
// program or the calling thread ends it gets SIGTERM too (Linux). Several threads may each run one.
// Errors: kIo when an output cannot be opened or no process be made, kNotFound when there is no
// such program.
Result<ChildEnd> run_child(const std::vector<std::string>& argv, const ChildSetup& setup);

// The CPUs that this process may run on; empty where the system does not say.
std::vector<int> usable_cpus();

}  // namespace mien::cli
