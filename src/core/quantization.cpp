#include "core/quantization.h"

#include <set>

#include "core/model_config.h"
#include "core/quantization_json.h"

namespace mien::core {
namespace {

using Json = nlohmann::json;

Error bad(const std::string& what) {
  return make_error(ErrorCode::kBadFormat, "'quantization' " + what, "config");
}

Status read_share(const Json& json, const char* key, double& out) {
  const auto it = json.find(key);
  if (it == json.end()) return {};
  if (!it->is_number()) return bad(std::string("has a '") + key + "' that is not a number");
  out = it->get<double>();
  return {};
}

Status read_kept(const Json& json, std::vector<std::string>& keep) {
  const auto it = json.find("keep");
  if (it == json.end()) return {};
  if (!it->is_array()) return bad("has a 'keep' that is not a list");
  for (const Json& name : *it) {
    if (!name.is_string()) return bad("keeps a layer whose name is not text");
    keep.push_back(name.get<std::string>());
  }
  return {};
}

std::size_t stem_layers(const ModelConfig& config) {
  if (config.arch == Arch::kS2D) return config.s2d.stem.size();
  return config.arch == Arch::kAdaTosk ? config.adatosk.stem.size() : 0;
}

}  // namespace

Result<Quantization> read_quantization(const Json& json) {
  if (!json.is_object()) return bad("is not a JSON object");
  Quantization q;
  if (const auto it = json.find("int8"); it != json.end()) {
    if (!it->is_boolean()) return bad("has an 'int8' that is not true or false");
    q.int8 = it->get<bool>();
  }
  MIEN_TRY(read_kept(json, q.keep));
  MIEN_TRY(read_share(json, "agreement", q.agreement));
  MIEN_TRY(read_share(json, "accuracy_f32", q.accuracy_f32));
  MIEN_TRY(read_share(json, "accuracy_bf16", q.accuracy_bf16));
  MIEN_TRY(read_share(json, "accuracy_int8", q.accuracy_int8));
  if (const auto it = json.find("samples"); it != json.end()) {
    if (!it->is_number_integer()) return bad("has 'samples' that are not a whole number");
    q.samples = it->get<std::int64_t>();
  }
  if (const auto it = json.find("layers"); it != json.end()) {
    if (!it->is_number_integer()) return bad("has 'layers' that are not a whole number");
    q.layers = it->get<std::int64_t>();
  }
  if (const auto it = json.find("data"); it != json.end()) {
    if (!it->is_string()) return bad("has a 'data' that is not text");
    q.data = it->get<std::string>();
  }
  return q;
}

Json quantization_json(const Quantization& q) {
  return {{"int8", q.int8},
          {"keep", q.keep},
          {"agreement", q.agreement},
          {"accuracy_f32", q.accuracy_f32},
          {"accuracy_bf16", q.accuracy_bf16},
          {"accuracy_int8", q.accuracy_int8},
          {"samples", q.samples},
          {"layers", q.layers},
          {"data", q.data}};
}

std::vector<std::string> int8_layers(const ModelConfig& config) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < stem_layers(config); ++i) {
    names.push_back("patch_embed.stem." + std::to_string(i) + ".conv");
  }
  for (int i = 0; i < config.depth(); ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    for (const char* layer : {"attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"}) {
      names.push_back(block + layer);
    }
  }
  return names;
}

bool holds_in_int8(const ModelConfig& config) {
  if (!config.quantization || !config.quantization->int8) return false;
  return config.quantization->layers == static_cast<std::int64_t>(int8_layers(config).size());
}

Status validate_quantization(const ModelConfig& config) {
  if (!config.quantization) return {};
  const Quantization& q = *config.quantization;
  const std::vector<std::string> layers = int8_layers(config);
  std::set<std::string> left(layers.begin(), layers.end());
  for (const std::string& name : q.keep) {
    if (left.erase(name) == 0)
      return bad("keeps '" + name + "', which is no int8 layer or is twice");
  }
  for (const double share : {q.agreement, q.accuracy_f32, q.accuracy_bf16, q.accuracy_int8}) {
    if (!(share >= 0.0 && share <= 1.0)) return bad("has a share outside 0..1");
  }
  if (q.samples < 0) return bad("has a negative number of samples");
  return {};
}

}  // namespace mien::core
