#include "export/ops.h"

#include <numbers>

namespace mien::exporting {

Value add(GraphBuilder& g, const Value& a, const Value& b) {
  return g.node("Add", {a, b});
}

Value sub(GraphBuilder& g, const Value& a, const Value& b) {
  return g.node("Sub", {a, b});
}

Value mul(GraphBuilder& g, const Value& a, const Value& b) {
  return g.node("Mul", {a, b});
}

Value div(GraphBuilder& g, const Value& a, const Value& b) {
  return g.node("Div", {a, b});
}

Value larger(GraphBuilder& g, const Value& a, const Value& b) {
  return g.node("Max", {a, b});
}

Value smaller(GraphBuilder& g, const Value& a, const Value& b) {
  return g.node("Min", {a, b});
}

Value matmul(GraphBuilder& g, const Value& a, const Value& b) {
  return g.node("MatMul", {a, b});
}

Value reshape(GraphBuilder& g, const Value& x, const Ints& shape) {
  return g.node("Reshape", {x, g.ints(shape)});
}

Value transpose(GraphBuilder& g, const Value& x, const Ints& order) {
  return g.node("Transpose", {x}, {ints_attribute("perm", order)});
}

Value concat(GraphBuilder& g, const std::vector<Value>& values, std::int64_t axis) {
  return g.node("Concat", values, {int_attribute("axis", axis)});
}

Value slice(GraphBuilder& g, const Value& x, std::int64_t axis, std::int64_t begin,
            std::int64_t end) {
  const Value from = g.ints(Ints{begin});
  const Value to = g.ints(Ints{end});
  return g.node("Slice", {x, from, to, g.ints(Ints{axis})});
}

Value unsqueeze(GraphBuilder& g, const Value& x, std::int64_t axis) {
  return g.node("Unsqueeze", {x, g.ints(Ints{axis})});
}

Value squeeze(GraphBuilder& g, const Value& x, std::int64_t axis) {
  return g.node("Squeeze", {x, g.ints(Ints{axis})});
}

Value softmax(GraphBuilder& g, const Value& x, std::int64_t axis) {
  return g.node("Softmax", {x}, {int_attribute("axis", axis)});
}

// ReduceSum takes its axes as an input since opset 13, ReduceMean as an attribute up to opset 17.
Value reduce_sum(GraphBuilder& g, const Value& x, std::int64_t axis, bool keep) {
  return g.node("ReduceSum", {x, g.ints(Ints{axis})}, {int_attribute("keepdims", keep ? 1 : 0)});
}

Value reduce_mean(GraphBuilder& g, const Value& x, std::int64_t axis, bool keep) {
  return g.node("ReduceMean", {x},
                {ints_attribute("axes", Ints{axis}), int_attribute("keepdims", keep ? 1 : 0)});
}

Value gelu(GraphBuilder& g, const Value& x) {
  const Value erf = g.node("Erf", {div(g, x, g.scalar(std::numbers::sqrt2_v<float>))});
  return mul(g, mul(g, x, add(g, erf, g.scalar(1.0F))), g.scalar(0.5F));
}

Value log_sigmoid(GraphBuilder& g, const Value& x) {
  const Value small = g.node("Exp", {g.node("Neg", {g.node("Abs", {x})})});
  const Value rest = g.node("Log", {add(g, small, g.scalar(1.0F))});
  return sub(g, smaller(g, x, g.scalar(0.0F)), rest);
}

}  // namespace mien::exporting
