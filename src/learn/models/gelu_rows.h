// GELU and its gradient over bf16 values, vectorised for the CPU that it runs on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mien::learn {

// y = x Phi(x), `count` values of bf16 bits.
void gelu_rows(const std::uint16_t* x, std::size_t count, std::uint16_t* y);

// dx = dy (Phi(x) + x phi(x)).
void gelu_backward_rows(const std::uint16_t* dy, const std::uint16_t* x, std::size_t count,
                        std::uint16_t* dx);

}  // namespace mien::learn
