// mien train CONFIG.toml, and mien-train pack: datasets of stills into one file.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "cli/train_command.h"
#include "learn/trainer.h"

namespace mien::cli {
namespace {

std::atomic<bool> interrupted{false};

void on_signal(int) {
  interrupted = true;
}

struct TrainArguments {
  std::string config;
  std::vector<std::string> sets;
  std::string init;
  std::string runs = "runs";
  bool resume = false;
};

// A line that is rewritten in place on a terminal; in a log, one line a minute.
class Progress {
 public:
  void show(const learn::TrainStatus& s) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ <
        (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(60000))) {
      return;
    }
    last_ = now;
    const auto minutes = static_cast<long>(s.seconds_left / 60.0);
    std::fprintf(stderr,
                 "%sstep %ld/%ld  epoch %.2f  loss %.4f  lr %.2e  %.1f samples/s  waiting %.0f%%  "
                 "%ldh%02ldm left%s",
                 terminal_ ? "\r\033[K" : "", static_cast<long>(s.step),
                 static_cast<long>(s.total_steps), s.epoch, s.loss, s.lr, s.samples_per_s,
                 100.0 * s.load_share, minutes / 60, minutes % 60, terminal_ ? "" : "\n");
    open_ = terminal_;
  }
  void say(const std::string& text) {
    std::fprintf(stderr, "%s%s\n", open_ ? "\n" : "", text.c_str());
    open_ = false;
  }

 private:
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  bool open_ = false;
  std::chrono::steady_clock::time_point last_{};
};

int fail(const Error& error) {
  std::cerr << "mien-train: " << error.to_string() << "\n";
  return 1;
}

int run_train(const TrainArguments& arguments) {
  std::vector<std::string> sets = arguments.sets;
  if (!arguments.init.empty()) sets.push_back("model.init=" + arguments.init);
  const auto config = learn::read_train_config(arguments.config, sets);
  if (!config) return fail(config.error());
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  Progress progress;
  learn::TrainCallbacks callbacks;
  callbacks.on_step = [&](const learn::TrainStatus& s) { progress.show(s); };
  callbacks.on_message = [&](const std::string& text) { progress.say(text); };
  callbacks.cancel = &interrupted;
  const auto outcome =
      learn::train(*config, arguments.runs + "/" + config->name, arguments.resume, callbacks);
  if (!outcome) return fail(outcome.error());
  if (!outcome->finished) {
    progress.say("stopped; go on with --resume");
    return 130;
  }
  progress.say("wrote " + outcome->model_path);
  return 0;
}

struct PackArguments {
  learn::StillSource source;
  std::string classes = "ferplus";
  std::string out;
};

int run_pack(const PackArguments& arguments) {
  const auto labels = core::find_label_set(arguments.classes);
  if (!labels) return fail(labels.error());
  learn::StillReport report;
  const auto set = learn::read_stills(arguments.source, labels->classes, &report);
  if (!set) return fail(set.error());
  if (const auto status = learn::write_pack(arguments.out, *set); !status)
    return fail(status.error());
  std::cerr << set->stills.size() << " pictures, " << report.skipped << " left out\n";
  return 0;
}

}  // namespace

void add_train(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = root.add_subcommand("train", "train a model as a config file says");
  command->add_option("CONFIG", arguments->config, "TOML file, see configs/")->required();
  command
      ->add_option("--set", arguments->sets, "key=value, overrides the file (e.g. train.lr=1e-4)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--init", arguments->init,
                      "model or official checkpoint (.pth) to start from: model.init");
  command->add_option("--runs", arguments->runs, "folder for checkpoints and histories")
      ->capture_default_str();
  command->add_flag("--resume", arguments->resume, "go on from the run's checkpoint");
  command->callback([arguments, &exit_code] { exit_code = run_train(*arguments); });
}

void add_pack(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<PackArguments>();
  CLI::App* command = root.add_subcommand("pack", "decode a dataset of stills into one file");
  command->add_option("DATA", arguments->source.path, "dataset folder")->required();
  command->add_option("OUT", arguments->out, "file to write (.safetensors)")->required();
  command
      ->add_option("--format", arguments->source.format,
                   "ferplus, faces, rafdb, affectnet, manifest, auto")
      ->capture_default_str();
  command->add_option("--split", arguments->source.split, "train or valid")->capture_default_str();
  command->add_option("--classes", arguments->classes, "label set of the result")
      ->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = run_pack(*arguments); });
}

}  // namespace mien::cli
