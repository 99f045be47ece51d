// `mien export`: a model as an ONNX graph.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "core/model_file.h"
#include "export/onnx.h"

namespace mien::cli {
namespace {

struct ExportOptions {
  std::string model, output;
  double budget = 0.0;
};

int run(const ExportOptions& options) {
  const auto model = core::open_model(options.model);
  if (!model.ok()) return failed(model.error());
  const exporting::OnnxOptions onnx{.budget = options.budget, .version = MIEN_VERSION};
  const auto size = exporting::export_onnx(model->config, model->tensors(), onnx, options.output);
  if (!size.ok()) {
    // An error with the output's name is about the output.
    const bool output = size.error().context == options.output;
    return failed(output ? size.error() : size.error().within(options.model));
  }
  std::printf("%s: %s, opset %lld, %zu nodes, %.1f MiB\n", options.output.c_str(),
              core::arch_name(model->config.arch), static_cast<long long>(exporting::kOpset),
              size->nodes, static_cast<double>(size->bytes) / (1 << 20));
  return kExitDone;
}

}  // namespace

void add_export(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = root.add_subcommand("export", "Write a model as ONNX");
  command->add_option("model", options->model, "model file")->required();
  command->add_option("output", options->output, ".onnx file to write")->required();
  command
      ->add_option("--budget", options->budget,
                   "AdaTosk: share of the tokens that the graph computes to the end, above 0 up to "
                   "1 (default: the model's)")
      ->check(CLI::Range(1e-6, 1.0));
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace mien::cli
