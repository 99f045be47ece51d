// `mien infer`: raw tensors through a model, for checking it against other programs.
#include "engine/infer.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "report/json_writer.h"

namespace mien::cli {
namespace {

struct InferArguments {
  std::string model, input, output;
  engine::InferOptions options;
  bool json = false;
};

void print_summary(const InferArguments& arguments, const engine::InferResult& result) {
  if (!arguments.json) {
    std::printf("%s: %zu tensors, %s, forward %.1f ms\n", arguments.output.c_str(),
                result.outputs.size(), precision_name(result.precision), result.forward_ms);
    return;
  }
  report::JsonWriter json;
  json.begin_object().key("output").string(arguments.output);
  json.key("precision").string(precision_name(result.precision));
  json.key("forward_ms").number(result.forward_ms, 3);
  json.key("tensors").begin_object();
  for (const auto& [name, tensor] : result.outputs) {
    json.key(name).begin_array(report::JsonWriter::Layout::kInline);
    for (const std::int64_t size : tensor.shape) json.integer(size);
    json.end_array();
  }
  std::printf("%s\n", json.end_object().end_object().take().c_str());
}

int run(const InferArguments& arguments) {
  const auto model = core::open_model(arguments.model);
  if (!model.ok()) return failed(model.error());
  const auto inputs = core::SafetensorsFile::open(arguments.input);
  if (!inputs.ok()) return failed(inputs.error());
  const auto result = engine::infer(*model, inputs->tensors(), arguments.options);
  if (!result.ok()) {
    // What is wrong with an input lies in the input file, everything else in the model's.
    const bool input = result.error().code == ErrorCode::kInvalidArgument;
    return failed(result.error().within(input ? arguments.input : arguments.model));
  }
  if (auto status = core::write_safetensors(arguments.output, core::views_of(result->outputs));
      !status.ok()) {
    return failed(status.error());
  }
  print_summary(arguments, *result);
  return kExitDone;
}

}  // namespace

void add_infer(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<InferArguments>();
  CLI::App* command = root.add_subcommand("infer", "Run a model on raw tensors");
  command->add_option("model", arguments->model, "model file")->required();
  command
      ->add_option("input", arguments->input,
                   ".safetensors with video_u8 [T,H,W,3] or x [B,3,T,H,W] (for S2D also a) for "
                   "expression models, image_u8 or x [N,3,112,112] for landmark models")
      ->required();
  command->add_option("output", arguments->output, ".safetensors to write")->required();
  const std::map<std::string, Precision> precisions = {{"auto", Precision::kAuto},
                                                       {"f32", Precision::kF32},
                                                       {"bf16", Precision::kBf16},
                                                       {"int8", Precision::kInt8}};
  command->add_option("--precision", arguments->options.engine.precision, "auto, f32, bf16 or int8")
      ->transform(CLI::CheckedTransformer(precisions, CLI::ignore_case));
  command->add_option("--threads", arguments->options.engine.threads, "default: all CPUs")
      ->check(CLI::Range(1, 256));
  const std::map<std::string, engine::NativeBf16> native = {{"auto", engine::NativeBf16::kAuto},
                                                            {"on", engine::NativeBf16::kOn},
                                                            {"off", engine::NativeBf16::kOff}};
  command
      ->add_option("--native-bf16", arguments->options.engine.native_bf16,
                   "whether bf16 uses the CPU's bf16 instructions: auto, on or off")
      ->transform(CLI::CheckedTransformer(native, CLI::ignore_case));
  command
      ->add_option("--budget", arguments->options.budget,
                   "AdaTosk: share of the tokens that is computed to the end, above 0 up to 1 "
                   "(default: the model's)")
      ->check(CLI::Range(1e-6, 1.0));
  command->add_flag("--activations", arguments->options.activations,
                    "write every named activation");
  command->add_flag("--json", arguments->json, "print JSON");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace mien::cli
