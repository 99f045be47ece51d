#include "pipeline/random_models.h"

#include <cmath>
#include <random>

#include "core/labels.h"
#include "core/model_file.h"
#include "core/presets.h"

namespace mien::testing {
namespace {

bool ends_with(const std::string& name, const char* tail) {
  return name.ends_with(tail);
}

// Weights so sized that activations neither vanish nor explode: variance 1 / inputs.
core::TensorMap random_tensors(const core::TensorTable& table, std::uint32_t seed) {
  std::mt19937 random(seed);
  core::TensorMap tensors;
  for (const core::TensorSpec& spec : table) {
    std::vector<float> values(core::element_count(spec.shape));
    const auto outputs = static_cast<float>(spec.shape.empty() ? 1 : spec.shape[0]);
    const float inputs = std::max(1.0F, static_cast<float>(values.size()) / outputs);
    std::normal_distribution<float> normal(0.0F, 1.0F / std::sqrt(inputs));
    const bool norm_scale = spec.shape.size() == 1 && ends_with(spec.name, "weight");
    for (float& value : values) {
      if (ends_with(spec.name, "running_var")) {
        value = 1.0F;
      } else if (norm_scale) {
        value = 1.0F;
      } else if (spec.shape.size() <= 1) {
        value = 0.01F * normal(random);
      } else {
        value = normal(random);
      }
    }
    tensors[spec.name] = core::Tensor::from_f32(values, spec.shape);
  }
  return tensors;
}

Status write(const std::string& path, const core::ModelConfig& config, std::uint32_t seed) {
  const core::TensorMap tensors = random_tensors(core::tensor_table(config), seed);
  return core::write_model(path, config, core::views_of(tensors), core::DType::kF16);
}

}  // namespace

Status write_random_recognizer(const std::string& path, const RandomModel& model) {
  MIEN_ASSIGN(core::ModelConfig config, core::find_preset("s2d-tiny"));
  config.s2d.temporal = model.temporal;
  config.s2d.with_landmark = true;
  config.s2d.embed_dim = model.width;
  config.s2d.num_heads = model.width / 64;
  config.s2d.depth = model.depth;
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("ferplus"));
  config.classes = labels.classes;
  return write(path, config, model.seed);
}

Status write_random_adatosk(const std::string& path, std::uint32_t seed) {
  MIEN_ASSIGN(core::ModelConfig config, core::find_preset("adatosk-tiny"));
  config.adatosk.stem = {{8, 2}, {16, 2}, {24, 2}, {32, 2}};
  config.adatosk.vit.embed_dim = 64;
  config.adatosk.vit.num_heads = 2;
  config.adatosk.vit.depth = 3;
  config.adatosk.gate = 1;
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("ferplus"));
  config.classes = labels.classes;
  return write(path, config, seed);
}

Status write_random_landmark_net(const std::string& path, std::uint32_t seed) {
  MIEN_ASSIGN(const core::ModelConfig config, core::find_preset("landmark"));
  return write(path, config, seed);
}

}  // namespace mien::testing
