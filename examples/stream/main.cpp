// Reads raw RGB frames from standard input, as a camera would hand them over:
//   ffmpeg -i talk.mp4 -vf fps=30,scale=640:360 -f rawvideo -pix_fmt rgb24 - | stream 640 360 30
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

#include "mien/stream.hpp"

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::invalid_argument("usage: stream WIDTH HEIGHT FPS <frames.rgb");
    const int width = std::stoi(argv[1]);
    mien::FrameView frame{.width = width, .height = std::stoi(argv[2]), .stride = 3 * width};
    std::string bytes(static_cast<std::size_t>(frame.stride * frame.height), '\0');
    const auto analyzer = mien::Analyzer::load({}).value();
    auto stream = mien::Stream::create(analyzer).value();
    const auto tell = [&](const auto& events) {
      for (const mien::Event& e : events) {
        if (e.kind != mien::EventKind::kExpression) continue;
        std::cout << e.time_s << " s: face " << e.track << ' '
                  << analyzer.classes()[static_cast<std::size_t>(e.expression.label)] << std::endl;
      }
    };
    double slowest_s = 0;
    for (int n = 0; std::cin.read(bytes.data(), static_cast<std::streamsize>(bytes.size())); ++n) {
      frame.data = reinterpret_cast<const unsigned char*>(bytes.data());
      frame.time_s = n / std::stod(argv[3]);
      const auto begin = std::chrono::steady_clock::now();
      tell(stream.push(frame).value());
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      if (took.count() > slowest_s) slowest_s = took.count();
    }
    tell(stream.finish().value());
    std::cerr << "the slowest frame took " << 1000 * slowest_s << " ms\n";
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
