#include "core/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fuzz/pth_builder.h"

namespace mien::core::detail {
namespace {

using fuzz::PickleBuilder;
using fuzz::to_bytes;
using ::testing::HasSubstr;

// The bytes must outlive the pickle, so a test keeps both.
struct Read {
  explicit Read(const std::string& text) : bytes(to_bytes(text)), pickle(read_pickle(bytes)) {}
  const PickleNode& root() const { return pickle->node(pickle->root); }

  fuzz::Bytes bytes;
  Result<Pickle> pickle;
};

ErrorCode code_of(const std::string& text) {
  const Read read(text);
  EXPECT_FALSE(read.pickle);
  return read.pickle ? ErrorCode::kInternal : read.pickle.error().code;
}

std::int64_t integer_of(const std::string& opcodes) {
  const Read read(PickleBuilder().raw(opcodes).done());
  EXPECT_TRUE(read.pickle);
  EXPECT_EQ(read.root().kind, PickleKind::kInt);
  return read.root().integer;
}

TEST(Pickle, IntegersOfEveryWidth) {
  EXPECT_EQ(integer_of("K\xff"), 255);
  EXPECT_EQ(integer_of("M\xff\xff"), 65535);
  EXPECT_EQ(integer_of("J\xff\xff\xff\xff"), -1);
  EXPECT_EQ(integer_of(std::string("J\0\0\0\x80", 5)), -2147483648LL);
  EXPECT_EQ(integer_of(std::string("\x8a\0", 2)), 0);
  EXPECT_EQ(integer_of("\x8a\x01\xff"), -1);
  EXPECT_EQ(integer_of(std::string("\x8a\x02\xff\0", 4)), 255);
  EXPECT_EQ(integer_of("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"), 9223372036854775807LL);
  EXPECT_EQ(integer_of(std::string("\x8a\x06\0\0\0\0\0\x01", 8)), 1099511627776LL);
  const Read wide(PickleBuilder()
                      .raw("\x8a\x09"
                           "123456789")
                      .done());
  EXPECT_EQ(wide.root().kind, PickleKind::kLong);
  EXPECT_EQ(wide.root().text, "123456789");
}

TEST(Pickle, ContainersNestAndShare) {
  // d = {}; [d, d, (1, 2, 3)] with d["k"] = True, set through the second reference
  const Read read(PickleBuilder()
                      .raw(std::string("](}q\0h\0", 7))
                      .text("k")
                      .raw("\x88s(K\x01K\x02K\x03te")
                      .done());
  ASSERT_TRUE(read.pickle) << read.pickle.error().to_string();
  const auto& items = read.root().items;
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0], items[1]);
  EXPECT_EQ(read.pickle->node(items[0]).items.size(), 2U);
  EXPECT_EQ(read.pickle->node(items[2]).kind, PickleKind::kTuple);
}

TEST(Pickle, StopsAtStop) {
  const Read read(PickleBuilder().op('N').done() + "more");
  ASSERT_TRUE(read.pickle);
  EXPECT_EQ(read.pickle->size, 4U);
}

TEST(Pickle, CallsAreWrittenDown) {
  const Read read(PickleBuilder().global("os", "system").text("true").raw("\x85R").done());
  ASSERT_TRUE(read.pickle);
  ASSERT_EQ(read.root().kind, PickleKind::kCall);
  EXPECT_EQ(read.pickle->node(read.root().callee).module, "os");
  EXPECT_EQ(read.pickle->node(read.root().callee).text, "system");
}

TEST(Pickle, MisuseIsAnError) {
  const auto body = [](const std::string& opcodes) { return PickleBuilder().raw(opcodes).done(); };
  const std::vector<std::string> all = {
      body(""),        // nothing to return
      body("0"),       // pop of nothing
      body("2"),       // dup of nothing
      body("t"),       // no mark
      body("(1"),      // nothing left to return
      body("N(0"),     // pop below a mark
      body("a"),       // append to nothing
      body("NNa"),     // append to None
      body(")Na"),     // append to a tuple
      body("}(Nu"),    // key without value
      body("(Nd"),     // the same
      body("\x85"),    // tuple of a missing item
      body("h\x07"),   // memo entry that was never put
      body("q\x01"),   // put of nothing
      body("R"),       // call of nothing
      body("NN\x93"),  // a global named by None
      body("Q"),       // persistent id of nothing
      body("X\xff\xff\xff\xffshort"),
      body(std::string("\x8e\xff\xff\xff\xff\xff\xff\xff\xff", 9)),
      std::string("\x80\x02N"),  // no STOP
      "",
      "\x80",
      "\x80\x02"
      "cos\nsystem",  // a line that does not end
  };
  for (const std::string& text : all) EXPECT_EQ(code_of(text), ErrorCode::kBadFormat) << text;
}

TEST(Pickle, RefusesWhatTorchDoesNotWrite) {
  for (const char opcode :
       {'i', 'o', 'P', 'I', 'L', 'S', 'V', 'F', 'p', 'g', '\x82', '\x97', '\0', '\xff'}) {
    const Read read(PickleBuilder().op(opcode).done());
    ASSERT_FALSE(read.pickle);
    EXPECT_EQ(read.pickle.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(read.pickle.error().to_string(), HasSubstr("opcode 0x"));
  }
  EXPECT_EQ(code_of(PickleBuilder(1).op('N').done()), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(PickleBuilder(6).op('N').done()), ErrorCode::kUnsupported);
}

TEST(Pickle, LimitsOpcodesAndMemo) {
  EXPECT_EQ(code_of(PickleBuilder().raw(std::string(kMaxPickleOpcodes + 1, 'N')).done()),
            ErrorCode::kLimit);
  EXPECT_EQ(code_of(PickleBuilder().raw("Nr\xff\xff\xff\xff").done()), ErrorCode::kLimit);
  // A million open marks are only a million marks.
  EXPECT_EQ(code_of(PickleBuilder().raw(std::string(1'000'000, '(')).done()),
            ErrorCode::kBadFormat);
}

TEST(Pickle, LimitsBytes) {
  // One string of 64 MiB: the text alone reaches the limit.
  std::string text = "\x80\x02X";
  text += std::string("\0\0\0\x04", 4);
  text.append(std::size_t{64} << 20, 'x');
  EXPECT_EQ(code_of(text + "."), ErrorCode::kLimit);
}

}  // namespace
}  // namespace mien::core::detail
