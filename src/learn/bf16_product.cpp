#include "learn/bf16_product.h"

#include <omp.h>

#include <dnnl.hpp>

#include "learn/autocast.h"

namespace mien::learn {
namespace {

using dnnl::memory;

// oneDNN computes on one thread while this lives.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::desc layout(const MatrixView& x) {
  const auto type =
      x.type == MatrixView::Type::kF32 ? memory::data_type::f32 : memory::data_type::bf16;
  return {{x.rows, x.columns}, type, {x.row_step, x.column_step}};
}

}  // namespace

bool has_bf16_product() {
  static const bool fast = has_fast_bf16(torch::kCPU);
  return fast;
}

void bf16_product(const MatrixView& a, const MatrixView& b, const MatrixView& c, double scale) {
  const OneThread one;
  try {
    // A stream belongs to a thread; a primitive comes from oneDNN's own store from the second time
    // on, in some 3 us.
    thread_local const dnnl::stream stream(cpu());
    dnnl::primitive_attr attributes;
    if (scale != 1.0) attributes.set_output_scales(0, {static_cast<float>(scale)});
    const dnnl::matmul::primitive_desc desc(dnnl::matmul::desc(layout(a), layout(b), layout(c)),
                                            attributes, cpu());
    const dnnl::matmul product(desc);
    product.execute(stream, {{DNNL_ARG_SRC, memory(desc.src_desc(), cpu(), a.data)},
                             {DNNL_ARG_WEIGHTS, memory(desc.weights_desc(), cpu(), b.data)},
                             {DNNL_ARG_DST, memory(desc.dst_desc(), cpu(), c.data)}});
  } catch (const dnnl::error& error) {
    TORCH_CHECK(false, "oneDNN's product of bf16 matrices: ", error.what());
  }
}

}  // namespace mien::learn
