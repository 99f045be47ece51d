// What an Analyzer holds. Private to this folder.
#pragma once

#include <string>

#include "mien/analyzer.hpp"
#include "pipeline/stages.h"

namespace mien {

struct Analyzer::Impl {
  AnalyzerOptions options;
  std::string model_path;
  std::string landmark_path;
  Recognizer recognizer;
  LandmarkLocator locator;
  int window = 16;

  pipeline::RunContext context() const { return {options, recognizer, locator, window}; }
};

}  // namespace mien
