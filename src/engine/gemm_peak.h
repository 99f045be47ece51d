// How fast oneDNN multiplies matrices here: the yardstick of `mien bench`.
#pragma once

#include <memory>
#include <string>

#include "engine/options.h"

namespace mien::engine {

// One matmul of oneDNN, bare: [1568, 768] times [768, 3072], the widest layer of a ViT-B over the
// tokens of a clip, with weights packed as oneDNN likes them, in the types that the layers of that
// precision compute in. Move-only; one thread at a time.
class GemmPeak {
 public:
  // Errors: kUnsupported, kLimit, kInternal.
  static Result<GemmPeak> create(const EngineOptions& options);

  GemmPeak(GemmPeak&&) noexcept;
  GemmPeak& operator=(GemmPeak&&) noexcept;
  ~GemmPeak();

  // One product. Error kInternal.
  Status run();

  static double giga_operations();  // of one product, two per multiply-accumulate
  std::string kernel() const;       // oneDNN's name of the implementation

 private:
  struct State;
  explicit GemmPeak(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mien::engine
