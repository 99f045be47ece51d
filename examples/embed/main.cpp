// Reads aligned faces as raw RGB from standard input and prints what they express:
//   ffmpeg -i face.png -vf scale=112:112 -f rawvideo -pix_fmt rgb24 - | embed MODEL.safetensors
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <vector>

#include "mien/recognizer.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: embed MODEL.safetensors <faces.rgb\n";
    return 2;
  }
  try {
    const auto model = mien::Recognizer::load(argv[1]).value();
    auto session = model.session().value();

    const std::vector<std::uint8_t> faces(std::istreambuf_iterator<char>(std::cin), {});
    const auto side = static_cast<std::size_t>(model.input_size());
    const auto frames = static_cast<int>(faces.size() / (side * side * 3));

    std::vector<float> p(static_cast<std::size_t>(model.num_classes()));
    session.probabilities(faces, 1, frames, p).value();
    for (std::size_t i = 0; i < p.size(); ++i) {
      std::cout << model.classes()[i] << ' ' << p[i] << '\n';
    }
  } catch (const mien::ResultError& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
