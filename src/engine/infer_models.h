// What infer_tensors does for each architecture.
#pragma once

#include <chrono>
#include <memory>

#include "engine/context.h"
#include "engine/infer.h"

namespace mien::engine {

// A model whose tensors were checked, and what to run it on; see infer_tensors for the names,
// shapes and errors.
struct InferJob {
  std::shared_ptr<const Context> context;
  const core::ModelConfig& config;
  const core::TensorViewMap& weights;
  const core::TensorViewMap& inputs;
  bool activations = false;
  double budget = 0.0;
};

Result<InferResult> infer_mobilefacenet(const InferJob& job);
Result<InferResult> infer_s2d(const InferJob& job);
Result<InferResult> infer_videomae(const InferJob& job);
Result<InferResult> infer_adatosk(const InferJob& job);

// Milliseconds since it was made.
class Stopwatch {
 public:
  double elapsed_ms() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace mien::engine
