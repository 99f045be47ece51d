#include "core/model_file.h"
#include "core/pth.h"
#include "core/s2d_spec.h"
#include "core/safetensors.h"
#include "learn/job.h"
#include "learn/models/adatosk_init.h"
#include "learn/models/videomae.h"
#include "learn/state.h"
#include "learn/train_config.h"

namespace mien::learn {
namespace {

// Tensors of a model file or an official checkpoint.
Result<core::TensorMap> read_tensors(const std::string& path) {
  if (path.ends_with(".safetensors")) {
    MIEN_ASSIGN(const core::SafetensorsFile file, core::SafetensorsFile::open(path));
    core::TensorMap out;
    for (const auto& [name, view] : file.tensors()) {
      MIEN_ASSIGN(out[name], core::convert_float(view, core::DType::kF32));
    }
    return out;
  }
  auto checkpoint = core::read_pth(path);
  if (!checkpoint) return checkpoint.error();
  return core::select_state_dict(std::move(*checkpoint));
}

// The name here of a checkpoint's tensor; nothing for one that the model does without.
using Rename = std::function<std::optional<std::string>(const std::string&)>;

Rename rename_for(const TrainConfig& config, const std::string& path) {
  if (config.model.arch == core::Arch::kVideoMae) return videomae_rename;
  const bool official = config.model.arch == core::Arch::kS2D && !path.ends_with(".safetensors");
  if (!official) return [](const std::string& name) { return std::optional<std::string>(name); };
  // NOTES.md section 1, "Checkpoint loading for fine-tuning". A landmark net of its own file
  // (init_trunk) has no such names.
  return [](const std::string& name) -> std::optional<std::string> {
    if (name.find("landmark") != std::string::npos) return std::nullopt;
    if (name.starts_with("norm.")) return "ln_post." + name.substr(5);
    return name;
  };
}

// Loads what fits by name and shape; the rest stays fresh (a head for other classes, adapters).
Result<std::size_t> load_matching(torch::nn::Module& module, const core::TensorMap& tensors,
                                  const std::string& prefix, const Rename& rename) {
  const auto state = named_state(module);
  core::TensorMap renamed;
  for (const auto& [name, tensor] : tensors) {
    const auto wanted = rename(name);
    if (!wanted) continue;
    const auto it = state.find(prefix + *wanted);
    if (it != state.end() && it->second.sizes().vec() == tensor.shape) {
      renamed[prefix + *wanted] = tensor;
    }
  }
  auto loaded = load_state(module, core::views_of(renamed), false);
  if (!loaded) return loaded.error();
  return renamed.size();
}

// The trunk alone of an S2D model file, under the names of a landmark model; other files as they
// are.
core::TensorMap trunk_of(core::TensorMap tensors) {
  const std::string prefix = core::kLandmarkPrefix;
  core::TensorMap trunk;
  for (auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) trunk[name.substr(prefix.size())] = std::move(tensor);
  }
  return trunk.empty() ? tensors : trunk;
}

}  // namespace

std::vector<float> inherited_face_template(const TrainConfig& config) {
  if (!config.init.ends_with(".safetensors")) return {};
  const auto file = core::open_model(config.init);
  return file ? file->config.face_template : std::vector<float>{};
}

Result<std::string> initialise(torch::nn::Module& module, const TrainConfig& config) {
  std::string said;
  const bool landmark = config.task == "landmark";
  for (const auto& [path, prefix] :
       {std::pair{config.init, std::string(landmark ? "net." : "")},
        std::pair{config.init_trunk, std::string(landmark ? "net." : core::kLandmarkPrefix)}}) {
    if (path.empty()) continue;
    auto tensors = read_tensors(path);
    if (!tensors) return tensors.error().within(path);
    if (config.model.arch == core::Arch::kAdaTosk) {
      tensors = adatosk_start(std::move(*tensors), config.model.adatosk);
      if (!tensors) return tensors.error().within(path);
    }
    if (prefix == core::kLandmarkPrefix) tensors = trunk_of(std::move(*tensors));
    MIEN_ASSIGN(const std::size_t count,
                load_matching(module, *tensors, prefix, rename_for(config, path)));
    if (count == 0) {
      return make_error(ErrorCode::kBadFormat, "has no tensor that fits this model", path);
    }
    said += (said.empty() ? "" : ", ") + std::to_string(count) + " tensors from " + path;
  }
  return said;
}

}  // namespace mien::learn
