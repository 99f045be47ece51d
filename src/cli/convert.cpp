// `mien convert`: a PyTorch checkpoint, or a .safetensors of its tensors, becomes a model file.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>

#include "cli/command.h"
#include "cli/terminal.h"
#include "core/mobilefacenet_spec.h"
#include "core/model_file.h"
#include "core/pth.h"
#include "core/s2d_spec.h"
#include "core/videomae_spec.h"

namespace mien::cli {
namespace {

struct ConvertOptions {
  std::string input, output, config, landmark;
  bool half = false;
};

// Tensors of either kind of file; views point into whichever member is in use.
struct Source {
  core::TensorMap owned;
  std::optional<core::SafetensorsFile> file;
  core::TensorViewMap views;
  std::string config_json;  // a model file's own
};

Result<Source> read_source(const std::string& path) {
  Source source;
  if (path.ends_with(".safetensors")) {
    MIEN_ASSIGN(auto file, core::SafetensorsFile::open(path));
    source.file.emplace(std::move(file));
    source.views = source.file->tensors();
    const auto& metadata = source.file->metadata();
    if (const auto it = metadata.find("mien.config"); it != metadata.end()) {
      source.config_json = it->second;
    }
    return source;
  }
  MIEN_ASSIGN(auto checkpoint, core::read_pth(path));
  auto tensors = core::select_state_dict(std::move(checkpoint));
  if (!tensors.ok()) return tensors.error().within(path);
  source.owned = std::move(*tensors);
  source.views = core::views_of(source.owned);
  return source;
}

// The config that the tensors themselves imply.
Result<core::ModelConfig> infer_config(const core::TensorViewMap& tensors) {
  core::ModelConfig config;
  const auto points = tensors.find("output_layer.linear.weight");
  if (points != tensors.end() && points->second.shape.size() == 2) {
    config.arch = core::Arch::kMobileFaceNet;
    config.mobilefacenet.embedding_size = static_cast<int>(points->second.shape[0]);
    return config;
  }
  if (tensors.contains("mask.slot_mean")) {
    return make_error(ErrorCode::kUnsupported,
                      "AdaTosk's tensors do not say where its gate is: give --config");
  }
  // A patch over several frames.
  const auto patch = tensors.find("patch_embed.proj.weight");
  if (patch != tensors.end() && patch->second.shape.size() == 5) {
    config.arch = core::Arch::kVideoMae;
    MIEN_ASSIGN(config.videomae, core::infer_videomae_config(tensors));
    return config;
  }
  MIEN_ASSIGN(config.s2d, core::infer_s2d_config(tensors));
  return config;
}

// What no tensor tells about a transformer.
std::string assumptions(const core::ModelConfig& config) {
  const bool videomae = config.arch == core::Arch::kVideoMae;
  const int heads = videomae ? config.videomae.num_heads : config.s2d.num_heads;
  const std::string text = std::to_string(heads) + " attention heads (width / 64)";
  if (!videomae) return text;
  const std::string side = std::to_string(config.videomae.img_size);
  return text + ", clips of " + std::to_string(config.videomae.num_frames) + " frames of " + side +
         "x" + side;
}

Result<core::ModelConfig> find_config(const ConvertOptions& options, const Source& source) {
  if (!options.config.empty()) {
    MIEN_ASSIGN(const std::string text, core::read_text_file(options.config));
    auto config = core::parse_model_config(text);
    if (!config.ok()) return config.error().within(options.config);
    return config;
  }
  auto config = source.config_json.empty() ? infer_config(source.views)
                                           : core::parse_model_config(source.config_json);
  if (!config.ok()) return config.error().within(options.input);
  if (source.config_json.empty() && config->arch != core::Arch::kMobileFaceNet) {
    print_line("no --config: assuming " + assumptions(*config) +
               ", ImageNet normalisation and unnamed classes");
  }
  return config;
}

// Image checkpoints call the last norm `norm`; the official fine-tuning renames it as well.
void rename_last_norm(core::TensorViewMap& tensors) {
  for (const char* part : {".weight", ".bias"}) {
    const std::string to = std::string("ln_post") + part;
    auto node = tensors.extract(std::string("norm") + part);
    if (node.empty() || tensors.contains(to)) continue;
    node.key() = to;
    tensors.insert(std::move(node));
  }
}

// Adds the trunk of a landmark network under S2D's names for it.
Status add_landmark(const Source& source, core::TensorViewMap& tensors) {
  const bool prefixed =
      source.views.contains(std::string(core::kLandmarkPrefix) + "conv1.conv.weight");
  for (const core::TensorSpec& spec : core::mobilefacenet_trunk_table("")) {
    const std::string name = core::kLandmarkPrefix + spec.name;
    const auto it = source.views.find(prefixed ? name : spec.name);
    if (it == source.views.end()) {
      return make_error(ErrorCode::kBadFormat, "has no tensor '" + spec.name + "'");
    }
    tensors[name] = it->second;
  }
  return {};
}

std::size_t count_extra(const core::ModelConfig& config, const core::TensorViewMap& tensors) {
  std::set<std::string> known;
  for (const core::TensorSpec& spec : core::tensor_table(config)) known.insert(spec.name);
  std::size_t extra = 0;
  for (const auto& [name, tensor] : tensors) extra += known.contains(name) ? 0 : 1;
  return extra;
}

int run(const ConvertOptions& options) {
  auto source = read_source(options.input);
  if (!source.ok()) return failed(source.error());
  auto config = find_config(options, *source);
  if (!config.ok()) return failed(config.error());
  core::TensorViewMap& tensors = source->views;
  const bool is_s2d = config->arch == core::Arch::kS2D;
  if (is_s2d) {
    rename_last_norm(tensors);
    // A state dict without it is an image model, whatever the config's default says.
    if (!tensors.contains("temporal_embedding")) config->s2d.temporal = false;
  }
  Source landmark;
  if (!options.landmark.empty()) {
    if (!is_s2d) return wrong_usage("--landmark is for S2D models");
    auto read = read_source(options.landmark);
    if (!read.ok()) return failed(read.error());
    landmark = std::move(*read);
    if (auto status = add_landmark(landmark, tensors); !status.ok()) {
      return failed(status.error().within(options.landmark));
    }
    config->s2d.with_landmark = true;
    config->quantization.reset();  // it was of other weights
  }
  const auto storage = options.half ? core::DType::kF16 : core::DType::kF32;
  if (auto status = core::write_model(options.output, *config, tensors, storage); !status.ok()) {
    const bool about_input = status.error().code != ErrorCode::kIo;
    return failed(about_input ? status.error().within(options.input) : status.error());
  }
  const auto table = core::tensor_table(*config);
  std::printf("%s: %s, %zu tensors, %lld parameters; %zu other tensors left out\n",
              options.output.c_str(), core::arch_name(config->arch), table.size(),
              static_cast<long long>(core::parameter_count(table)), count_extra(*config, tensors));
  return kExitDone;
}

}  // namespace

void add_convert(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App* command = root.add_subcommand("convert", "Make a model file from a checkpoint");
  command->add_option("input", options->input, "checkpoint: .pth, .pt or .safetensors")->required();
  command->add_option("output", options->output, "model file to write (.safetensors)")->required();
  command->add_option("--config", options->config, "JSON with the sizes (default: from the input)");
  command->add_option("--landmark", options->landmark,
                      "checkpoint or model of the landmark network whose trunk S2D takes along");
  command->add_flag("--half", options->half, "store half-precision numbers");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace mien::cli
