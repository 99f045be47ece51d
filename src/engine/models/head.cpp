#include "engine/models/head.h"

namespace mien::engine {

Head read_head(const TensorSource& source, const std::string& name) {
  return {source.floats(name + ".weight"), source.floats(name + ".bias")};
}

void classify_feature(const Head& head, const float* feature, float* logits) {
  const std::size_t width = head.width();
  for (std::size_t c = 0; c < head.classes(); ++c) {
    double sum = static_cast<double>(head.bias[c]);
    const float* row = head.weight.data() + c * width;
    for (std::size_t i = 0; i < width; ++i) {
      sum += static_cast<double>(row[i]) * static_cast<double>(feature[i]);
    }
    logits[c] = static_cast<float>(sum);
  }
}

void classify_features(const Head& head, const float* features, std::size_t frames, float* feature,
                       float* logits) {
  const std::size_t width = head.width();
  for (std::size_t i = 0; i < width; ++i) {
    double sum = 0.0;
    for (std::size_t f = 0; f < frames; ++f) sum += static_cast<double>(features[f * width + i]);
    feature[i] = static_cast<float>(sum / static_cast<double>(frames));
  }
  classify_feature(head, feature, logits);
}

}  // namespace mien::engine
