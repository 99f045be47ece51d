#include "engine/onednn.h"

namespace mien::engine {

std::size_t PrimitiveCall::add(int id, dnnl::memory memory) {
  memories_.push_back(std::move(memory));
  args_.push_back({id, memories_.back().get()});
  return memories_.size() - 1;
}

void PrimitiveCall::set(std::size_t place, const void* data) {
  // oneDNN takes inputs as void* too; it does not write to them.
  const dnnl_status_t status =
      dnnl_memory_set_data_handle(memories_[place].get(), const_cast<void*>(data));
  if (status != dnnl_success) throw dnnl::error(status, "could not set a memory's data");
}

void PrimitiveCall::run(const dnnl::stream& stream) const {
  const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream.get(),
                                                      static_cast<int>(args_.size()), args_.data());
  if (status != dnnl_success) throw dnnl::error(status, "could not execute a primitive");
}

dnnl::memory unbound(const dnnl::memory::desc& desc, const dnnl::engine& engine) {
  return {desc, engine, DNNL_MEMORY_NONE};
}

}  // namespace mien::engine
