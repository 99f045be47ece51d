#include "export/graph_builder.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <bit>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "core/files.h"

namespace mien::exporting {
namespace {

// Protocol buffers count bytes in an int.
constexpr std::size_t kMaxBytes = std::numeric_limits<int>::max();

constexpr int kBlockBytes = 1 << 20;  // of a write

void set_type(::onnx::ValueInfoProto& info, const std::string& name, const core::Shape& shape,
              const std::string& free_size, const std::string& meaning) {
  info.set_name(name);
  info.set_doc_string(meaning);
  ::onnx::TypeProto_Tensor* tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(::onnx::TensorProto_DataType_FLOAT);
  ::onnx::TensorShapeProto* sizes = tensor->mutable_shape();
  for (const std::int64_t size : shape) {
    ::onnx::TensorShapeProto_Dimension* dimension = sizes->add_dim();
    if (size < 0) {
      dimension->set_dim_param(free_size);
    } else {
      dimension->set_dim_value(size);
    }
  }
}

void set_attribute(::onnx::AttributeProto& proto, const Attribute& attribute) {
  proto.set_name(attribute.name);
  if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
    proto.set_type(::onnx::AttributeProto_AttributeType_INT);
    proto.set_i(*number);
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    proto.set_type(::onnx::AttributeProto_AttributeType_FLOAT);
    proto.set_f(*real);
  } else if (const auto* numbers = std::get_if<Ints>(&attribute.value)) {
    proto.set_type(::onnx::AttributeProto_AttributeType_INTS);
    for (const std::int64_t v : *numbers) proto.add_ints(v);
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    proto.set_type(::onnx::AttributeProto_AttributeType_STRING);
    proto.set_s(*text);
  }
}

// ONNX holds raw numbers in little-endian order, as this library's files do.
template <typename T>
void set_numbers(::onnx::TensorProto& tensor, std::span<const T> values) {
  std::string& raw = *tensor.mutable_raw_data();
  raw.resize(values.size_bytes());
  if (!values.empty()) std::memcpy(raw.data(), values.data(), values.size_bytes());
}

// Lets protocol buffers write into an AtomicFile.
class FileStream : public google::protobuf::io::CopyingOutputStream {
 public:
  explicit FileStream(core::AtomicFile& file) : file_(&file) {}

  bool Write(const void* buffer, int size) override {
    if (!status_.ok()) return false;
    status_ = file_->write(std::span<const std::byte>(static_cast<const std::byte*>(buffer),
                                                      static_cast<std::size_t>(size)));
    return status_.ok();
  }

  const Status& status() const { return status_; }

 private:
  core::AtomicFile* file_;
  Status status_;
};

Status write_message(const ::onnx::ModelProto& model, core::AtomicFile& file) {
  FileStream stream(file);
  bool written = false;
  {
    google::protobuf::io::CopyingOutputStreamAdaptor adaptor(&stream, kBlockBytes);
    written = model.SerializeToZeroCopyStream(&adaptor) && adaptor.Flush();
  }
  if (!stream.status().ok()) return stream.status();
  if (!written) return make_error(ErrorCode::kInternal, "the graph could not be serialised");
  return {};
}

}  // namespace

Attribute int_attribute(std::string name, std::int64_t value) {
  return {std::move(name), value};
}

Attribute float_attribute(std::string name, float value) {
  return {std::move(name), value};
}

Attribute ints_attribute(std::string name, Ints value) {
  return {std::move(name), std::move(value)};
}

Attribute text_attribute(std::string name, std::string value) {
  return {std::move(name), std::move(value)};
}

struct GraphBuilder::State {
  ::onnx::ModelProto model;
  std::set<std::string> constants;
  std::map<std::uint32_t, Value> scalars;  // by their bits: broken weights may be NaN
  std::map<Ints, Value> ints;

  ::onnx::GraphProto& graph() { return *model.mutable_graph(); }
};

GraphBuilder::GraphBuilder() : state_(std::make_unique<State>()) {
  state_->model.set_ir_version(::onnx::IR_VERSION);
  ::onnx::OperatorSetIdProto* opset = state_->model.add_opset_import();
  opset->set_domain("");
  opset->set_version(kOpset);
  state_->graph().set_name("mien");
}

GraphBuilder::~GraphBuilder() = default;

Value GraphBuilder::input(const std::string& name, const core::Shape& shape,
                          const std::string& free_size, const std::string& meaning) {
  set_type(*state_->graph().add_input(), name, shape, free_size, meaning);
  return name;
}

void GraphBuilder::output(const Value& value, const std::string& name, const core::Shape& shape,
                          const std::string& free_size, const std::string& meaning) {
  // Names of outputs are those of some node's results.
  ::onnx::NodeProto* node = state_->graph().add_node();
  node->set_op_type("Identity");
  node->set_name("output/" + name);
  node->add_input(value);
  node->add_output(name);
  set_type(*state_->graph().add_output(), name, shape, free_size, meaning);
}

Value GraphBuilder::constant(const std::string& name, std::span<const float> values,
                             const core::Shape& shape) {
  if (!state_->constants.insert(name).second) return name;
  ::onnx::TensorProto* tensor = state_->graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(::onnx::TensorProto_DataType_FLOAT);
  for (const std::int64_t size : shape) tensor->add_dims(size);
  set_numbers(*tensor, values);
  return name;
}

Value GraphBuilder::scalar(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto known = state_->scalars.find(bits);
  if (known != state_->scalars.end()) return known->second;
  const std::string name = "scalar_" + std::to_string(state_->scalars.size());
  state_->scalars.emplace(bits, name);
  return constant(name, std::span<const float>(&value, 1), {});
}

Value GraphBuilder::ints(const Ints& values) {
  const auto known = state_->ints.find(values);
  if (known != state_->ints.end()) return known->second;
  const std::string name = "ints_" + std::to_string(state_->ints.size());
  state_->ints.emplace(values, name);
  ::onnx::TensorProto* tensor = state_->graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(::onnx::TensorProto_DataType_INT64);
  tensor->add_dims(static_cast<std::int64_t>(values.size()));
  set_numbers(*tensor, std::span<const std::int64_t>(values));
  return name;
}

Value GraphBuilder::fresh(const std::string& op) {
  return (scope_.empty() ? "" : scope_ + "/") + op + "_" + std::to_string(count_++);
}

Value GraphBuilder::node(const std::string& op, const std::vector<Value>& inputs,
                         const std::vector<Attribute>& attributes) {
  return nodes(op, inputs, attributes, 1).front();
}

std::vector<Value> GraphBuilder::nodes(const std::string& op, const std::vector<Value>& inputs,
                                       const std::vector<Attribute>& attributes,
                                       std::size_t outputs) {
  const std::string name = fresh(op);
  ::onnx::NodeProto* node = state_->graph().add_node();
  node->set_op_type(op);
  node->set_name(name);
  for (const Value& value : inputs) node->add_input(value);
  for (const Attribute& attribute : attributes) set_attribute(*node->add_attribute(), attribute);
  std::vector<Value> results;
  for (std::size_t i = 0; i < outputs; ++i) {
    results.push_back(outputs == 1 ? name : name + "." + std::to_string(i));
    node->add_output(results.back());
  }
  return results;
}

void GraphBuilder::note(const std::string& key, const std::string& value) {
  ::onnx::StringStringEntryProto* entry = state_->model.add_metadata_props();
  entry->set_key(key);
  entry->set_value(value);
}

void GraphBuilder::sign(const std::string& version, const std::string& description) {
  state_->model.set_producer_name("mien");
  state_->model.set_producer_version(version);
  state_->model.set_doc_string(description);
}

Result<GraphSize> GraphBuilder::write(const std::string& path) const {
  GraphSize size;
  size.nodes = static_cast<std::size_t>(state_->model.graph().node_size());
  size.initializers = static_cast<std::size_t>(state_->model.graph().initializer_size());
  size.bytes = state_->model.ByteSizeLong();
  if (size.bytes > kMaxBytes) {
    return make_error(ErrorCode::kLimit, "the graph is larger than 2 GiB", path);
  }
  MIEN_ASSIGN(core::AtomicFile file, core::AtomicFile::create(path));
  MIEN_TRY(write_message(state_->model, file));
  MIEN_TRY(file.commit());
  return size;
}

}  // namespace mien::exporting
