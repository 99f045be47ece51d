// A program that embeds inference and nothing else. It is built to be looked at: what it links must
// hold no LibTorch, FFmpeg or OpenCV. It also shows that a missing model is a value, not a crash.
#include <cstdio>

#include "mien/recognizer.hpp"

int main() {
  const auto model = mien::Recognizer::load("no/such/model.safetensors");
  if (model.ok()) return 1;
  std::printf("%s\n", model.error().to_string().c_str());
  return model.error().code == mien::ErrorCode::kNotFound ? 0 : 1;
}
