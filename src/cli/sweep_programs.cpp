#include "cli/sweep_programs.h"

#include <cstdio>
#include <filesystem>

#include "cli/interrupt.h"
#include "core/files.h"

namespace mien::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLogTail = 4096;  // bytes of a log that are searched for a reason
constexpr std::uint64_t kMaxLog = std::uint64_t{64} << 20;

// The last line of a log, which is where a program says what it died of.
std::string last_line(const std::string& path) {
  auto text = core::read_text_file(path, kMaxLog);
  if (!text.ok()) return {};
  if (text->size() > kLogTail) text->erase(0, text->size() - kLogTail);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  const std::size_t start = text->rfind('\n');
  return start == std::string::npos ? *text : text->substr(start + 1);
}

}  // namespace

Error sweep_cancelled() {
  return make_error(ErrorCode::kCancelled, "stopped; the same command goes on from here");
}

void say_sweep(const std::string& line) {
  std::fprintf(stderr, "mien-train: %s\n", line.c_str());
}

Status make_folder_of(const std::string& path) {
  std::error_code code;
  fs::create_directories(fs::path(path).parent_path(), code);
  return code ? Status(make_error(ErrorCode::kIo, code.message(), path)) : Status();
}

Result<double> run_trainer(const SweepPrograms& programs, const std::vector<std::string>& arguments,
                           const ChildSetup& setup) {
  std::vector<std::string> argv = {programs.trainer};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  MIEN_TRY(make_folder_of(setup.log));
  MIEN_ASSIGN(const ChildEnd end, run_child(argv, setup));
  if (interrupted()) return sweep_cancelled();
  if (end.exit_code != 0) {
    return make_error(ErrorCode::kInternal, "mien " + arguments.front() + " ended with code " +
                                                std::to_string(end.exit_code) + " (" + setup.log +
                                                "): " + last_line(setup.log));
  }
  return end.seconds;
}

Status prepare_sweep(const learn::SweepConfig& config, const SweepPrograms& programs) {
  for (const learn::SweepPreparation& preparation : config.preparations) {
    std::error_code ignored;
    if (fs::exists(preparation.out, ignored)) continue;
    say_sweep("making " + preparation.out);
    const std::string& command = preparation.command.front();
    const bool ours = command == "train" || command == "eval" || command == "pack";
    std::vector<std::string> argv = {ours ? programs.trainer : programs.other};
    argv.insert(argv.end(), preparation.command.begin(), preparation.command.end());
    MIEN_ASSIGN(const ChildEnd end, run_child(argv, {}));
    if (interrupted()) return sweep_cancelled();
    if (end.exit_code != 0) {
      return make_error(ErrorCode::kInternal,
                        "mien " + command + " ended with code " + std::to_string(end.exit_code),
                        preparation.out);
    }
    if (!fs::exists(preparation.out, ignored)) {
      return make_error(ErrorCode::kNotFound, "the command that makes it has not", preparation.out);
    }
  }
  return {};
}

}  // namespace mien::cli
