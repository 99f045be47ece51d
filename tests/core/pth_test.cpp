#include "core/pth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/files.h"
#include "core/safetensors.h"
#include "fuzz/pth_builder.h"
#include "fuzz/seeds.h"

namespace mien::core {
namespace {

using fuzz::PickleBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names_of(const TensorMap& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

TEST(Pth, ReadsStridedSharedAndScalarTensors) {
  PickleBuilder b;
  b.op('}').op('(');
  b.text("whole").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1});
  b.text("transposed").tensor("FloatStorage", "0", 6, 0, {3, 2}, {1, 3});
  b.text("column").tensor("FloatStorage", "0", 6, 1, {2}, {3});
  b.text("one").tensor("FloatStorage", "0", 6, 5, {}, {});
  b.text("empty").tensor("FloatStorage", "0", 6, 6, {0, 4}, {4, 1});
  b.text("expanded").tensor("FloatStorage", "0", 6, 2, {2, 2}, {0, 0});
  b.text("steps").tensor("FloatStorage", "0", 6, 0, {1, 2, 1, 3}, {9, 3, 77, 1});
  const auto bytes = fuzz::make_zip_checkpoint(b.op('u').done(), {fuzz::f32_ramp(6)});
  const Checkpoint checkpoint = read_pth_bytes(bytes).value();
  const auto values = [&](const char* name) { return to_f32(checkpoint.tensors.at(name).view()); };
  EXPECT_THAT(values("whole"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(values("transposed"), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(values("column"), ElementsAre(1, 4));
  EXPECT_THAT(values("one"), ElementsAre(5));
  EXPECT_THAT(values("empty"), ElementsAre());
  EXPECT_THAT(values("expanded"), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(values("steps"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(checkpoint.tensors.at("one").shape, Shape{});
  EXPECT_EQ(checkpoint.tensors.at("empty").shape, (Shape{0, 4}));
}

TEST(Pth, PathsGoThroughDictionariesListsAndNumbers) {
  PickleBuilder b;
  const auto tensor = [&b]() -> PickleBuilder& {
    return b.tensor("ByteStorage", "0", 1, 0, {1}, {1});
  };
  b.op('}').op('(');
  b.text("list").op(']').op('(');
  tensor();
  b.op('}').text("x");
  tensor().op('s').op('e');
  b.text("by_number").op('}').integer(-7);
  tensor().op('s');
  b.text("tuple").op('(');
  tensor().op('t');
  b.op('N');  // a key that no path can name
  tensor();
  const auto bytes = fuzz::make_zip_checkpoint(b.op('u').done(), {"x"});
  EXPECT_THAT(names_of(read_pth_bytes(bytes).value().tensors),
              ElementsAre("by_number.-7", "list.0", "list.1.x", "tuple.0"));
}

TEST(Pth, EverySeedReads) {
  for (const auto& seed : fuzz::pth_seeds()) {
    const auto checkpoint = read_pth_bytes(seed);
    ASSERT_TRUE(checkpoint) << checkpoint.error().to_string();
    EXPECT_FALSE(checkpoint->tensors.empty());
  }
}

TEST(Pth, ZipAndLegacyGiveTheSame) {
  const auto seeds = fuzz::pth_seeds();
  const Checkpoint zip = read_pth_bytes(seeds[0]).value();
  const Checkpoint deflated = read_pth_bytes(seeds[1]).value();
  const Checkpoint legacy = read_pth_bytes(seeds[5]).value();
  EXPECT_THAT(names_of(zip.tensors), ElementsAre("model.module.a", "model.module.b",
                                                 "model.module.c", "optimizer.state.0.0"));
  for (const Checkpoint* other : {&deflated, &legacy}) {
    ASSERT_EQ(names_of(other->tensors), names_of(zip.tensors));
    for (const auto& [name, tensor] : zip.tensors) {
      EXPECT_EQ(other->tensors.at(name).bytes, tensor.bytes) << name;
    }
    EXPECT_EQ(other->top_level_dicts, zip.top_level_dicts);
    EXPECT_THAT(other->ignored, ElementsAre("args: argparse.Namespace"));
  }
}

TEST(Pth, ReadsStoragesThatArePartsOfOthers) {
  // Before torch 0.4: the sixth part of the id is (root key, offset, size).
  PickleBuilder b;
  b.op('}').text("v").begin_tensor();
  b.op('(').text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(6);
  b.op('(').text("view").integer(2).integer(3).raw("ttQ").end_tensor(1, {2}, {1}).op('s');
  const auto bytes = fuzz::make_legacy_checkpoint(b.done(), {{"0", 6, fuzz::f32_ramp(6)}});
  const Checkpoint checkpoint = read_pth_bytes(bytes).value();
  EXPECT_THAT(to_f32(checkpoint.tensors.at("v").view()), ElementsAre(3, 4));
}

TEST(Pth, StepsOverTypesThatWeLack) {
  PickleBuilder b;
  b.op('}').op('(');
  b.text("complex").tensor("ComplexFloatStorage", "0", 1, 0, {1}, {1}, true);
  b.text("real").tensor("FloatStorage", "1", 2, 0, {2}, {1}, true);
  const auto bytes = fuzz::make_legacy_checkpoint(
      b.op('u').done(), {{"0", 1, "12345678"}, {"1", 2, fuzz::f32_ramp(2)}});
  const Checkpoint checkpoint = read_pth_bytes(bytes).value();
  EXPECT_THAT(names_of(checkpoint.tensors), ElementsAre("real"));
  EXPECT_THAT(to_f32(checkpoint.tensors.at("real").view()), ElementsAre(0, 1));
  EXPECT_THAT(checkpoint.ignored, ElementsAre("complex: tensor of.ComplexFloatStorage"));
}

// --- which tensors are the model ---

Checkpoint checkpoint_of(const std::vector<std::string>& names, std::set<std::string> dicts) {
  Checkpoint checkpoint;
  for (const std::string& name : names) checkpoint.tensors[name] = Tensor::zeros(DType::kU8, {1});
  checkpoint.top_level_dicts = std::move(dicts);
  return checkpoint;
}

TEST(SelectStateDict, TakesTheOfficialKeysInTheirOrder) {
  const std::vector<std::string> names = {"model.a", "model_state_dict.b", "state_dict.c", "d"};
  const auto picked = [&](std::set<std::string> dicts) {
    return names_of(select_state_dict(checkpoint_of(names, std::move(dicts))).value());
  };
  EXPECT_THAT(picked({"model", "model_state_dict", "state_dict"}), ElementsAre("b"));
  EXPECT_THAT(picked({"model", "state_dict"}), ElementsAre("a"));
  EXPECT_THAT(picked({"state_dict"}), ElementsAre("c"));
}

TEST(SelectStateDict, ABareDictionaryMayHaveNamesLikeThose) {
  EXPECT_THAT(
      names_of(select_state_dict(checkpoint_of({"model.a", "optimizer.b"}, {"optimizer"})).value()),
      ElementsAre("model.a"));
}

TEST(SelectStateDict, StripsModuleOnlyWhenAllHaveIt) {
  EXPECT_THAT(names_of(select_state_dict(checkpoint_of({"module.a", "module.b"}, {})).value()),
              ElementsAre("a", "b"));
  EXPECT_THAT(names_of(select_state_dict(checkpoint_of({"module.a", "b"}, {})).value()),
              ElementsAre("b", "module.a"));
}

TEST(SelectStateDict, SaysWhenThereIsNothing) {
  Checkpoint checkpoint;
  checkpoint.ignored = {": models.Net"};
  const auto result = select_state_dict(checkpoint);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(result.error().to_string(), HasSubstr("models.Net"));
}

// --- files written by PyTorch ---

class GoldenCheckpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::string(MIEN_SHARED_DIR) + "/reference/golden/ckpt_formats/";
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "needs " << folder_;
  }

  // Every tensor of `actual` is, bit for bit, `prefix` + its name in expected.safetensors, and
  // every expected tensor with that prefix is there.
  void expect_same(const TensorMap& actual, const std::string& prefix) const {
    const auto file = SafetensorsFile::open(folder_ + "expected.safetensors").value();
    std::size_t count = 0;
    for (const auto& [name, view] : file.tensors()) {
      if (!name.starts_with(prefix)) continue;
      ++count;
      const auto at = actual.find(name.substr(prefix.size()));
      ASSERT_NE(at, actual.end()) << name;
      EXPECT_EQ(at->second.dtype, view.dtype) << name;
      EXPECT_EQ(at->second.shape, view.shape) << name;
      EXPECT_TRUE(std::equal(view.bytes.begin(), view.bytes.end(), at->second.bytes.begin(),
                             at->second.bytes.end()))
          << name;
    }
    EXPECT_GT(count, 0U);
    EXPECT_EQ(actual.size(), count);
  }

  std::string folder_;
};

TEST_F(GoldenCheckpoint, Zip) {
  const Checkpoint checkpoint = read_pth(folder_ + "zip.pth").value();
  expect_same(checkpoint.tensors, "");
  expect_same(select_state_dict(checkpoint).value(), "model.");
}

TEST_F(GoldenCheckpoint, Legacy) {
  const Checkpoint checkpoint = read_pth(folder_ + "legacy.pth").value();
  expect_same(checkpoint.tensors, "");
  expect_same(select_state_dict(checkpoint).value(), "model.");
}

TEST_F(GoldenCheckpoint, BareStateDict) {
  const Checkpoint checkpoint = read_pth(folder_ + "zip_bare_state_dict.pth").value();
  expect_same(checkpoint.tensors, "module_state.");
  expect_same(select_state_dict(checkpoint).value(), "module_state.");
}

TEST_F(GoldenCheckpoint, Protocol4) {
  expect_same(read_pth(folder_ + "zip_protocol4.pth").value().tensors, "module_state.");
}

TEST_F(GoldenCheckpoint, DistributedDataParallel) {
  const Checkpoint checkpoint = read_pth(folder_ + "zip_best_ddp.pth").value();
  EXPECT_TRUE(checkpoint.tensors.contains("model.module.0.weight"));
  expect_same(select_state_dict(checkpoint).value(), "module_state.");
}

TEST_F(GoldenCheckpoint, CutFilesAreErrors) {
  for (const char* name : {"legacy.pth", "zip.pth", "zip_protocol4.pth"}) {
    const auto bytes = read_file(folder_ + name).value();
    for (std::size_t length = 0; length < bytes.size(); length += 7) {
      const std::vector<std::byte> cut(bytes.begin(),
                                       bytes.begin() + static_cast<std::ptrdiff_t>(length));
      ASSERT_FALSE(read_pth_bytes(cut)) << name << " cut to " << length;
    }
  }
}

TEST(GoldenWeights, EveryModelsPthIsItsSafetensors) {
  const std::string golden = std::string(MIEN_SHARED_DIR) + "/reference/golden/";
  if (!std::filesystem::exists(golden)) GTEST_SKIP() << "needs " << golden;
  std::size_t compared = 0;
  for (const char* model : {"s2d_small", "mobilefacenet", "videomae_small", "mae_dfer_small"}) {
    const std::string folder = golden + model;
    const TensorMap picked = select_state_dict(read_pth(folder + "/weights.pth").value()).value();
    const auto file = SafetensorsFile::open(folder + "/weights.safetensors").value();
    for (const auto& [name, view] : file.tensors()) {
      const auto at = picked.find(name);
      ASSERT_NE(at, picked.end()) << model << " " << name;
      EXPECT_EQ(at->second.shape, view.shape) << model << " " << name;
      EXPECT_TRUE(std::equal(view.bytes.begin(), view.bytes.end(), at->second.bytes.begin(),
                             at->second.bytes.end()))
          << model << " " << name;
      ++compared;
    }
  }
  EXPECT_GT(compared, 300U);
}

}  // namespace
}  // namespace mien::core
