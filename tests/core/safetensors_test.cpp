#include "core/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <utility>

#include "core/temp_folder.h"
#include "fuzz/seeds.h"

namespace mien::core {
namespace {

using ::mien::testing::TempFolder;
using ::testing::HasSubstr;

std::vector<std::byte> file_of(const std::string& header, const std::string& data) {
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return fuzz::to_bytes(out + header + data);
}

TensorMap sample() {
  TensorMap tensors;
  tensors["b.weight"] = Tensor::from_f32(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  tensors["a.mask"] = Tensor::from_u8(std::vector<std::uint8_t>{1, 2, 3}, {3});
  tensors["half"] = convert_float(tensors["b.weight"].view(), DType::kF16).value();
  tensors["scalar"] = Tensor::from_f32(std::vector<float>{7}, {});
  tensors["none"] = Tensor::zeros(DType::kI64, {0, 5});
  return tensors;
}

TEST(Safetensors, RoundTripsThroughAFile) {
  const TempFolder folder;
  const TensorMap tensors = sample();
  const SafetensorsMetadata metadata = {{"mien.format", "1"}, {"note", "a \"quoted\" \xc3\xa9\n"}};
  ASSERT_TRUE(write_safetensors(folder.file("m.safetensors"), views_of(tensors), metadata));
  EXPECT_EQ(folder.count(), 1U);
  const SafetensorsFile file = SafetensorsFile::open(folder.file("m.safetensors")).value();
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const TensorView view = file.find(name).value();
    EXPECT_EQ(view.dtype, tensor.dtype) << name;
    EXPECT_EQ(view.shape, tensor.shape) << name;
    EXPECT_TRUE(
        std::equal(view.bytes.begin(), view.bytes.end(), tensor.bytes.begin(), tensor.bytes.end()))
        << name;
  }
  EXPECT_FLOAT_EQ(file.find("b.weight").value().as<float>()[5], 6.0F);
}

TEST(Safetensors, WritesTheSameBytesEveryTimeAndAligned) {
  const TensorMap tensors = sample();
  const auto first = serialize_safetensors(views_of(tensors), {{"k", "v"}}).value();
  EXPECT_EQ(first, serialize_safetensors(views_of(tensors), {{"k", "v"}}).value());
  std::uint64_t length = 0;
  std::memcpy(&length, first.data(), 8);
  EXPECT_EQ(length % 8, 0U);
  const SafetensorsContent content = parse_safetensors(first).value();
  EXPECT_TRUE(content.realigned.empty());
  const TempFolder folder;
  ASSERT_TRUE(write_safetensors(folder.file("m"), views_of(tensors), {{"k", "v"}}));
  EXPECT_EQ(read_file(folder.file("m")).value(), first);
}

TEST(Safetensors, ViewsSurviveMoves) {
  const TempFolder folder;
  ASSERT_TRUE(write_safetensors(folder.file("m"), views_of(sample())));
  SafetensorsFile file = SafetensorsFile::open(folder.file("m")).value();
  const TensorView view = file.find("b.weight").value();
  const SafetensorsFile moved = std::move(file);
  EXPECT_EQ(moved.find("b.weight").value().bytes.data(), view.bytes.data());
  EXPECT_FLOAT_EQ(view.as<float>()[0], 1.0F);
}

TEST(Safetensors, CopiesWhatIsNotAligned) {
  // 13 + 8 bytes of header in front of it, and a byte tensor: no alignment at all.
  const auto bytes = file_of(
      R"({"u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})",
      std::string("\x01\0\0\x80\x3f\0\0\0\x40", 9));
  SafetensorsContent content = parse_safetensors(bytes).value();
  const SafetensorsContent moved = std::move(content);
  const TensorView view = moved.tensors.at("f");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.bytes.data()) % 4, 0U);
  EXPECT_FLOAT_EQ(view.as<float>()[0], 1.0F);
  EXPECT_FLOAT_EQ(view.as<float>()[1], 2.0F);
}

TEST(Safetensors, AcceptsWhatTheFormatAllows) {
  EXPECT_TRUE(parse_safetensors(file_of("{}", "")));
  EXPECT_TRUE(parse_safetensors(file_of("{}      ", "")));
  EXPECT_TRUE(parse_safetensors(file_of(R"({"__metadata__":{}})", "")));
  // Empty tensors may stand anywhere between the others.
  EXPECT_TRUE(parse_safetensors(file_of(
      R"({"e":{"dtype":"F32","shape":[0],"data_offsets":[1,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
      "xy")));
}

TEST(Safetensors, FindNamesFileAndTensor) {
  const TempFolder folder;
  ASSERT_TRUE(write_safetensors(folder.file("m.safetensors"), {}));
  const auto found = SafetensorsFile::open(folder.file("m.safetensors")).value().find("conv1");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(found.error().to_string(), HasSubstr("m.safetensors"));
  EXPECT_THAT(found.error().to_string(), HasSubstr("conv1"));
}

// --- hostile files ---

struct Broken {
  const char* what;
  std::string header;
  std::string data;
  ErrorCode code;
  const char* says;
};

TEST(SafetensorsHostile, EveryLieIsAnError) {
  const std::string f32 = R"({"t":{"dtype":"F32","shape":[1],"data_offsets":)";
  const std::vector<Broken> all = {
      {"no object", "[]      ", "", ErrorCode::kBadFormat, "start with '{'"},
      {"empty header", "", "", ErrorCode::kBadFormat, "start with '{'"},
      {"no JSON", "{abc}", "", ErrorCode::kBadFormat, "JSON"},
      {"text after JSON", "{}{}", "", ErrorCode::kBadFormat, "JSON"},
      {"not UTF-8", "{\"\xff\":1}", "", ErrorCode::kBadFormat, "JSON"},
      {"begin after end", f32 + "[4,0]}}", "1234", ErrorCode::kBadFormat, "before it begins"},
      {"past the end", f32 + "[0,4]}}", "123", ErrorCode::kBadFormat, "after the file"},
      {"size too small", f32 + "[0,3]}}", "123", ErrorCode::kBadFormat, "does not fit"},
      {"size too large", f32 + "[0,8]}}", "12345678", ErrorCode::kBadFormat, "does not fit"},
      {"hole first", f32 + "[4,8]}}", "12345678", ErrorCode::kBadFormat, "hole"},
      {"bytes left", f32 + "[0,4]}}", "12345", ErrorCode::kBadFormat, "after its last"},
      {"one offset", f32 + "[0]}}", "1234", ErrorCode::kBadFormat, "data_offsets"},
      {"three offsets", f32 + "[0,4,4]}}", "1234", ErrorCode::kBadFormat, "data_offsets"},
      {"negative", f32 + "[-4,0]}}", "1234", ErrorCode::kBadFormat, "negative"},
      {"fraction", f32 + "[0,4.0]}}", "1234", ErrorCode::kBadFormat, "whole"},
      {"huge offset", f32 + "[0,18446744073709551615]}}", "1234", ErrorCode::kBadFormat, "fit"},
      {"beyond 64 bits", f32 + "[0,18446744073709551616]}}", "", ErrorCode::kBadFormat, "whole"},
      {"string offset", f32 + "[\"0\",4]}}", "1234", ErrorCode::kBadFormat, "string"},
      {"nested list", f32 + "[[0],4]}}", "1234", ErrorCode::kBadFormat, "list"},
      {"unknown dtype", R"({"t":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}})", "1234",
       ErrorCode::kUnsupported, "F4"},
      {"no shape", R"({"t":{"dtype":"F32","data_offsets":[0,4]}})", "1234", ErrorCode::kBadFormat,
       "lacks"},
      {"extra field", R"({"t":{"dtype":"F32","shape":[1],"x":1,"data_offsets":[0,4]}})", "1234",
       ErrorCode::kBadFormat, "unknown field"},
      {"field twice", R"({"t":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "1234", ErrorCode::kBadFormat, "twice"},
      {"tensor twice",
       R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"t":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
       "12", ErrorCode::kBadFormat, "twice"},
      {"overlap",
       R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"v":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       "123", ErrorCode::kBadFormat, "overlaps"},
      {"the same bytes twice",
       R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"v":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
       "12", ErrorCode::kBadFormat, "overlaps"},
      {"hole between",
       R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"v":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
       "123", ErrorCode::kBadFormat, "hole"},
      {"overflowing shape",
       R"({"t":{"dtype":"F32","shape":[4294967296,4294967296,4294967297],"data_offsets":[0,4]}})",
       "1234", ErrorCode::kLimit, "too large"},
      {"wrapping shape",
       R"({"t":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", "1234",
       ErrorCode::kLimit, "too large"},
      {"shape beyond int64",
       R"({"t":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}})", "1",
       ErrorCode::kLimit, "2^63"},
      {"metadata of numbers", R"({"__metadata__":{"a":1}})", "", ErrorCode::kBadFormat, "number"},
      {"metadata twice", R"({"__metadata__":{},"__metadata__":{}})", "", ErrorCode::kBadFormat,
       "twice"},
      {"nested metadata", R"({"__metadata__":{"a":{}}})", "", ErrorCode::kBadFormat, "object"},
      {"a list as entry", R"({"t":[]})", "", ErrorCode::kBadFormat, "list"},
      {"null as entry", R"({"t":null})", "", ErrorCode::kBadFormat, "null"},
      {"deep nesting", "{\"t\":" + std::string(100'000, '['), "", ErrorCode::kBadFormat, "list"},
      {"many dimensions",
       R"({"t":{"dtype":"U8","shape":[1)" +
           [] {
             std::string ones;
             for (int i = 0; i < 64; ++i) ones += ",1";
             return ones;
           }() +
           R"(],"data_offsets":[0,1]}})",
       "1", ErrorCode::kLimit, "dimensions"},
  };
  for (const Broken& broken : all) {
    const auto result = parse_safetensors(file_of(broken.header, broken.data));
    ASSERT_FALSE(result) << broken.what;
    EXPECT_EQ(result.error().code, broken.code)
        << broken.what << ": " << result.error().to_string();
    EXPECT_THAT(result.error().to_string(), HasSubstr(broken.says)) << broken.what;
    EXPECT_LT(result.error().to_string().size(), 500U) << broken.what;
  }
}

TEST(SafetensorsHostile, ErrorsNameTheTensor) {
  const auto result = parse_safetensors(
      file_of(R"({"conv1.weight":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}})", "1234"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().context, "conv1.weight");
  EXPECT_EQ(result.error().to_string(), "conv1.weight: F32[3] does not fit in its 4 bytes");
}

TEST(SafetensorsHostile, CutAtEveryByteIsAnError) {
  for (const auto& seed : fuzz::safetensors_seeds()) {
    ASSERT_TRUE(parse_safetensors(seed));
    for (std::size_t length = 0; length < seed.size(); ++length) {
      // An own allocation, so that reading past its end is seen.
      const std::vector<std::byte> cut(seed.begin(),
                                       seed.begin() + static_cast<std::ptrdiff_t>(length));
      ASSERT_FALSE(parse_safetensors(cut)) << length << " of " << seed.size();
    }
  }
}

TEST(SafetensorsHostile, HeaderLengthIsLimited) {
  auto bytes = file_of("{}", "");
  const std::uint64_t lengths[] = {3, 100'000'000, 100'000'001, ~std::uint64_t{0},
                                   std::uint64_t{1} << 63};
  for (const std::uint64_t length : lengths) {
    std::memcpy(bytes.data(), &length, 8);
    const auto result = parse_safetensors(bytes);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code,
              length > kMaxSafetensorsHeader ? ErrorCode::kLimit : ErrorCode::kBadFormat);
  }
}

TEST(SafetensorsHostile, OpenNamesTheFile) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.file("x.safetensors"), std::string("PK\x03\x04 no")));
  for (const char* name : {"x.safetensors", "absent.safetensors", ""}) {
    const auto result = SafetensorsFile::open(folder.file(name));
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().to_string(), HasSubstr(folder.file(name)));
  }
  ASSERT_TRUE(write_file_atomically(folder.file("empty"), std::string()));
  EXPECT_EQ(SafetensorsFile::open(folder.file("empty")).error().code, ErrorCode::kBadFormat);
}

TEST(SafetensorsHostile, AWriterRefusesWhatAReaderWould) {
  const TempFolder folder;
  const Tensor good = Tensor::zeros(DType::kF32, {2});
  TensorView wrong = good.view();
  wrong.shape = {3};
  const auto code = [&](const TensorViewMap& tensors, const SafetensorsMetadata& metadata) {
    const Status status = write_safetensors(folder.file("m"), tensors, metadata);
    return status ? std::string("ok") : error_code_name(status.error().code);
  };
  EXPECT_EQ(code({{"a", wrong}}, {}), "invalid-argument");
  EXPECT_EQ(code({{"__metadata__", good.view()}}, {}), "invalid-argument");
  EXPECT_EQ(code({{"\xff", good.view()}}, {}), "invalid-argument");
  EXPECT_EQ(code({{"a", good.view()}}, {{"k", "\xff"}}), "invalid-argument");
  EXPECT_EQ(folder.count(), 0U);
  EXPECT_EQ(code({{"a", good.view()}}, {}), "ok");
}

}  // namespace
}  // namespace mien::core
