// Runs programs as their users do: as processes.
#pragma once

#include <string>
#include <vector>

namespace mien::testing {

struct Ran {
  int exit_code = -1;  // 128 + the signal's number when one ended it
  std::string out;
  std::string err;
  long peak_kb = 0;  // greatest resident size

  // "out" and "err" for a failure message.
  std::string text() const;
};

struct RunOptions {
  std::vector<std::string> environment{};  // "NAME=value", added to ours
  std::string folder{};                    // to run in; empty: ours
  double interrupt_after_s = 0;            // sends SIGINT then; 0: never
  double timeout_s = 240;                  // then SIGKILL
};

Ran run_program(const std::string& program, const std::vector<std::string>& arguments,
                const RunOptions& options = {});

// The program under test.
std::string mien_program();

}  // namespace mien::testing
