// `mien cost`: parameters, multiply-accumulates and activation memory, counted from the spec.
#include "report/cost.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "core/model_file.h"
#include "core/presets.h"
#include "report/json_writer.h"

namespace mien::cli {
namespace {

struct CostOptions {
  std::string model;
  int frames = 0;
  int size = 0;
  double budget = 0.0;
  bool json = false;
};

// A preset by name, or the config inside a model file.
Result<core::ModelConfig> find_config(const std::string& name) {
  const auto presets = core::preset_names();
  const bool is_preset = std::find(presets.begin(), presets.end(), name) != presets.end();
  if (is_preset) return core::find_preset(name);
  auto model = core::open_model(name);
  if (model.ok()) return std::move(model->config);
  if (model.error().code == ErrorCode::kNotFound) {
    // Neither a file nor a preset: the latter's message lists what there is.
    return core::find_preset(name).error();
  }
  return model.error();
}

std::string as_json(const std::string& name, const report::ModelCost& cost) {
  report::JsonWriter json;
  json.begin_object().key("model").string(name);
  json.key("frames").integer(cost.frames).key("size").integer(cost.size);
  if (cost.budget > 0.0) json.key("budget").number(cost.budget, 6);
  json.key("parameters").integer(cost.parameters).key("gmacs").number(cost.gmacs, 6);
  json.key("by_part").begin_object();
  for (const auto& [part, gmacs] : cost.by_part) json.key(part).number(gmacs, 6);
  json.end_object();
  json.key("landmark_parameters").integer(cost.landmark_parameters);
  json.key("landmark_gmacs").number(cost.landmark_gmacs, 6);
  json.key("activation_bytes").integer(cost.activation_bytes);
  return json.end_object().take();
}

void print_table(const std::string& name, const report::ModelCost& cost) {
  std::printf("%s: %d frame%s of %dx%d", name.c_str(), cost.frames, cost.frames == 1 ? "" : "s",
              cost.size, cost.size);
  if (cost.budget > 0.0) std::printf(", %g of the tokens past the gate", cost.budget);
  std::printf("\n");
  std::printf("  %-20s %15lld\n", "parameters", static_cast<long long>(cost.parameters));
  std::printf("  %-20s %15.3f\n", "GMACs", cost.gmacs);
  for (const auto& [part, gmacs] : cost.by_part) {
    std::printf("    %-18s %15.3f\n", part.c_str(), gmacs);
  }
  const bool apart = cost.landmark_gmacs > 0.0 && cost.by_part.front().first != "landmark";
  if (apart) {
    std::printf("  %-20s %15.3f  (%lld parameters, not counted above)\n", "landmark trunk",
                cost.landmark_gmacs, static_cast<long long>(cost.landmark_parameters));
  }
  std::printf("  %-20s %15.1f\n", "activations, MiB",
              static_cast<double>(cost.activation_bytes) / (1 << 20));
}

int run(const CostOptions& options) {
  const auto config = find_config(options.model);
  if (!config.ok()) return failed(config.error());
  const auto cost = report::model_cost(*config, options.frames, options.size, options.budget);
  if (!cost.ok()) return failed(cost.error().within(options.model));
  if (options.json) {
    std::printf("%s\n", as_json(options.model, *cost).c_str());
  } else {
    print_table(options.model, *cost);
  }
  return kExitDone;
}

}  // namespace

void add_cost(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<CostOptions>();
  CLI::App* command = root.add_subcommand("cost", "Count parameters and multiply-accumulates");
  command->add_option("model", options->model, "a preset (s2d-base, ...) or a model file")
      ->required();
  command->add_option("--frames", options->frames, "frames of the clip (default: the model's)")
      ->check(CLI::Range(1, 4096));
  command->add_option("--size", options->size, "side in pixels (default: the model's)")
      ->check(CLI::Range(1, 4096));
  command
      ->add_option("--budget", options->budget,
                   "AdaTosk: share of the tokens computed past the gate, above 0 up to 1 (default: "
                   "the model's)")
      ->check(CLI::Range(1e-6, 1.0));
  command->add_flag("--json", options->json, "print JSON");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace mien::cli
