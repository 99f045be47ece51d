// Products of bf16 matrices on the CPU, by oneDNN. LibTorch has them too, but copies what does not
// lie densely and rounds the sums to bf16. Compiled where MIEN_BF16_KERNELS is defined: with
// oneDNN and Highway.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace mien::learn {

// A matrix, or a part of a larger one or of its transpose; owns nothing.
struct MatrixView {
  enum class Type { kBf16, kF32 };

  void* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t row_step = 0;  // in values; this or column_step is 1
  std::int64_t column_step = 1;
  Type type = Type::kBf16;

  MatrixView transposed() const { return {data, columns, rows, column_step, row_step, type}; }
  // `count` rows from `first` on.
  MatrixView some_rows(std::int64_t first, std::int64_t count) const {
    const std::int64_t bytes = type == Type::kF32 ? 4 : 2;
    return {static_cast<char*>(data) + first * row_step * bytes,
            count,
            columns,
            row_step,
            column_step,
            type};
  }
};

// Whether they are fast: a CPU with AVX512-BF16.
bool has_bf16_product();

// c = scale a b. a [m, k] and b [k, n] are bf16; c [m, n] is of either type, with dense rows. Sums
// are f32. On the calling thread alone, so that results do not depend on how many there are. Throws
// c10::Error when oneDNN refuses.
void bf16_product(const MatrixView& a, const MatrixView& b, const MatrixView& c,
                  double scale = 1.0);

}  // namespace mien::learn
