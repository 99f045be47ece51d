// Golden tensors for the LibTorch parity tests.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <string>

#include "core/files.h"
#include "core/model_config.h"
#include "core/safetensors.h"
#include "learn/state.h"

namespace mien::learn::test {

inline std::string golden_path(const std::string& name) {
  return std::string(MIEN_SHARED_DIR) + "/reference/golden/" + name;
}

inline bool have_golden(const std::string& name) {
  return std::filesystem::exists(golden_path(name));
}

// All tensors of a golden file.
inline std::map<std::string, torch::Tensor> read_golden(const std::string& name) {
  const auto file = core::SafetensorsFile::open(golden_path(name)).value();
  std::map<std::string, torch::Tensor> out;
  for (const auto& [key, view] : file.tensors()) out[key] = to_torch(view);
  return out;
}

inline core::ModelConfig golden_config(const std::string& folder) {
  const auto text = core::read_text_file(golden_path(folder + "/config.json")).value();
  return core::parse_model_config(text).value();
}

// The weights of a golden folder into a module that must have exactly those.
template <typename Module>
void load_golden(Module& module, const std::string& folder) {
  const auto file =
      core::SafetensorsFile::open(golden_path(folder + "/weights.safetensors")).value();
  const auto report = load_state(*module, file.tensors(), true);
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_TRUE(report->unexpected.empty()) << report->unexpected.front();
}

// Largest relative error of activations against the official f32 code.
inline constexpr double kTolerance = 1e-4;

// max |a - b| / max |b|
inline double relative_error(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor x = a.detach().to(torch::kDouble).reshape(-1);
  const torch::Tensor y = b.detach().to(torch::kDouble).reshape(-1);
  if (x.sizes() != y.sizes()) return 1e9;
  return ((x - y).abs().max() / y.abs().max().clamp_min(1e-12)).item<double>();
}

inline torch::Tensor normalise(const torch::Tensor& u8_nhwc) {
  const auto mean = torch::tensor({0.485F, 0.456F, 0.406F}).view({1, 3, 1, 1});
  const auto std = torch::tensor({0.229F, 0.224F, 0.225F}).view({1, 3, 1, 1});
  return (u8_nhwc.permute({0, 3, 1, 2}).to(torch::kFloat) / 255.0 - mean) / std;
}

}  // namespace mien::learn::test

#define SKIP_WITHOUT_GOLDEN(name)                                               \
  if (!mien::learn::test::have_golden(name)) {                                  \
    GTEST_SKIP() << "no reference data (" << name << ") beside the repository"; \
  }
