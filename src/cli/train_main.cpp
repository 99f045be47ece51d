// The program mien-train: everything that needs LibTorch. `mien train` and `mien eval` start it.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/train_command.h"

int main(int argc, char** argv) {
  CLI::App app{"mien-train: trains and measures models for dynamic facial expression recognition"};
  app.set_version_flag("--version", MIEN_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  mien::cli::add_train(app, exit_code);
  mien::cli::add_pack(app, exit_code);
#ifdef MIEN_WITH_ENGINE
  mien::cli::add_eval(app, exit_code);
#endif
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return exit_code;
}
