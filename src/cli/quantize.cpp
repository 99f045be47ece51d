// mien quantize: finds out which layers of a model may compute in int8 without its answers
// changing, and writes that into the model file, where --precision auto looks for it.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/calibration.h"
#include "cli/calibration_samples.h"
#include "cli/eval_clips.h"
#include "cli/interrupt.h"
#include "cli/train_command.h"
#include "core/model_file.h"
#include "report/text.h"

namespace mien::cli {
namespace {

constexpr int kDigits = 2;  // behind the point, of percentages

struct QuantizeArguments {
  std::string model;
  CalibrationSource source;
  int threads = 0;
  std::string out;  // empty: the model itself
};

int fail(const Error& error) {
  std::cerr << "mien-train: " << error.to_string() << "\n";
  return error.code == ErrorCode::kCancelled ? 130 : 1;
}

// The same file with another config. Every tensor keeps its bytes.
Status write_calibrated(const core::ModelFile& model, const core::Quantization& quantization,
                        const std::string& path) {
  core::ModelConfig config = model.config;
  config.quantization = quantization;
  MIEN_TRY(core::validate(config));
  core::SafetensorsMetadata metadata = model.file.metadata();
  metadata["mien.config"] = core::to_json(config);
  return core::write_safetensors(path, model.tensors(), metadata);
}

std::string percent(double share) {
  return report::fixed(100.0 * share, kDigits) + " %";
}

std::string summary(const core::Quantization& q, const std::string& path) {
  std::string text = std::to_string(q.samples) + " samples of " + q.data + "\n";
  text += "f32   right on " + percent(q.accuracy_f32) + "\n";
  text += "bf16  right on " + percent(q.accuracy_bf16) + "\n";
  text += "int8  right on " + percent(q.accuracy_int8) + ", agrees with f32 on " +
          percent(q.agreement) + "\n";
  for (const std::string& layer : q.keep) text += "  not in int8: " + layer + "\n";
  text += q.int8 ? "int8 holds: --precision auto takes it where the CPU has VNNI\n"
                 : "int8 does not hold: --precision auto leaves it\n";
  return text + "wrote " + path + "\n";
}

// The folder by its own name: a model file goes to other machines.
std::string data_name(const learn::StillSource& source) {
  std::filesystem::path path(source.path);
  if (!path.has_filename()) path = path.parent_path();
  const std::string folder = report::to_valid_utf8(path.filename().string());
  return folder + " (" + source.format + ", " + source.split + ")";
}

Result<std::string> quantize(const QuantizeArguments& arguments) {
  MIEN_ASSIGN(const core::ModelFile model, core::open_model(arguments.model));
  CalibrationTask task;
  task.layers = core::int8_layers(model.config);
  if (task.layers.empty()) {
    return make_error(ErrorCode::kUnsupported, "has no layers that compute in int8",
                      arguments.model);
  }
  MIEN_ASSIGN(const CalibrationSamples samples, read_samples(model, arguments.source));
  task.truths = samples.truths;
  task.classes = static_cast<std::size_t>(model.config.num_classes());
  task.answers = [&](const engine::EngineOptions& wanted, std::size_t count) {
    engine::EngineOptions options = wanted;
    options.threads = arguments.threads;
    return answer_samples(model, samples, options, count, &interrupted);
  };
  task.on_news = [](const std::string& news) { std::cerr << news << "\n"; };
  if (!engine::has_fast_int8()) {
    std::cerr << "this CPU lacks VNNI: int8 is measured with activations of 7 bits, and comes out "
                 "worse than where it will be used\n";
  }
  MIEN_ASSIGN(core::Quantization found, calibrate(task));
  found.data = data_name(arguments.source.stills);
  found.layers = static_cast<std::int64_t>(task.layers.size());
  const std::string path = arguments.out.empty() ? arguments.model : arguments.out;
  MIEN_TRY(write_calibrated(model, found, path));
  return summary(found, path);
}

int run_quantize(const QuantizeArguments& arguments) {
  catch_interrupts();
  const auto text = quantize(arguments);
  if (!text) return fail(text.error());
  std::cout << *text;
  return 0;
}

void declare(CLI::App& command, QuantizeArguments& arguments) {
  CalibrationSource& source = arguments.source;
  std::string clips;
  for (const std::string& name : clip_eval_formats()) clips += (clips.empty() ? "" : ", ") + name;
  command.add_option("MODEL", arguments.model, "model file")->required();
  command.add_option("--data", source.stills.path, "dataset folder")->required();
  command
      .add_option("--format", source.stills.format,
                  "stills: ferplus, faces, rafdb, affectnet, manifest, pack, auto; clips: " + clips)
      ->capture_default_str();
  command.add_option("--split", source.stills.split, "train, valid or test")->capture_default_str();
  command
      .add_option("--limit", source.limit,
                  "at most so many samples, drawn at random but the same in every run; 0: all")
      ->capture_default_str();
  command.add_option("--fold", source.fold, "clips: the fold of the data set")
      ->check(CLI::Range(1, 10))
      ->capture_default_str();
  command.add_option("--rate", source.rate, "clips: every rate-th frame")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--faces", source.faces, "clips: as of mien eval")
      ->check(CLI::IsMember({"auto", "whole", "detect"}))
      ->capture_default_str();
  command.add_option("--detector", source.detector, "clips: 'haar', or an .onnx face detector")
      ->capture_default_str();
  command.add_option("--threads", arguments.threads, "0: all cores")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command.add_option("--out", arguments.out, "model file to write (default: MODEL itself)");
}

}  // namespace

void add_quantize(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<QuantizeArguments>();
  arguments->source.stills.split = "valid";
  arguments->source.limit = 400;
  CLI::App* command = root.add_subcommand(
      "quantize", "find out which layers of a model may compute in int8, and note it in its file");
  declare(*command, *arguments);
  command->callback([arguments, &exit_code] { exit_code = run_quantize(*arguments); });
}

}  // namespace mien::cli
