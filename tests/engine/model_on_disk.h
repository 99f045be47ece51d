// A random model as a file, for tests of what loads one.
#pragma once

#include "core/model_file.h"
#include "core/temp_folder.h"
#include "random_model.h"

namespace mien::test {

// S2D with its landmark trunk, 48x48 pictures on a 3x3 grid: milliseconds a frame.
inline core::ModelConfig small_config(bool temporal) {
  core::ModelConfig config;
  core::S2DConfig& c = config.s2d;
  c.img_size = 48;
  c.patch_size = 16;
  c.landmark_size = 24;
  c.embed_dim = 32;
  c.depth = 2;
  c.num_heads = 2;
  c.adapter_scale = 0.25;
  c.num_frames = 4;
  c.num_classes = 3;
  c.with_landmark = true;
  c.temporal = temporal;
  config.classes = {"neutral", "happiness", "sadness"};
  return config;
}

// VideoMAE on clips of 4 frames of 48x48: 18 tokens.
inline core::ModelConfig small_videomae_config() {
  core::ModelConfig config;
  config.arch = core::Arch::kVideoMae;
  core::VideoMaeConfig& c = config.videomae;
  c.img_size = 48;
  c.num_frames = 4;
  c.embed_dim = 32;
  c.depth = 2;
  c.num_heads = 2;
  c.num_classes = 3;
  config.classes = {"neutral", "happiness", "sadness"};
  return config;
}

// AdaTosk on the same clips; half of the 18 tokens go past its mask.
inline core::ModelConfig small_adatosk_config() {
  core::ModelConfig config = small_videomae_config();
  config.arch = core::Arch::kAdaTosk;
  config.adatosk.vit = config.videomae;
  config.adatosk.vit.depth = 3;
  config.adatosk.gate = 1;
  config.adatosk.budget = 0.5;
  return config;
}

inline core::ModelConfig landmark_config() {
  core::ModelConfig config;
  config.arch = core::Arch::kMobileFaceNet;
  return config;
}

// Writes it and returns the path.
inline std::string write_random(const testing::TempFolder& folder, const core::ModelConfig& config,
                                unsigned seed = 5) {
  const core::TensorMap tensors = random_tensors(config, seed);
  const std::string path = folder.file("model.safetensors");
  const auto status = core::write_model(path, config, core::views_of(tensors), core::DType::kF32);
  EXPECT_TRUE(status.ok()) << status.error().to_string();
  return path;
}

}  // namespace mien::test
