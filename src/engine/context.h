// What a model's layers share: the oneDNN engine, the thread count, the type of activations. There
// are no globals; two models with different settings live side by side.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "engine/kernels/act.h"
#include "engine/onednn.h"
#include "engine/options.h"

namespace mien::engine {

// Immutable after create(); shared by sessions of all threads.
class Context {
 public:
  // kAuto is bf16 or f32 here: what a model says about int8 is known to options_for(). Errors:
  // kUnsupported (native bf16 asked for where oneDNN has none), kInternal.
  static Result<std::shared_ptr<const Context>> create(const EngineOptions& options);

  const dnnl::engine& engine() const { return engine_; }
  int threads() const { return threads_; }
  Precision precision() const { return precision_; }

  // How activations between layers are stored. The residual stream is f32 in every mode. In
  // precision int8 this is for what is not quantised: bf16 where that is fast, else f32.
  ActKind act() const { return act_; }

  // Whether weights are rounded to bf16 (either bf16 mode).
  bool rounds_weights() const { return act_ != ActKind::kF32; }

  // Whether a layer of core::int8_layers() computes in int8.
  bool quantizes(const std::string& layer) const {
    return precision_ == Precision::kInt8 && !keep_.contains(layer);
  }

  // Of quantised activations, see QuantizedRows.
  std::int32_t code_limit() const { return code_limit_; }

 private:
  Context() = default;

  dnnl::engine engine_;
  int threads_ = 1;
  Precision precision_ = Precision::kF32;
  ActKind act_ = ActKind::kF32;
  std::set<std::string> keep_;
  std::int32_t code_limit_ = 0;
};

// The number of OpenMP threads that this thread's parallel regions use, restored at the end. oneDNN
// sizes its buffers by it when a primitive is made, so making and running both happen inside one.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

dnnl::memory::data_type onednn_type(ActKind kind);

}  // namespace mien::engine
