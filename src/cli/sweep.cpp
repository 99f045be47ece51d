// mien sweep TABLE.toml: a table of experiments, trained and measured.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

#include "cli/command.h"
#include "cli/eval_output.h"
#include "cli/interrupt.h"
#include "cli/sweep_plan.h"
#include "cli/sweep_runner.h"
#include "cli/train_command.h"
#include "core/files.h"
#include "report/sweep_table.h"

namespace mien::cli {
namespace {

namespace fs = std::filesystem;

struct SweepArguments {
  std::string file;
  std::string out;
  std::vector<std::string> only;
  int jobs = 1;
  bool dry_run = false;
};

int fail(const Error& error) {
  std::cerr << "mien-train: " << error.to_string() << "\n";
  return error.code == ErrorCode::kCancelled ? kExitInterrupted : kExitFailed;
}

// This program and `mien`, which lies beside it or is on PATH.
SweepPrograms find_programs() {
  std::error_code code;
  const fs::path self = fs::read_symlink("/proc/self/exe", code);
  SweepPrograms programs{.trainer = self.empty() ? "mien-train" : self.string(), .other = "mien"};
  const fs::path beside = self.parent_path() / "mien";
  if (!self.empty() && fs::exists(beside, code)) programs.other = beside.string();
  return programs;
}

// A lock on a sweep's folder. The programs that are run inherit it, so that a training whose sweep
// was killed keeps the next from starting beside it.
class SweepLock {
 public:
  static Result<std::unique_ptr<SweepLock>> take(const std::string& folder) {
    std::error_code code;
    fs::create_directories(folder, code);
    if (code) return make_error(ErrorCode::kIo, code.message(), folder);
    const std::string path = folder + "/.lock";
    auto lock = std::make_unique<SweepLock>(open(path.c_str(), O_RDWR | O_CREAT, 0666));
    if (lock->descriptor_ < 0) return make_error(ErrorCode::kIo, std::strerror(errno), path);
    if (flock(lock->descriptor_, LOCK_EX | LOCK_NB) != 0) {
      return make_error(ErrorCode::kIo, "another sweep, or what one has started, works here",
                        folder);
    }
    return Result<std::unique_ptr<SweepLock>>(std::move(lock));
  }
  explicit SweepLock(int descriptor) : descriptor_(descriptor) {}
  ~SweepLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  SweepLock(const SweepLock&) = delete;
  SweepLock& operator=(const SweepLock&) = delete;

 private:
  int descriptor_;
};

report::SweepTable table_of(const learn::SweepConfig& config,
                            const std::vector<report::SweepResult>& results) {
  report::SweepTable table;
  table.title = config.title;
  table.baseline = config.baseline;
  table.figure = config.figure;
  table.figures = config.figures;
  for (const learn::SweepEvaluation& e : config.evaluations) table.evaluations.push_back(e.name);
  for (const learn::SweepRow& row : config.rows) {
    table.rows.push_back(row.name);
    for (const std::string& evaluation : table.evaluations) {
      if (!row.is_for(evaluation)) table.left_out.emplace(row.name, evaluation);
    }
  }
  table.results = results;
  return table;
}

Status write_tables(const std::string& out, const report::SweepTable& table) {
  MIEN_TRY(core::write_file_atomically(out + "/results.csv", report::sweep_results_csv(table)));
  MIEN_TRY(core::write_file_atomically(out + "/table.csv", report::sweep_table_csv(table)));
  MIEN_TRY(core::write_file_atomically(out + "/table.md", report::sweep_table_markdown(table)));
  return core::write_file_atomically(out + "/figure.svg", report::sweep_table_svg(table));
}

std::string command_line(const std::vector<std::string>& arguments) {
  std::string out = "mien";
  for (const std::string& argument : arguments) out += " " + shell_word(argument);
  return out;
}

// What would be done, without doing it.
std::string plan_text(const learn::SweepConfig& config, const std::vector<SweepRun>& runs) {
  std::string out;
  std::error_code ignored;
  for (const learn::SweepPreparation& preparation : config.preparations) {
    out += fs::exists(preparation.out, ignored) ? "done  " : "to do ";
    out += preparation.out + "\n      " + command_line(preparation.command) + "\n";
  }
  const auto line = [&](bool done, const std::string& title,
                        const std::vector<std::string>& arguments) {
    out += (done ? "done  " : "to do ") + title + "\n      " + command_line(arguments) + "\n";
  };
  for (const SweepRun& run : runs) {
    if (!run.wanted) continue;
    if (!run.problem.empty()) out += "wrong " + run.title() + ": " + run.problem + "\n";
    if (!run.arguments.empty()) line(is_trained(run), run.title() + ": training", run.arguments);
    for (const SweepMeasurement& measurement : run.measurements) {
      line(is_measured(measurement), run.title() + ": " + measurement.evaluation,
           measurement.arguments);
    }
  }
  return out;
}

Status check_only(const SweepArguments& arguments, const learn::SweepConfig& config) {
  for (const std::string& name : arguments.only) {
    const bool known = std::any_of(config.rows.begin(), config.rows.end(),
                                   [&](const learn::SweepRow& row) { return row.name == name; });
    if (!known) {
      return make_error(ErrorCode::kInvalidArgument, "has no row '" + name + "'", arguments.file);
    }
  }
  return {};
}

int tell(const SweepOutcome& outcome, const std::string& out) {
  std::cerr << "mien-train: " << outcome.results.size() << " results in " << out
            << " (results.csv, table.csv, table.md, figure.svg)\n";
  if (outcome.failures.empty()) return kExitDone;
  std::cerr << "mien-train: " << outcome.failures.size() << " runs failed:\n";
  for (const SweepFailure& failure : outcome.failures) {
    std::cerr << "  " << failure.run << ": " << failure.reason << "\n";
  }
  return kExitFailed;
}

int run_sweep(const SweepArguments& arguments) {
  const auto config = learn::read_sweep_config(arguments.file);
  if (!config.ok()) return fail(config.error());
  if (const Status status = check_only(arguments, *config); !status.ok()) {
    return fail(status.error());
  }
  const std::string out = arguments.out.empty()
                              ? "runs/sweeps/" + fs::path(arguments.file).stem().string()
                              : arguments.out;
  if (arguments.dry_run) {
    std::cout << plan_text(*config, plan_sweep(*config, out, arguments.only));
    return kExitDone;
  }
  const auto lock = SweepLock::take(out);
  if (!lock.ok()) return fail(lock.error());
  catch_interrupts();
  const SweepPrograms programs = find_programs();
  if (const Status status = prepare_sweep(*config, programs); !status.ok()) {
    return fail(status.error());
  }
  // The table has all rows, whichever of them this call works on.
  const std::vector<SweepRun> runs = plan_sweep(*config, out, arguments.only);
  const auto on_change = [&](const std::vector<report::SweepResult>& results) {
    return write_tables(out, table_of(*config, results));
  };
  const auto outcome = do_sweep(runs, programs, arguments.jobs, on_change);
  if (!outcome.ok()) return fail(outcome.error());
  return tell(*outcome, out);
}

}  // namespace

void add_sweep(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<SweepArguments>();
  CLI::App* command =
      root.add_subcommand("sweep", "train and measure a table of experiments as a file says");
  command->add_option("TABLE", arguments->file, "TOML file, see configs/sweeps/")->required();
  command->add_option("--out", arguments->out,
                      "folder for trainings, results and tables (default: runs/sweeps/<TABLE>); "
                      "what is finished there is not done again");
  command->add_option("--only", arguments->only, "work on this row alone; may be given again")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--jobs", arguments->jobs,
                   "runs at a time, each on its share of the CPUs: more done in all, but seconds "
                   "measured beside other work")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--dry-run", arguments->dry_run, "say what would be done, and do nothing");
  command->callback([arguments, &exit_code] { exit_code = run_sweep(*arguments); });
}

}  // namespace mien::cli
