// Puts an ONNX graph together, value by value, and writes it. ONNX's own protocol buffers stay in
// graph_builder.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "mien/result.hpp"

namespace mien::exporting {

// The operators' version that the graphs are written for: the first with LayerNormalization.
inline constexpr std::int64_t kOpset = 17;

// A tensor of the graph, by its name.
using Value = std::string;

using Ints = std::vector<std::int64_t>;

// A named setting of a node.
struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, Ints, std::string> value;
};

Attribute int_attribute(std::string name, std::int64_t value);
Attribute float_attribute(std::string name, float value);
Attribute ints_attribute(std::string name, Ints value);
Attribute text_attribute(std::string name, std::string value);

// How large a graph became.
struct GraphSize {
  std::size_t nodes = 0;
  std::size_t initializers = 0;
  std::size_t bytes = 0;  // of the file
};

// One graph. One thread at a time; throws std::bad_alloc.
class GraphBuilder {
 public:
  GraphBuilder();
  ~GraphBuilder();
  GraphBuilder(const GraphBuilder&) = delete;
  GraphBuilder& operator=(const GraphBuilder&) = delete;

  // An f32 input. A size of -1 is free and called `free_size`: runtimes take any number there.
  Value input(const std::string& name, const core::Shape& shape, const std::string& free_size,
              const std::string& meaning);

  // Makes `value` an f32 output of the graph under `name`; sizes as those of inputs.
  void output(const Value& value, const std::string& name, const core::Shape& shape,
              const std::string& free_size, const std::string& meaning);

  // f32 numbers of the graph's own. A name that is there already gives what it stands for: equal
  // names must mean equal numbers. An empty shape is a scalar.
  Value constant(const std::string& name, std::span<const float> values, const core::Shape& shape);
  Value scalar(float value);

  // i64 numbers [values.size()].
  Value ints(const Ints& values);

  // A node with one or with `outputs` results. Inputs are given in the operator's order.
  Value node(const std::string& op, const std::vector<Value>& inputs,
             const std::vector<Attribute>& attributes = {});
  std::vector<Value> nodes(const std::string& op, const std::vector<Value>& inputs,
                           const std::vector<Attribute>& attributes, std::size_t outputs);

  // What the names of the nodes to come begin with, for people who look at the graph.
  void enter(const std::string& scope) { scope_ = scope; }

  // A line of the model's metadata_props.
  void note(const std::string& key, const std::string& value);

  // Names the program that made the file and says what is in it.
  void sign(const std::string& version, const std::string& description);

  // Writes the file; see core::AtomicFile. Errors: kLimit (2 GiB is the most that the format
  // holds), kIo.
  Result<GraphSize> write(const std::string& path) const;

 private:
  struct State;

  Value fresh(const std::string& op);

  std::unique_ptr<State> state_;
  std::string scope_;
  std::size_t count_ = 0;
};

}  // namespace mien::exporting
