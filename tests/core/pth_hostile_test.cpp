// Checkpoints that want something else than to be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>

#include "core/pth.h"
#include "core/temp_folder.h"
#include "fuzz/pth_builder.h"
#include "fuzz/seeds.h"

namespace mien::core {
namespace {

using fuzz::Bytes;
using fuzz::PickleBuilder;
using ::mien::testing::TempFolder;
using ::testing::Contains;
using ::testing::HasSubstr;

Error error_of(const Bytes& bytes) {
  const auto result = read_pth_bytes(bytes);
  if (!result) {
    EXPECT_EQ(result.error().to_string().find('\n'), std::string::npos);
    EXPECT_LT(result.error().to_string().size(), 500U);
    return result.error();
  }
  ADD_FAILURE() << "was read, with " << result->tensors.size() << " tensors";
  return make_error(ErrorCode::kInternal, "was read");
}

// A checkpoint whose dictionary has `build`'s value under "w" and storages of six floats.
Bytes with_value(const std::function<void(PickleBuilder&)>& build) {
  PickleBuilder b;
  b.op('}').text("w");
  build(b);
  return fuzz::make_zip_checkpoint(b.op('s').done(), {fuzz::f32_ramp(6)});
}

Bytes with_view(std::int64_t offset, const std::vector<std::int64_t>& shape,
                const std::vector<std::int64_t>& strides) {
  return with_value(
      [&](PickleBuilder& b) { b.tensor("FloatStorage", "0", 6, offset, shape, strides); });
}

// --- attacks: a pickle that calls something ---

TEST(PthAttack, NothingIsEverRun) {
  const TempFolder folder;
  const std::string marker = folder.file("was-here");
  struct Attack {
    const char* module;
    const char* name;
    std::string argument;
  };
  const std::vector<Attack> attacks = {
      {"posix", "system", "touch " + marker},
      {"os", "system", "touch " + marker},
      {"builtins", "eval", "__import__('os').system('touch " + marker + "')"},
      {"builtins", "exec", "open('" + marker + "','w')"},
      {"subprocess", "check_output", "touch " + marker},
      {"torch.hub", "load", marker},
      {"torch._utils", "_rebuild_device_tensor_from_numpy", marker},
  };
  for (const Attack& attack : attacks) {
    const auto call = [&](PickleBuilder& b) {
      b.global(attack.module, attack.name).text(attack.argument).raw("\x85R");
    };
    // As a value beside a tensor: noted, ignored, and the tensor is read.
    PickleBuilder beside;
    beside.op('}').op('(').text("evil");
    call(beside);
    beside.text("good").tensor("FloatStorage", "0", 6, 0, {6}, {1}).op('u');
    const auto zip = read_pth_bytes(fuzz::make_zip_checkpoint(beside.done(), {fuzz::f32_ramp(6)}));
    ASSERT_TRUE(zip) << zip.error().to_string();
    EXPECT_EQ(zip->tensors.size(), 1U);
    EXPECT_THAT(zip->ignored, Contains("evil: " + std::string(attack.module) + "." + attack.name));

    // As the whole of it, in the older container.
    PickleBuilder whole;
    call(whole);
    const auto legacy = read_pth_bytes(fuzz::make_legacy_checkpoint(whole.done(), {}));
    ASSERT_TRUE(legacy);
    EXPECT_TRUE(legacy->tensors.empty());
    EXPECT_FALSE(select_state_dict(*legacy));

    // As a tensor's storage, its shape, a storage's key, a state for BUILD.
    EXPECT_FALSE(read_pth_bytes(with_value([&](PickleBuilder& b) {
      b.begin_tensor();
      call(b);
      b.end_tensor(0, {1}, {1});
    })));
    EXPECT_FALSE(read_pth_bytes(with_value([&](PickleBuilder& b) {
      b.begin_tensor().storage("FloatStorage", "0", 6).integer(0);
      call(b);
      b.integers({1}).op('\x89').ordered_dict().raw("tR");
    })));
    EXPECT_FALSE(read_pth_bytes(with_value([&](PickleBuilder& b) {
      b.op('(').text("storage").global("torch", "FloatStorage");
      call(b);
      b.text("cpu").integer(6).raw("tQ");
    })));
    EXPECT_TRUE(read_pth_bytes(with_value([&](PickleBuilder& b) {
      b.global("argparse", "Namespace").raw(")\x81");
      call(b);
      b.op('b');
    })));
  }
  EXPECT_EQ(folder.count(), 0U) << "something in a checkpoint was executed";
}

TEST(PthAttack, StorageKeysAreNoPaths) {
  const Bytes bytes = with_value(
      [](PickleBuilder& b) { b.tensor("FloatStorage", "../../../etc/passwd", 6, 0, {6}, {1}); });
  EXPECT_EQ(error_of(bytes).code, ErrorCode::kNotFound);
}

// --- views that reach too far ---

TEST(PthHostile, ViewsOutsideTheirStorage) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  EXPECT_TRUE(read_pth_bytes(with_view(0, {6}, {1})));
  EXPECT_TRUE(read_pth_bytes(with_view(5, {1}, {kHuge})));  // one step is no step
  EXPECT_EQ(error_of(with_view(0, {7}, {1})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(1, {6}, {1})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(6, {1}, {1})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(0, {2, 3}, {4, 1})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(0, {2}, {kHuge})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(kHuge, {2}, {kHuge})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(0, {2}, {-1})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(0, {-2}, {1})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(-1, {2}, {1})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(0, {2, 3}, {1})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(with_view(0, {kHuge, kHuge}, {0, 0})).code, ErrorCode::kLimit);
}

TEST(PthHostile, ViewsThatGrowOutOfNothing) {
  // Six floats seen as 2^30 by a stride of 0.
  const Error one = error_of(with_view(0, {1 << 30}, {0}));
  EXPECT_EQ(one.code, ErrorCode::kLimit);
  EXPECT_THAT(one.to_string(), HasSubstr("w: "));
  // Or a little less, often.
  PickleBuilder b;
  b.op('}').op('(');
  for (int i = 0; i < 100; ++i) {
    b.text("t" + std::to_string(i)).tensor("FloatStorage", "0", 6, 0, {100'000}, {0});
  }
  EXPECT_EQ(error_of(fuzz::make_zip_checkpoint(b.op('u').done(), {fuzz::f32_ramp(6)})).code,
            ErrorCode::kLimit);
}

TEST(PthHostile, BadDescriptions) {
  const auto code = [](const std::function<void(PickleBuilder&)>& build) {
    return error_of(with_value(build)).code;
  };
  // The file's storage has 24 bytes.
  EXPECT_EQ(code([](auto& b) { b.tensor("FloatStorage", "0", 7, 0, {6}, {1}); }),
            ErrorCode::kBadFormat);
  EXPECT_EQ(code([](auto& b) { b.tensor("FloatStorage", "0", 5, 0, {1}, {1}); }),
            ErrorCode::kLimit);
  EXPECT_EQ(code([](auto& b) { b.tensor("DoubleStorage", "0", 6, 0, {6}, {1}); }),
            ErrorCode::kBadFormat);
  EXPECT_EQ(code([](auto& b) { b.tensor("FloatStorage", "1", 6, 0, {6}, {1}); }),
            ErrorCode::kNotFound);
  EXPECT_EQ(
      code([](auto& b) { b.tensor("FloatStorage", "0", std::int64_t{1} << 62, 0, {6}, {1}); }),
      ErrorCode::kLimit);
  EXPECT_EQ(code([](auto& b) { b.storage("FloatStorage", "0", -1); }), ErrorCode::kBadFormat);
  EXPECT_EQ(code([](auto& b) {
              b.op('(').storage("FloatStorage", "0", 6).storage("IntStorage", "0", 6).op('t');
            }),
            ErrorCode::kBadFormat);
  EXPECT_EQ(code([](auto& b) { b.begin_tensor().raw("tR"); }), ErrorCode::kBadFormat);
  EXPECT_EQ(code([](auto& b) { b.global("torch._utils", "_rebuild_parameter").raw(")R"); }),
            ErrorCode::kBadFormat);
}

TEST(PthHostile, TwoTensorsOfOneName) {
  PickleBuilder b;
  b.op('}').op('(');
  b.text("a.b").tensor("FloatStorage", "0", 6, 0, {6}, {1});
  b.text("a").op('}').text("b").tensor("FloatStorage", "0", 6, 0, {6}, {1}).op('s').op('u');
  EXPECT_EQ(error_of(fuzz::make_zip_checkpoint(b.done(), {fuzz::f32_ramp(6)})).code,
            ErrorCode::kBadFormat);
}

// --- containers that never end ---

TEST(PthHostile, DeepNesting) {
  EXPECT_EQ(error_of(with_value([](PickleBuilder& b) {
              b.raw(std::string(100'000, ']')).raw(std::string(99'999, 'a'));
            })).code,
            ErrorCode::kLimit);
}

TEST(PthHostile, AListInsideItself) {
  const auto result = read_pth_bytes(with_value([](PickleBuilder& b) {
    b.raw(
        "]q\x01h\x01"
        "a");
  }));
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->tensors.empty());
}

TEST(PthHostile, ABillionLaughs) {
  // l0 = []; l1 = [l0] * 10; l2 = [l1] * 10; ... ten to the 30th paths
  PickleBuilder b;
  b.raw("]q").op('\0');
  for (char level = 1; level <= 30; ++level) {
    b.raw("](");
    for (int i = 0; i < 10; ++i) b.op('h').op(static_cast<char>(level - 1));
    b.raw("eq").op(level);
  }
  EXPECT_EQ(error_of(fuzz::make_zip_checkpoint(b.done(), {})).code, ErrorCode::kLimit);
}

TEST(PthHostile, LongNames) {
  PickleBuilder b;
  b.op('}').text(std::string(5000, 'n')).tensor("FloatStorage", "0", 6, 0, {6}, {1}).op('s');
  EXPECT_EQ(error_of(fuzz::make_zip_checkpoint(b.done(), {fuzz::f32_ramp(6)})).code,
            ErrorCode::kLimit);
}

// --- archives ---

TEST(PthHostile, ZipBombs) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  const std::string zeros(kMiB * 40, '\0');
  const auto floats = static_cast<std::int64_t>(zeros.size() / 4);
  PickleBuilder one;
  one.op('}').text("w").tensor("FloatStorage", "0", floats, 0, {floats}, {1}).op('s');
  const Bytes bomb = fuzz::make_zip_checkpoint(one.done(), {zeros}, true);
  ASSERT_LT(bomb.size(), kMiB / 10);
  const Error error = error_of(bomb);
  EXPECT_EQ(error.code, ErrorCode::kLimit);
  EXPECT_THAT(error.to_string(), HasSubstr("archive/data/0"));

  // Many small ones.
  PickleBuilder many;
  many.op('}').op('(');
  const std::string part(kMiB * 4, '\0');
  for (int i = 0; i < 10; ++i) {
    const std::string key = std::to_string(i);
    many.text(key).tensor("ByteStorage", key, 4 << 20, 0, {1}, {1});
  }
  EXPECT_EQ(error_of(fuzz::make_zip_checkpoint(many.op('u').done(),
                                               std::vector<std::string>(10, part), true))
                .code,
            ErrorCode::kLimit);

  // The pickle itself.
  EXPECT_EQ(error_of(fuzz::make_zip({{"a/data.pkl", std::string(kMiB * 65, 'N'), true}})).code,
            ErrorCode::kLimit);
}

TEST(PthHostile, ABombThatUnderstatesItsSize) {
  // The directory says 24 bytes, the deflated stream holds 4 MiB.
  const std::string zeros(std::size_t{4} << 20, '\0');
  PickleBuilder b;
  b.op('}').text("w").tensor("FloatStorage", "0", 6, 0, {6}, {1}).op('s');
  Bytes bytes = fuzz::make_zip({{"a/data.pkl", b.done()}, {"a/data/0", zeros, true}});
  const std::uint32_t real = 4U << 20;
  const std::uint32_t lie = 24;
  std::size_t patched = 0;
  for (std::size_t at = 0; at + 4 <= bytes.size(); ++at) {
    if (std::memcmp(bytes.data() + at, &real, 4) != 0) continue;
    std::memcpy(bytes.data() + at, &lie, 4);
    ++patched;
  }
  ASSERT_GE(patched, 1U);
  error_of(bytes);
}

TEST(PthHostile, DamagedStorage) {
  Bytes bytes = with_view(0, {6}, {1});
  const std::string ramp = fuzz::f32_ramp(6);
  for (std::size_t at = 0; at + ramp.size() <= bytes.size(); ++at) {
    if (std::memcmp(bytes.data() + at, ramp.data(), ramp.size()) == 0) bytes[at + 9] = std::byte{1};
  }
  const Error error = error_of(bytes);
  EXPECT_EQ(error.code, ErrorCode::kBadFormat);
  EXPECT_THAT(error.to_string(), HasSubstr("CRC"));
}

TEST(PthHostile, CutAtEveryByte) {
  for (const Bytes& seed : fuzz::pth_seeds()) {
    for (std::size_t length = 0; length < seed.size(); ++length) {
      const Bytes cut(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(length));
      ASSERT_FALSE(read_pth_bytes(cut)) << length << " of " << seed.size();
    }
  }
}

TEST(PthHostile, OtherByteOrders) {
  PickleBuilder b;
  b.op('}');
  EXPECT_EQ(error_of(fuzz::make_zip({{"a/data.pkl", b.done()}, {"a/byteorder", "big"}})).code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(error_of(fuzz::make_legacy_checkpoint(b.done(), {}, false)).code,
            ErrorCode::kUnsupported);
}

TEST(PthHostile, NoCheckpointAtAll) {
  EXPECT_EQ(error_of({}).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(fuzz::to_bytes("hello")).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(fuzz::to_bytes(PickleBuilder().op('}').done())).code, ErrorCode::kBadFormat);
  EXPECT_THAT(error_of(fuzz::make_zip({{"readme.txt", "hi"}})).to_string(), HasSubstr("data.pkl"));
  EXPECT_FALSE(read_pth("/no/such/file.pth"));
}

TEST(PthHostile, LegacyStoragesMustMatchTheirDescriptions) {
  const auto file = [](const std::vector<fuzz::LegacyStorage>& storages) {
    PickleBuilder b;
    b.op('}').text("w").tensor("FloatStorage", "0", 6, 0, {6}, {1}, true).op('s');
    return fuzz::make_legacy_checkpoint(b.done(), storages);
  };
  const std::string ramp = fuzz::f32_ramp(6);
  EXPECT_TRUE(read_pth_bytes(file({{"0", 6, ramp}})));
  EXPECT_EQ(error_of(file({{"0", 5, ramp}})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(file({{"0", ~std::uint64_t{0}, ramp}})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(file({{"0", 6, "short"}})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(file({{"0", 6, ramp + "x"}})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(file({{"0", 6, ramp}, {"0", 6, ramp}})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(file({{"1", 6, ramp}})).code, ErrorCode::kBadFormat);
  EXPECT_EQ(error_of(file({})).code, ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace mien::core
