// Starts mien-train, the way git starts its own commands: LibTorch stays out of this program.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace mien::cli {
namespace {

constexpr const char* kTrainer = "mien-train";

}  // namespace

int start_trainer(int argc, char** argv) {
  if (argc < 2) return kNotTraining;
  const std::string_view command = argv[1];
  const bool trains =
      command == "train" || command == "eval" || command == "quantize" || command == "sweep";
  if (!trains) return kNotTraining;

  std::vector<char*> arguments(argv, argv + argc);
  arguments.push_back(nullptr);
  std::string name = kTrainer;
  arguments[0] = name.data();

  // Threads that spin while they wait for each other take the processors from what else runs: the
  // loader, a second training. Sleeping costs nothing that shows.
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::string beside = (self.parent_path() / kTrainer).string();
  if (!self.empty() && access(beside.c_str(), F_OK) == 0) {
    execv(beside.c_str(), arguments.data());
  } else {
    execvp(kTrainer, arguments.data());
  }
  if (errno == ENOENT) {
    return failed(make_error(ErrorCode::kNotFound,
                             "needs the program mien-train, which is not beside this one or on "
                             "PATH (build with -DMIEN_LEARN=ON)",
                             std::string(command)));
  }
  return failed(
      make_error(ErrorCode::kIo, std::string("cannot start: ") + std::strerror(errno), kTrainer));
}

void add_trainer_help(CLI::App& root) {
  root.add_subcommand("train", "trains a model as a config says (needs mien-train)");
  root.add_subcommand("eval", "measures a model on a labelled data set (needs mien-train)");
  root.add_subcommand("quantize",
                      "finds out which layers of a model may compute in int8 (needs mien-train)");
  root.add_subcommand("sweep", "trains and measures a table of experiments (needs mien-train)");
}

}  // namespace mien::cli
