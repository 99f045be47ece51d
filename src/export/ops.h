// The operators of ONNX (opset 17) that the networks are written in, one function each. They add a
// node to the graph and return its result.
#pragma once

#include <cstdint>
#include <vector>

#include "export/graph_builder.h"

namespace mien::exporting {

// Element by element, broadcast as NumPy does.
Value add(GraphBuilder& g, const Value& a, const Value& b);
Value sub(GraphBuilder& g, const Value& a, const Value& b);
Value mul(GraphBuilder& g, const Value& a, const Value& b);
Value div(GraphBuilder& g, const Value& a, const Value& b);
Value larger(GraphBuilder& g, const Value& a, const Value& b);
Value smaller(GraphBuilder& g, const Value& a, const Value& b);

// The product of the last two axes, broadcast over those before.
Value matmul(GraphBuilder& g, const Value& a, const Value& b);

// 0 keeps the size of that axis, -1 takes what is left.
Value reshape(GraphBuilder& g, const Value& x, const Ints& shape);
Value transpose(GraphBuilder& g, const Value& x, const Ints& order);
Value concat(GraphBuilder& g, const std::vector<Value>& values, std::int64_t axis);

// Places begin..end - 1 of an axis.
Value slice(GraphBuilder& g, const Value& x, std::int64_t axis, std::int64_t begin,
            std::int64_t end);

// A new axis of size 1 before `axis`; an axis of size 1 gone.
Value unsqueeze(GraphBuilder& g, const Value& x, std::int64_t axis);
Value squeeze(GraphBuilder& g, const Value& x, std::int64_t axis);

Value softmax(GraphBuilder& g, const Value& x, std::int64_t axis);

// Sums and means over one axis, which stays with size 1 when `keep`.
Value reduce_sum(GraphBuilder& g, const Value& x, std::int64_t axis, bool keep = false);
Value reduce_mean(GraphBuilder& g, const Value& x, std::int64_t axis, bool keep = false);

// The exact one: x (1 + erf(x / sqrt(2))) / 2. Opset 17 has no operator for it; runtimes know this
// form of it.
Value gelu(GraphBuilder& g, const Value& x);

// log(1 / (1 + exp(-x))), finite for every finite x.
Value log_sigmoid(GraphBuilder& g, const Value& x);

}  // namespace mien::exporting
