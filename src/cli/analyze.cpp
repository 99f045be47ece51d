// `mien analyze`: videos in, tables and pictures of expressions out.
#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/analyze_options.h"
#include "cli/command.h"
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

void tell(const AnalysisSummary& summary, const std::string& folder, bool quiet) {
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

// Returns the input's exit code.
int analyze_one(const Analyzer& analyzer, const AnalyzeOptions& options, const std::string& input,
                const std::string& folder, JsonOutput& json) {
  ProgressLine line;
  std::atomic<bool> unread{false};
  AnalyzerCallbacks callbacks;
  callbacks.cancelled = [&] { return interrupted() || unread.load(); };
  callbacks.on_progress = [&](const AnalyzerProgress& progress) {
    line.show(progress_text(input, progress));
  };
  if (options.events) {
    callbacks.on_event = [&](const Event& event) {
      line.clear();
      if (!print_event(event, input, analyzer.classes())) unread = true;
    };
  }
  const auto summary = analyzer.analyze_to(input, {folder, !options.no_video}, callbacks);
  line.clear();
  if (!summary.ok()) {
    json.failure(input, summary.error());
    return failed(summary.error());
  }
  tell(*summary, folder, options.json || options.events);
  const Status copied = json.file((std::filesystem::path(folder) / "result.json").string());
  return copied.ok() ? kExitDone : failed(copied.error());
}

int run(AnalyzeOptions options) {
  const auto precision = parse_precision(options.precision);
  if (!precision.ok()) return wrong_usage(precision.error().to_string());
  const auto shard = parse_shard(options.shard);
  if (!shard.ok()) return wrong_usage(shard.error().to_string());
  options.analyzer.precision = *precision;

  catch_interrupts();
  // Where the reader of --events goes away, the outputs still end as they do on Ctrl-C.
  if (options.events) std::signal(SIGPIPE, SIG_IGN);
  const auto analyzer = Analyzer::load(options.analyzer);
  if (!analyzer.ok()) {
    // Arguments that do not go together, or not with this model.
    const bool usage = analyzer.error().code == ErrorCode::kInvalidArgument;
    return usage ? wrong_usage(analyzer.error().to_string()) : failed(analyzer.error());
  }
  const auto folders = output_folders(options.inputs, options.out);
  JsonOutput json(options.json, options.inputs.size() > 1);
  int exit_code = kExitDone;
  for (std::size_t i = 0; i < options.inputs.size(); ++i) {
    if (!shard->has(i)) continue;
    const int code = analyze_one(*analyzer, options, options.inputs[i], folders[i], json);
    if (code != kExitDone) exit_code = code;
    if (code == kExitInterrupted) break;
  }
  json.end();
  return exit_code;
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
