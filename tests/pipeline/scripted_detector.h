// A face detector that needs no faces.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "media/face_detector.h"

namespace mien::pipeline {

// Sees what a script says, by the number written into a frame's first pixels.
class ScriptedDetector : public media::FaceDetector {
 public:
  using Script = std::function<std::vector<media::FaceBox>(int)>;
  explicit ScriptedDetector(Script script) : script_(std::move(script)) {}

  Result<std::vector<media::FaceBox>> detect(const media::ImageView& image) override {
    const int number = image.rgb[0] + 256 * image.rgb[1];
    searched.insert(number);
    if (number == fail_at) return make_error(ErrorCode::kInternal, "broken");
    return script_(number);
  }
  std::string name() const override { return "scripted"; }
  float track_threshold() const override { return 0.5F; }

  std::set<int> searched;
  int fail_at = -1;

 private:
  Script script_;
};

}  // namespace mien::pipeline
