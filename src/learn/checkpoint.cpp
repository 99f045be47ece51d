#include "learn/checkpoint.h"

#include <charconv>
#include <cstring>

#include "core/safetensors.h"
#include "learn/state.h"

namespace mien::learn {
namespace {

constexpr const char* kVersion = "1";

// Exact text of a double (and back): hexadecimal floating point.
std::string exact(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::hex);
  return {buffer, end.ptr};
}

bool read_exact(const core::SafetensorsMetadata& metadata, const char* key, double& out) {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return false;
  const std::string& text = it->second;
  return std::from_chars(text.data(), text.data() + text.size(), out, std::chars_format::hex).ec ==
         std::errc();
}

bool read_int(const core::SafetensorsMetadata& metadata, const char* key, std::int64_t& out) {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return false;
  const std::string& text = it->second;
  return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

core::Tensor step_tensor(std::int64_t step) {
  core::Tensor out = core::Tensor::zeros(core::DType::kI64, {1});
  std::memcpy(out.bytes.data(), &step, sizeof(step));
  return out;
}

void collect_optimizer(const TrainState& state, core::TensorMap& out) {
  const auto parameters = state.module.named_parameters();
  for (const ParamGroup& group : state.groups) {
    for (const std::string& name : group.names) {
      const auto it = state.optimizer.state().find(adamw_state_key(parameters[name]));
      if (it == state.optimizer.state().end()) continue;
      const auto& adam = static_cast<const torch::optim::AdamWParamState&>(*it->second);
      out["adamw." + name + ".step"] = step_tensor(adam.step());
      out["adamw." + name + ".exp_avg"] = to_core(adam.exp_avg());
      out["adamw." + name + ".exp_avg_sq"] = to_core(adam.exp_avg_sq());
    }
  }
}

void restore_optimizer(TrainState& state, const core::TensorViewMap& tensors) {
  const auto parameters = state.module.named_parameters();
  for (const ParamGroup& group : state.groups) {
    for (const std::string& name : group.names) {
      const auto step = tensors.find("adamw." + name + ".step");
      if (step == tensors.end()) continue;
      const auto device = parameters[name].device();
      auto adam = std::make_unique<torch::optim::AdamWParamState>();
      adam->step(step->second.as<std::int64_t>()[0]);
      adam->exp_avg(to_torch(tensors.at("adamw." + name + ".exp_avg")).to(device));
      adam->exp_avg_sq(to_torch(tensors.at("adamw." + name + ".exp_avg_sq")).to(device));
      state.optimizer.state()[adamw_state_key(parameters[name])] = std::move(adam);
    }
  }
}

// Every tensor the run needs is there and has the shape it must have.
Status check_tensors(const TrainState& state, const core::TensorViewMap& tensors) {
  for (const auto& [name, tensor] : named_state(state.module)) {
    for (const char* part : {"model.", "ema."}) {
      const auto it = tensors.find(part + name);
      if (it == tensors.end() || it->second.shape != tensor.sizes().vec()) {
        return make_error(ErrorCode::kBadFormat,
                          "lacks a tensor of this model or has it in another shape", part + name);
      }
    }
    for (const char* part : {".exp_avg", ".exp_avg_sq"}) {
      const bool stepped = tensors.contains("adamw." + name + ".step");
      const auto it = tensors.find("adamw." + name + part);
      if (stepped && (it == tensors.end() || it->second.shape != tensor.sizes().vec())) {
        return make_error(ErrorCode::kBadFormat, "lacks optimizer state", name);
      }
    }
  }
  for (const auto& [name, tensor] : state.extra) {
    const auto it = tensors.find("extra." + name);
    if (it == tensors.end() || it->second.shape != tensor.sizes().vec()) {
      return make_error(ErrorCode::kBadFormat, "lacks a tensor of the job or has another shape",
                        name);
    }
  }
  return {};
}

}  // namespace

Status save_checkpoint(const std::string& path, const TrainState& state) {
  core::TensorMap tensors;
  for (const auto& [name, tensor] : named_state(state.module)) {
    tensors["model." + name] = to_core(tensor);
    tensors["ema." + name] = to_core(state.ema.state().at(name));
  }
  for (const auto& [name, tensor] : state.extra) tensors["extra." + name] = to_core(tensor);
  collect_optimizer(state, tensors);
  const TrainProgress& p = state.progress;
  return core::write_safetensors(path, core::views_of(tensors),
                                 {{"mien.checkpoint", kVersion},
                                  {"config", state.config_text},
                                  {"step", std::to_string(p.step)},
                                  {"loss_count", std::to_string(p.loss_count)},
                                  {"best_score", exact(p.best_score)},
                                  {"seconds", exact(p.seconds)},
                                  {"loss_sum", exact(p.loss_sum)}});
}

Status load_checkpoint(const std::string& path, TrainState& state) {
  MIEN_ASSIGN(const core::SafetensorsFile file, core::SafetensorsFile::open(path));
  const auto& metadata = file.metadata();
  const auto version = metadata.find("mien.checkpoint");
  if (version == metadata.end() || version->second != kVersion) {
    return make_error(ErrorCode::kBadFormat, "is not a training checkpoint of this version", path);
  }
  if (!metadata.contains("config") || metadata.at("config") != state.config_text) {
    return make_error(
        ErrorCode::kInvalidArgument,
        "belongs to a run with another config (choose another run.name to start anew)", path);
  }
  TrainProgress progress;
  if (!read_int(metadata, "step", progress.step) ||
      !read_int(metadata, "loss_count", progress.loss_count) ||
      !read_exact(metadata, "best_score", progress.best_score) ||
      !read_exact(metadata, "seconds", progress.seconds) ||
      !read_exact(metadata, "loss_sum", progress.loss_sum)) {
    return make_error(ErrorCode::kBadFormat, "lacks the counters of a checkpoint", path);
  }
  if (auto status = check_tensors(state, file.tensors()); !status)
    return status.error().within(path);
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : named_state(state.module)) {
    tensor.copy_(to_torch(file.tensors().at("model." + name)));
    state.ema.state().at(name).copy_(to_torch(file.tensors().at("ema." + name)));
  }
  for (auto& [name, tensor] : state.extra) {
    tensor.copy_(to_torch(file.tensors().at("extra." + name)));
  }
  restore_optimizer(state, file.tensors());
  state.progress = progress;
  return {};
}

}  // namespace mien::learn
