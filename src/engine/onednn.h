// Private to engine's .cpp files and headers that no other folder includes: oneDNN, and the one
// wrapper around a primitive with its arguments.
#pragma once

#include <cstddef>
#include <dnnl.hpp>
#include <vector>

namespace mien::engine {

// A primitive whose arguments are put together once. The C++ API builds a vector at every call;
// this hands oneDNN the same array each time. Throws dnnl::error. One thread at a time.
class PrimitiveCall {
 public:
  PrimitiveCall() = default;
  explicit PrimitiveCall(dnnl::primitive primitive) : primitive_(std::move(primitive)) {}

  // Returns the argument's place for set().
  std::size_t add(int id, dnnl::memory memory);

  // Points argument `place` at other data of the same layout. Does not allocate.
  void set(std::size_t place, const void* data);

  void run(const dnnl::stream& stream) const;

 private:
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> args_;
};

// A memory of `desc` that points nowhere yet.
dnnl::memory unbound(const dnnl::memory::desc& desc, const dnnl::engine& engine);

}  // namespace mien::engine
