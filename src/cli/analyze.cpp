// `mien analyze`: videos in, tables and pictures of expressions out.
#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>

#include "cli/analyze_options.h"
#include "cli/command.h"
#include "cli/in_order.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "core/files.h"
#include "pipeline/result_json.h"
#include "report/json_writer.h"
#include "report/text.h"

namespace mien::cli {
namespace {

// A document on stdout: result.json as it is for one input, a list of them for several.
class JsonOutput {
 public:
  JsonOutput(bool wanted, bool list) : wanted_(wanted), list_(wanted && list) {
    if (list_) std::fputs("[\n", stdout);
  }

  void failure(const std::string& input, const Error& error) {
    if (!wanted_) return;
    report::JsonWriter json;
    json.begin_object().key("input").string(input);
    json.key("error").string(error.to_string()).end_object();
    next();
    std::fputs(json.take().c_str(), stdout);
  }

  // Copies the file piece by piece: it may be large.
  Status file(const std::string& path) {
    if (!wanted_) return {};
    next();
    MIEN_ASSIGN(const core::MappedFile document, core::MappedFile::open(path));
    std::fwrite(document.bytes().data(), 1, document.bytes().size(), stdout);
    return {};
  }

  void end() {
    if (list_) std::fputs("]\n", stdout);
    std::fflush(stdout);
  }

 private:
  void next() {
    if (list_ && !first_) std::fputs(",\n", stdout);
    first_ = false;
  }
  bool wanted_;
  bool list_;
  bool first_ = true;
};

std::string progress_text(const std::string& input, const AnalyzerProgress& progress) {
  std::string text = std::filesystem::path(input).filename().string() + "  ";
  if (progress.duration_s > 0) {
    const double share = std::min(1.0, progress.time_s / progress.duration_s);
    text += report::fixed(100 * share, 0) + " %  ";
  }
  return report::to_valid_utf8(text) + report::fixed(progress.time_s, 1) + " s, frame " +
         std::to_string(progress.frames);
}

// False when nobody reads them any more.
bool print_event(const Event& event, const std::string& input,
                 const std::vector<std::string>& classes) {
  const std::string line = pipeline::event_json(event, input, classes) + "\n";
  const bool written = std::fwrite(line.data(), 1, line.size(), stdout) == line.size();
  return std::fflush(stdout) == 0 && written;  // who reads a camera's events wants them now
}

void tell_about(const AnalysisSummary& summary, const std::string& folder, bool quiet) {
  const auto note = [&](const std::string& text) {
    print_line(make_error({}, text, summary.input).to_string());
  };
  if (!summary.note.empty()) note(summary.note);
  if (summary.dropped > 0) {
    note(std::to_string(summary.dropped) + " of " +
         std::to_string(summary.dropped + summary.frames) +
         " frames were dropped, as the camera was faster than their analysis");
  }
  if (quiet) return;
  const double speed = summary.wall_s > 0 ? summary.duration_s / summary.wall_s : 0.0;
  std::printf(
      "%s: %lld frames, %.2f s, %zu face%s, %lld windows, %.1f times as fast as it plays -> "
      "%s\n",
      report::to_valid_utf8(summary.input).c_str(), static_cast<long long>(summary.frames),
      summary.duration_s, summary.tracks.size(), summary.tracks.size() == 1 ? "" : "s",
      static_cast<long long>(summary.windows), speed, report::to_valid_utf8(folder).c_str());
  std::fflush(stdout);
}

// The inputs of one call.
class Inputs {
 public:
  Inputs(const Analyzer& analyzer, const AnalyzeOptions& options, const Shard& shard)
      : analyzer_(analyzer),
        options_(options),
        folders_(output_folders(options.inputs, options.out)),
        json_(options.json, options.inputs.size() > 1) {
    for (std::size_t i = 0; i < options.inputs.size(); ++i) {
      if (shard.has(i)) mine_.push_back(i);
    }
  }

  // Returns the exit code of all together.
  int run() {
    const std::size_t at_once = std::min(inputs_at_once(options_), mine_.size());
    const auto work = [this](std::size_t i) { return analyze(mine_[i]); };
    const auto tell = [this](std::size_t i, const Result<AnalysisSummary>& summary) {
      const int code = report(mine_[i], summary);
      if (code != kExitDone) exit_code_ = code;
      return code != kExitInterrupted;
    };
    if (at_once > 1) {
      work_in_order<Result<AnalysisSummary>>(mine_.size(), at_once, work, tell);
    } else {
      for (std::size_t i = 0; i < mine_.size(); ++i) {
        if (!tell(i, work(i))) break;
      }
    }
    json_.end();
    return exit_code_;
  }

 private:
  // On any thread.
  Result<AnalysisSummary> analyze(std::size_t index) {
    const std::string& input = options_.inputs[index];
    std::atomic<bool> unread{false};
    AnalyzerCallbacks callbacks;
    callbacks.cancelled = [&] { return interrupted() || unread.load(); };
    callbacks.on_progress = [&](const AnalyzerProgress& progress) {
      const std::lock_guard lock(terminal_);
      line_.show(progress_text(input, progress));
    };
    if (options_.events) {
      callbacks.on_event = [&](const Event& event) {
        const std::lock_guard lock(terminal_);
        line_.clear();
        if (!print_event(event, input, analyzer_.classes())) unread = true;
      };
    }
    return analyzer_.analyze_to(input, {folders_[index], !options_.no_video}, callbacks);
  }

  // Returns the input's exit code.
  int report(std::size_t index, const Result<AnalysisSummary>& summary) {
    const std::lock_guard lock(terminal_);
    line_.clear();
    if (!summary.ok()) {
      json_.failure(options_.inputs[index], summary.error());
      return failed(summary.error());
    }
    tell_about(*summary, folders_[index], options_.json || options_.events);
    const Status copied =
        json_.file((std::filesystem::path(folders_[index]) / "result.json").string());
    return copied.ok() ? kExitDone : failed(copied.error());
  }

  const Analyzer& analyzer_;
  const AnalyzeOptions& options_;
  std::vector<std::string> folders_;
  std::vector<std::size_t> mine_;  // of this shard
  JsonOutput json_;
  std::mutex terminal_;
  ProgressLine line_;
  int exit_code_ = kExitDone;
};

int run(AnalyzeOptions options) {
  const auto precision = parse_precision(options.precision);
  if (!precision.ok()) return wrong_usage(precision.error().to_string());
  const auto shard = parse_shard(options.shard);
  if (!shard.ok()) return wrong_usage(shard.error().to_string());
  options.analyzer.precision = *precision;
  if (inputs_at_once(options) > 1 && options.analyzer.threads == 0) options.analyzer.threads = 1;

  catch_interrupts();
  // Where the reader of --events goes away, the outputs still end as they do on Ctrl-C.
  if (options.events) std::signal(SIGPIPE, SIG_IGN);
  const auto analyzer = Analyzer::load(options.analyzer);
  if (!analyzer.ok()) {
    // Arguments that do not go together, or not with this model.
    const bool usage = analyzer.error().code == ErrorCode::kInvalidArgument;
    return usage ? wrong_usage(analyzer.error().to_string()) : failed(analyzer.error());
  }
  return Inputs(*analyzer, options, *shard).run();
}

}  // namespace

void add_analyze(CLI::App& root, int& exit_code) {
  CLI::App* command =
      root.add_subcommand("analyze", "who felt what, when: tables, a timeline, an annotated video");
  const auto options = std::make_shared<AnalyzeOptions>();
  declare(*command, *options);
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace mien::cli
