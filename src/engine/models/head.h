// The linear classifier that every expression model ends in.
#pragma once

#include <string>
#include <vector>

#include "engine/weights.h"

namespace mien::engine {

// f32, with sums in double, in every precision: it costs nothing.
struct Head {
  std::vector<float> weight;  // [C, D]
  std::vector<float> bias;    // [C]

  std::size_t classes() const { return bias.size(); }
  std::size_t width() const { return weight.size() / bias.size(); }
};

// Reads <name>.weight and <name>.bias.
Head read_head(const TensorSource& source, const std::string& name);

// logits = W feature + b. feature: [D]; logits: [C].
void classify_feature(const Head& head, const float* feature, float* logits);

// The same of the mean feature. features: [frames, D]; feature: [D], the mean; logits: [C].
void classify_features(const Head& head, const float* features, std::size_t frames, float* feature,
                       float* logits);

}  // namespace mien::engine
