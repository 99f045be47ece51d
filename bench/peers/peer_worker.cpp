// mien as a worker of peers.py, and what makes the files that all workers read.
//
//   mien_peer_worker make PRESET MODEL.safetensors CLIP.safetensors
//       a model of random weights (seed 1) and a clip of noise for it: video_u8 [T, S, S, 3] and
//       the same normalised, x [1, C, T, S, S]
//   mien_peer_worker serve MODEL.safetensors CLIP.safetensors f32|bf16|int8 THREADS [BUDGET]
//       prints "ready", then answers lines of stdin: "logits" with the numbers of the clip, "run"
//       with the milliseconds of one forward pass from pixels to logits
//   mien_peer_worker cpu
//       prints "amx_without_tiles 1" where other programs' oneDNN must be kept off AMX, else 0
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "core/cpu.h"
#include "core/model_file.h"
#include "core/presets.h"
#include "core/random_weights.h"
#include "core/rng.h"
#include "engine/forward.h"

namespace {

using namespace mien;  // NOLINT: a program, not a header

int failed(const Error& error) {
  std::cerr << error.to_string() << "\n";
  return 1;
}

// Faces are smooth; noise around grey has at least their range.
core::Tensor noise(const core::ModelConfig& config) {
  const std::int64_t side = config.input_size();
  core::Tensor video =
      core::Tensor::zeros(core::DType::kU8, {config.input_frames(), side, side, 3});
  core::Rng rng(7);
  for (std::uint8_t& v : video.as<std::uint8_t>()) v = static_cast<std::uint8_t>(rng.below(256));
  return video;
}

// (pixel / 255 - mean) / std, planes apart; models of one channel see the luma.
core::Tensor normalised(const core::ModelConfig& config, const core::Tensor& video) {
  const bool luma = config.arch == core::Arch::kAdaTosk && config.adatosk.vit.in_chans == 1;
  const std::size_t channels = luma ? 1 : 3;
  const std::int64_t side = config.input_size();
  core::Tensor x = core::Tensor::zeros(core::DType::kF32, {1, static_cast<std::int64_t>(channels),
                                                           config.input_frames(), side, side});
  const auto pixels = video.as<std::uint8_t>();
  const auto out = x.as<float>();
  const std::size_t places = pixels.size() / 3;
  for (std::size_t p = 0; p < places; ++p) {
    for (std::size_t c = 0; c < channels; ++c) {
      float v = static_cast<float>(pixels[3 * p + c]);
      if (config.input.gray || luma) {
        v = 0.299F * static_cast<float>(pixels[3 * p]) +
            0.587F * static_cast<float>(pixels[3 * p + 1]) +
            0.114F * static_cast<float>(pixels[3 * p + 2]);
      }
      out[c * places + p] = (v / 255.0F - config.input.mean[c]) / config.input.std[c];
    }
  }
  return x;
}

int make(const std::string& preset, const std::string& model, const std::string& clip) {
  auto config = core::find_preset(preset);
  if (!config.ok()) return failed(config.error());
  if (config->arch == core::Arch::kS2D) config->s2d.with_landmark = true;
  const core::TensorMap weights = core::random_weights(*config, 1);
  if (auto status = core::write_model(model, *config, core::views_of(weights), core::DType::kF32);
      !status.ok()) {
    return failed(status.error());
  }
  core::TensorMap inputs;
  inputs["video_u8"] = noise(*config);
  inputs["x"] = normalised(*config, inputs["video_u8"]);
  if (auto status = core::write_safetensors(clip, core::views_of(inputs)); !status.ok()) {
    return failed(status.error());
  }
  return 0;
}

bool known_precision(const std::string& name) {
  return name == "f32" || name == "bf16" || name == "int8";
}

Precision precision_of(const std::string& name) {
  if (name == "int8") return Precision::kInt8;
  return name == "bf16" ? Precision::kBf16 : Precision::kF32;
}

struct Serving {
  std::string model, clip, precision;
  int threads = 1;
  double budget = 0.0;
};

int serve(const Serving& options) {
  const auto model = core::open_model(options.model);
  if (!model.ok()) return failed(model.error());
  const auto inputs = core::SafetensorsFile::open(options.clip);
  if (!inputs.ok()) return failed(inputs.error());
  const auto video = inputs->find("video_u8");
  if (!video.ok()) return failed(video.error());
  const Precision precision = precision_of(options.precision);
  auto forward =
      engine::Forward::load(model->config, model->tensors(),
                            {.precision = precision, .threads = options.threads}, options.budget);
  if (!forward.ok()) return failed(forward.error());
  const auto faces = video->as<std::uint8_t>();
  std::vector<float> logits(forward->answers());
  std::cout << "ready" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto begin = std::chrono::steady_clock::now();
    if (auto status = forward->run(faces, logits); !status.ok()) return failed(status.error());
    const std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - begin;
    if (line == "run") {
      std::cout << ms.count();
    } else {
      std::cout.precision(9);
      for (const float v : logits) std::cout << v << ' ';
    }
    std::cout << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && arguments[0] == "cpu") {
    std::cout << "amx_without_tiles " << (core::announces_amx_without_tiles() ? 1 : 0) << "\n";
    return 0;
  }
  if (arguments.size() == 4 && arguments[0] == "make") {
    return make(arguments[1], arguments[2], arguments[3]);
  }
  const bool known = arguments.size() >= 4 && known_precision(arguments[3]);
  if (known && arguments[0] == "serve" && (arguments.size() == 5 || arguments.size() == 6)) {
    Serving options{.model = arguments[1], .clip = arguments[2], .precision = arguments[3]};
    options.threads = std::atoi(arguments[4].c_str());
    if (arguments.size() == 6) options.budget = std::strtod(arguments[5].c_str(), nullptr);
    return serve(options);
  }
  std::cerr << "usage: mien_peer_worker make PRESET MODEL CLIP\n"
               "       mien_peer_worker serve MODEL CLIP f32|bf16|int8 THREADS [BUDGET]\n"
               "       mien_peer_worker cpu\n";
  return 2;
}
