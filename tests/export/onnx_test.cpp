// The files that `mien export` writes, read back with ONNX's own protocol buffers.
#include "export/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "cases.h"
#include "core/adatosk_spec.h"

namespace mien::exporting {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Sizes of an input or output; -1 where any goes.
std::vector<std::int64_t> sizes_of(const ::onnx::ValueInfoProto& value) {
  std::vector<std::int64_t> sizes;
  for (const auto& dimension : value.type().tensor_type().shape().dim()) {
    sizes.push_back(dimension.has_dim_value() ? dimension.dim_value() : -1);
  }
  return sizes;
}

class OnnxTest : public ::testing::Test {
 protected:
  Result<GraphSize> write(const test::ExportCase& c) {
    tensors_ = test::random_tensors(c.config, 5);
    return export_onnx(c.config, core::views_of(tensors_), {.budget = c.budget, .version = "1.2"},
                       path_);
  }

  ::onnx::ModelProto read() const {
    ::onnx::ModelProto model;
    std::ifstream file(path_, std::ios::binary);
    EXPECT_TRUE(model.ParseFromIstream(&file)) << path_;
    return model;
  }

  static test::ExportCase find(const std::string& name) {
    for (const test::ExportCase& c : test::export_cases()) {
      if (c.name == name) return c;
    }
    ADD_FAILURE() << "no case " << name;
    return {};
  }

  std::map<std::string, std::vector<std::int64_t>> outputs(const ::onnx::ModelProto& model) const {
    std::map<std::string, std::vector<std::int64_t>> named;
    for (const auto& value : model.graph().output()) named[value.name()] = sizes_of(value);
    return named;
  }

  testing::TempFolder folder_;
  std::string path_ = folder_.file("model.onnx");
  core::TensorMap tensors_;
};

// Every input of a node is an input of the graph, a number of its own, or what an earlier node
// gave, and no name is given twice.
void expect_sound(const ::onnx::GraphProto& graph, const std::string& name) {
  std::set<std::string> known;
  for (const auto& value : graph.input()) EXPECT_TRUE(known.insert(value.name()).second);
  for (const auto& tensor : graph.initializer()) {
    EXPECT_TRUE(known.insert(tensor.name()).second) << name << ": " << tensor.name();
    std::size_t count = 1;
    for (const std::int64_t size : tensor.dims()) count *= static_cast<std::size_t>(size);
    const bool whole = tensor.data_type() == ::onnx::TensorProto_DataType_INT64;
    EXPECT_EQ(tensor.raw_data().size(), count * (whole ? 8 : 4)) << name << ": " << tensor.name();
  }
  std::set<std::string> used;
  for (const auto& node : graph.node()) {
    for (const std::string& input : node.input()) {
      if (input.empty()) continue;  // left out
      EXPECT_TRUE(known.contains(input)) << name << ": " << node.name() << " reads " << input;
      used.insert(input);
    }
    for (const std::string& output : node.output()) {
      EXPECT_TRUE(known.insert(output).second) << name << ": " << output;
    }
  }
  for (const auto& tensor : graph.initializer()) {
    EXPECT_TRUE(used.contains(tensor.name())) << name << ": nobody reads " << tensor.name();
  }
  for (const auto& value : graph.output()) EXPECT_TRUE(known.contains(value.name())) << name;
}

TEST_F(OnnxTest, EveryModelGivesASoundGraph) {
  for (const test::ExportCase& c : test::export_cases()) {
    const auto size = write(c);
    ASSERT_TRUE(size.ok()) << c.name << ": " << size.error().to_string();
    const ::onnx::ModelProto model = read();
    EXPECT_EQ(model.ir_version(), 8);
    ASSERT_EQ(model.opset_import_size(), 1);
    EXPECT_EQ(model.opset_import(0).domain(), "");
    EXPECT_EQ(model.opset_import(0).version(), 17);
    EXPECT_EQ(model.producer_name(), "mien");
    EXPECT_EQ(model.producer_version(), "1.2");
    EXPECT_EQ(static_cast<std::size_t>(model.graph().node_size()), size->nodes);
    EXPECT_EQ(std::filesystem::file_size(path_), size->bytes);
    expect_sound(model.graph(), c.name);
    EXPECT_EQ(folder_.count(), 1U) << c.name << ": something was left beside the file";
  }
}

TEST_F(OnnxTest, InputsAndOutputsAreThoseOfInfer) {
  ASSERT_TRUE(write(find("s2d_without_trunk")).ok());
  ::onnx::ModelProto model = read();
  ASSERT_EQ(model.graph().input_size(), 2);
  EXPECT_EQ(model.graph().input(0).name(), "x");
  EXPECT_THAT(sizes_of(model.graph().input(0)), ElementsAre(-1, 3, 4, 48, 48));
  EXPECT_EQ(model.graph().input(0).type().tensor_type().shape().dim(0).dim_param(), "clips");
  EXPECT_EQ(model.graph().input(1).name(), "a");
  EXPECT_THAT(sizes_of(model.graph().input(1)), ElementsAre(-1, 128, 3, 3));
  EXPECT_THAT(outputs(model)["logits"], ElementsAre(-1, 3));
  EXPECT_THAT(outputs(model)["feature"], ElementsAre(-1, 32));

  ASSERT_TRUE(write(find("s2d_still")).ok());
  model = read();
  ASSERT_EQ(model.graph().input_size(), 1);
  EXPECT_THAT(sizes_of(model.graph().input(0)), ElementsAre(-1, 3, 1, 48, 48));

  ASSERT_TRUE(write(find("adatosk_stem")).ok());
  model = read();
  EXPECT_THAT(sizes_of(model.graph().input(0)), ElementsAre(-1, 1, 4, 48, 48));
  EXPECT_THAT(outputs(model)["mask"], ElementsAre(-1, 2, 3, 3));

  ASSERT_TRUE(write(find("landmark")).ok());
  model = read();
  EXPECT_THAT(sizes_of(model.graph().input(0)), ElementsAre(-1, 3, 112, 112));
  EXPECT_THAT(outputs(model)["landmark"], ElementsAre(-1, 136));
}

// How many tokens the graph keeps; 0: it has no TopK.
std::int64_t kept_by(const ::onnx::ModelProto& model) {
  for (const auto& node : model.graph().node()) {
    if (node.op_type() != "TopK") continue;
    for (const auto& tensor : model.graph().initializer()) {
      if (tensor.name() != node.input(1)) continue;
      std::int64_t count = 0;
      std::memcpy(&count, tensor.raw_data().data(), sizeof count);
      return count;
    }
  }
  return 0;
}

TEST_F(OnnxTest, TheBudgetIsPartOfTheGraph) {
  ASSERT_TRUE(write(find("adatosk")).ok());
  EXPECT_EQ(kept_by(read()), core::kept_tokens(0.5, 18));
  ASSERT_TRUE(write(find("adatosk_little")).ok());
  EXPECT_EQ(kept_by(read()), core::kept_tokens(0.2, 18));
  ASSERT_TRUE(write(find("adatosk_all")).ok());
  EXPECT_EQ(kept_by(read()), 0);
}

TEST_F(OnnxTest, MetadataSaysHowToFeedIt) {
  ASSERT_TRUE(write(find("adatosk_little")).ok());
  std::map<std::string, std::string> notes;
  const ::onnx::ModelProto model = read();
  for (const auto& entry : model.metadata_props()) notes[entry.key()] = entry.value();
  EXPECT_EQ(notes["mien.arch"], "adatosk");
  EXPECT_EQ(notes["mien.classes"], "neutral,happiness,sadness");
  EXPECT_THAT(notes["mien.mean"], HasSubstr("0.485"));
  EXPECT_EQ(std::count(notes["mien.std"].begin(), notes["mien.std"].end(), ','), 2);
  EXPECT_EQ(notes["mien.gray"], "0");
  EXPECT_EQ(notes["mien.budget"], "0.2");
  const auto config = core::parse_model_config(notes["mien.config"]);
  ASSERT_TRUE(config.ok()) << config.error().to_string();
  EXPECT_EQ(config->adatosk.vit.num_frames, 4);
  EXPECT_EQ(config->adatosk.budget, 0.2);
}

TEST_F(OnnxTest, RefusesWhatCannotBe) {
  test::ExportCase c = find("videomae");
  c.budget = 0.5;
  auto refused = write(c);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  c = find("adatosk");
  c.budget = 1.5;
  refused = write(c);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);

  c = find("videomae");
  tensors_ = test::random_tensors(c.config, 5);
  tensors_.erase("head.bias");
  refused = export_onnx(c.config, core::views_of(tensors_), {}, path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().to_string(), HasSubstr("head.bias"));

  path_ = folder_.file("no/such/folder.onnx");
  refused = write(find("videomae"));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().to_string(), HasSubstr("folder.onnx"));
  EXPECT_EQ(folder_.count(), 0U);
}

// Tensors that the table does not name are no part of the model, whatever they are called.
TEST_F(OnnxTest, StrangersAreLeftOut) {
  test::ExportCase c = find("videomae");
  c.config.videomae.qkv_bias = false;
  const auto plain = write(c);
  ASSERT_TRUE(plain.ok());
  tensors_["blocks.0.attn.q_bias"] = core::Tensor::zeros(core::DType::kF32, {32});
  tensors_["blocks.0.attn.v_bias"] = core::Tensor::zeros(core::DType::kF32, {32});
  const auto with_strangers =
      export_onnx(c.config, core::views_of(tensors_), {.version = "1.2"}, path_);
  ASSERT_TRUE(with_strangers.ok());
  EXPECT_EQ(with_strangers->nodes, plain->nodes);
}

}  // namespace
}  // namespace mien::exporting
