// `mien bench`: how long a forward pass takes here, and how near that is to what the machine can
// do.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "cli/analyze_options.h"
#include "cli/command.h"
#include "core/model_file.h"
#include "core/presets.h"
#include "core/random_weights.h"
#include "engine/measure.h"
#include "pipeline/result_json.h"
#include "report/cost.h"
#include "report/json_writer.h"
#include "report/timing.h"

namespace mien::cli {
namespace {

struct BenchOptions {
  std::string model;
  std::string precision = "auto";
  engine::EngineOptions engine;
  double budget = 0.0;
  double seconds = 5.0;
  bool json = false;
};

// What is measured: a model file, or a preset with random weights.
struct Subject {
  core::ModelConfig config;
  core::TensorMap random;
  std::optional<core::ModelFile> file;

  core::TensorViewMap weights() const { return file ? file->tensors() : core::views_of(random); }
};

Result<Subject> open_subject(const std::string& name) {
  Subject subject;
  const auto presets = core::preset_names();
  if (std::find(presets.begin(), presets.end(), name) != presets.end()) {
    MIEN_ASSIGN(subject.config, core::find_preset(name));
    // The whole forward pass, from faces on.
    if (subject.config.arch == core::Arch::kS2D) subject.config.s2d.with_landmark = true;
    subject.random = core::random_weights(subject.config, 1);
    return subject;
  }
  auto model = core::open_model(name);
  if (!model.ok()) {
    const bool absent = model.error().code == ErrorCode::kNotFound;
    // Neither a file nor a preset: the latter's message lists what there is.
    return absent ? core::find_preset(name).error() : model.error();
  }
  subject.config = model->config;
  subject.file.emplace(std::move(*model));
  return subject;
}

struct Figures {
  Precision precision = Precision::kF32;
  int threads = 1;
  std::string kernel;  // of the peak
  report::ModelCost cost;
  report::Timing forward_ms;
  std::size_t runs = 0;
  double clips_per_s = 0.0;
  double gops = 0.0;       // 10^9 operations a second, two per multiply-accumulate
  double peak_gops = 0.0;  // of the peak's product, in the same run
  double share = 0.0;      // gops / peak_gops
};

Result<Figures> measured(const BenchOptions& options) {
  MIEN_ASSIGN(const Subject subject, open_subject(options.model));
  Figures f;
  const auto located = [&](const Error& error) { return error.within(options.model); };
  auto cost = report::model_cost(subject.config, 0, 0, options.budget);
  if (!cost.ok()) return located(cost.error());
  f.cost = std::move(*cost);
  auto forward =
      engine::Forward::load(subject.config, subject.weights(), options.engine, options.budget);
  if (!forward.ok()) return located(forward.error());
  f.precision = forward->precision();
  engine::EngineOptions same = options.engine;
  same.precision = f.precision;  // what auto became
  MIEN_ASSIGN(engine::GemmPeak peak, engine::GemmPeak::create(same));
  const auto times = engine::measure(*forward, peak, options.seconds);
  if (!times.ok()) return located(times.error());
  f.threads = forward->threads();
  f.kernel = peak.kernel();
  f.forward_ms = report::timing_of(times->forward_ms);
  f.runs = times->forward_ms.size();
  f.clips_per_s = 1e3 / f.forward_ms.median;
  f.gops = 2.0 * f.cost.gmacs * f.clips_per_s;
  f.peak_gops =
      1e3 * engine::GemmPeak::giga_operations() / report::timing_of(times->peak_ms).median;
  f.share = f.gops / f.peak_gops;
  return f;
}

std::string as_json(const BenchOptions& options, const Figures& f) {
  report::JsonWriter json;
  json.begin_object().key("model").string(options.model);
  json.key("precision").string(precision_name(f.precision));
  json.key("threads").integer(f.threads);
  json.key("frames").integer(f.cost.frames).key("size").integer(f.cost.size);
  if (f.cost.budget > 0.0) json.key("budget").number(f.cost.budget, 6);
  json.key("gmacs").number(f.cost.gmacs, 6);
  json.key("runs").integer(static_cast<std::int64_t>(f.runs));
  json.key("median_ms").number(f.forward_ms.median, 4);
  json.key("p10_ms").number(f.forward_ms.p10, 4).key("p90_ms").number(f.forward_ms.p90, 4);
  json.key("clips_per_s").number(f.clips_per_s, 4).key("gops").number(f.gops, 3);
  json.key("peak_gops").number(f.peak_gops, 3).key("share").number(f.share, 5);
  json.key("peak_kernel").string(f.kernel);
  return json.end_object().take();
}

void print_table(const BenchOptions& options, const Figures& f) {
  std::printf("%s: %d frame%s of %dx%d, %s, %d thread%s, %zu runs", options.model.c_str(),
              f.cost.frames, f.cost.frames == 1 ? "" : "s", f.cost.size, f.cost.size,
              precision_name(f.precision), f.threads, f.threads == 1 ? "" : "s", f.runs);
  if (f.cost.budget > 0.0) std::printf(", %g of the tokens past the gate", f.cost.budget);
  std::printf("\n  %-14s %10.2f ms  (p10 %.2f, p90 %.2f)\n", "median", f.forward_ms.median,
              f.forward_ms.p10, f.forward_ms.p90);
  std::printf("  %-14s %10.2f\n", "clips/s", f.clips_per_s);
  std::printf("  %-14s %10.1f GOP/s\n", "computed", f.gops);
  std::printf("  %-14s %10.1f GOP/s  (%s)\n", "matmul peak", f.peak_gops, f.kernel.c_str());
  std::printf("  %-14s %10.1f %%\n", "share of it", 100.0 * f.share);
}

int run(BenchOptions options) {
  const auto precision = parse_precision(options.precision);
  if (!precision.ok()) return wrong_usage(precision.error().to_string());
  options.engine.precision = *precision;
  const auto figures = measured(options);
  if (!figures.ok()) return failed(figures.error());
  if (options.json) {
    std::printf("%s\n", as_json(options, *figures).c_str());
  } else {
    print_table(options, *figures);
  }
  return kExitDone;
}

}  // namespace

void add_bench(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = root.add_subcommand("bench", "Measure a model's forward pass");
  command
      ->add_option("model", options->model,
                   "a preset (s2d-base, ...; with random weights) or a model file")
      ->required();
  command->add_option("--precision", options->precision, "auto, f32, bf16 or int8");
  command->add_option("--threads", options->engine.threads, "default: all CPUs")
      ->check(CLI::Range(1, 256));
  command->add_option("--seconds", options->seconds, "how long to measure (default: 5)")
      ->check(CLI::Range(0.0, 3600.0));
  command
      ->add_option("--budget", options->budget,
                   "AdaTosk: share of the tokens that is computed to the end, above 0 up to 1 "
                   "(default: the model's)")
      ->check(CLI::Range(1e-6, 1.0));
  command->add_flag("--json", options->json, "print JSON");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace mien::cli
