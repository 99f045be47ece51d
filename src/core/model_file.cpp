#include "core/model_file.h"

namespace mien::core {

Result<ModelFile> open_model(const std::string& path) {
  auto file = SafetensorsFile::open(path);
  if (!file) return file.error();
  const auto& metadata = file->metadata();
  const auto format = metadata.find("mien.format");
  const auto text = metadata.find("mien.config");
  if (format == metadata.end() || text == metadata.end()) {
    return make_error(
        ErrorCode::kBadFormat,
        "is a safetensors file but not a mien model (no mien.config inside; see 'mien convert')",
        path);
  }
  if (format->second != "1") {
    return make_error(ErrorCode::kUnsupported,
                      "has model format " + format->second + ", this build reads 1", path);
  }
  auto config = parse_model_config(text->second);
  if (!config) return config.error().within(path);
  if (auto status = check_tensors(tensor_table(*config), file->tensors()); !status) {
    return status.error().within(path);
  }
  return ModelFile{path, std::move(*config), std::move(*file)};
}

Status write_model(const std::string& path, const ModelConfig& config, const TensorViewMap& tensors,
                   DType storage) {
  const TensorTable table = tensor_table(config);
  MIEN_TRY(validate(config));
  MIEN_TRY(check_tensors(table, tensors));
  TensorMap stored;
  TensorViewMap views;
  for (const TensorSpec& spec : table) {
    MIEN_ASSIGN(Tensor tensor, convert_float(tensors.at(spec.name), storage));
    views[spec.name] = stored.emplace(spec.name, std::move(tensor)).first->second.view();
  }
  return write_safetensors(path, views, {{"mien.format", "1"}, {"mien.config", to_json(config)}});
}

}  // namespace mien::core
