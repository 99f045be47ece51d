#include "learn/models/micro_batch.h"

#include <ATen/CPUGeneratorImpl.h>

namespace mien::learn {
namespace {

thread_local MicroBatchScope* current = nullptr;

}  // namespace

MicroBatchScope::MicroBatchScope(std::uint64_t seed)
    : generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {
  current = this;
}

MicroBatchScope::~MicroBatchScope() {
  current = nullptr;
}

c10::optional<at::Generator> MicroBatchScope::generator() {
  if (current == nullptr) return c10::nullopt;
  return current->generator_;
}

void MicroBatchScope::update_state(std::function<void()> update) {
  if (current == nullptr) {
    update();
  } else {
    current->updates_.push_back(std::move(update));
  }
}

}  // namespace mien::learn
