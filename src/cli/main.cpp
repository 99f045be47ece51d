// The program `mien`: one subcommand per file of this folder.
#include <CLI/CLI.hpp>

#include "cli/command.h"

int main(int argc, char** argv) {
  using namespace mien::cli;
  if (const int code = start_trainer(argc, argv); code != kNotTraining) return code;

  CLI::App app("Reads expressions from moving faces.", "mien");
  app.set_version_flag("--version", "mien " MIEN_VERSION);
  app.require_subcommand(1);
  int exit_code = kExitDone;
  add_analyze(app, exit_code);
  add_predict(app, exit_code);
  add_trainer_help(app);
  add_infer(app, exit_code);
  add_convert(app, exit_code);
#ifdef MIEN_WITH_EXPORT
  add_export(app, exit_code);
#endif
  add_cost(app, exit_code);
  add_bench(app, exit_code);
  add_synth(app, exit_code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" of code 0; everything else is wrong usage.
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  } catch (const std::exception& error) {
    return failed(mien::make_error(mien::ErrorCode::kInternal, error.what()));
  }
  return exit_code;
}
