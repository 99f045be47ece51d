// Prints who felt what, when, while a video is being analysed:
//   watch interview.mp4
#include <iostream>

#include "mien/analyzer.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: watch VIDEO\n";
    return 2;
  }
  const auto analyzer = mien::Analyzer::load({});
  if (!analyzer) {
    std::cerr << analyzer.error().to_string() << '\n';
    return 1;
  }
  mien::AnalyzerCallbacks callbacks;
  callbacks.on_window = [&](const mien::ExpressionWindow& w) {
    std::cout << w.start_s << " s: face " << w.track << ", "
              << analyzer->classes()[static_cast<std::size_t>(w.label)] << ' ' << w.confidence
              << '\n';
  };
  const auto summary = analyzer->analyze(argv[1], callbacks);
  if (!summary) {
    std::cerr << summary.error().to_string() << '\n';
    return 1;
  }
  std::cout << summary->tracks.size() << " faces in " << summary->duration_s << " s\n";
}
