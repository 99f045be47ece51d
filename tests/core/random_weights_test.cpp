#include "core/random_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/presets.h"
#include "core/safetensors.h"
#include "core/tensor_table.h"

namespace mien::core {
namespace {

TEST(RandomWeights, FitTheTableAndTheSeed) {
  for (const char* name : {"s2d-tiny", "adatosk-tiny", "videomae-tiny", "landmark"}) {
    const ModelConfig config = *find_preset(name);
    const TensorMap tensors = random_weights(config, 1);
    const auto status = check_tensors(tensor_table(config), views_of(tensors));
    EXPECT_TRUE(status.ok()) << name << ": " << status.error().to_string();
    EXPECT_EQ(tensors.size(), tensor_table(config).size());
    const TensorMap again = random_weights(config, 1);
    const TensorMap other = random_weights(config, 2);
    std::size_t changed = 0;
    for (const auto& [key, tensor] : tensors) {
      EXPECT_EQ(tensor.bytes, again.at(key).bytes) << name << ": " << key;
      changed += tensor.bytes != other.at(key).bytes ? 1U : 0U;
      for (const float v : tensor.as<float>()) ASSERT_TRUE(std::isfinite(v));
    }
    EXPECT_EQ(changed, tensors.size());
  }
}

TEST(RandomWeights, VariancesArePositive) {
  for (const auto& [key, tensor] : random_weights(*find_preset("landmark"), 3)) {
    if (!key.ends_with("running_var")) continue;
    for (const float v : tensor.as<float>()) ASSERT_GT(v, 0.4F) << key;
  }
}

}  // namespace
}  // namespace mien::core
