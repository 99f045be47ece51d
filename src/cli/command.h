// What the subcommands of `mien` share: how they hook into the program, and how they end.
#pragma once

#include <string>

#include "mien/result.hpp"

namespace CLI {
class App;
}

namespace mien::cli {

// Exit codes of both programs (DESIGN.md). 130 is the shell's own code for a program that Ctrl-C
// ended.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;

// Each adds one subcommand to `root`, with a callback that runs it and leaves its exit code in
// `exit_code`. The callback runs inside root.parse(); it reports its failures itself (see
// `failed`).
void add_analyze(CLI::App& root, int& exit_code);
void add_bench(CLI::App& root, int& exit_code);
void add_convert(CLI::App& root, int& exit_code);
void add_cost(CLI::App& root, int& exit_code);
void add_export(CLI::App& root, int& exit_code);  // MIEN_WITH_EXPORT
void add_infer(CLI::App& root, int& exit_code);
void add_predict(CLI::App& root, int& exit_code);
void add_synth(CLI::App& root, int& exit_code);

// Prints "mien: <error>" as one line on stderr and returns kExitFailed (kExitInterrupted when the
// user stopped it), so that a callback can end with `exit_code = failed(error)`.
int failed(const Error& error);

// The same for a contradiction between arguments that CLI11 cannot see: returns kExitUsage.
int wrong_usage(const std::string& message);

// `mien train ...`, `mien eval ...`, `mien quantize ...` and `mien sweep ...` become `mien-train
// train ...` and so on, found beside this program or else on PATH, with every argument as it was
// given. Returns only on failure (the exit code), or kNotTraining when argv[1] is none of them.
inline constexpr int kNotTraining = -1;
int start_trainer(int argc, char** argv);

// Lists those four in the help of `root`; they never run from there.
void add_trainer_help(CLI::App& root);

}  // namespace mien::cli
