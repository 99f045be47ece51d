// The stack, memo and operands of the pickle reader: the parts that every opcode is made of. Each
// step checks what it takes, so that ids on the stack and in the memo are always indices of nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/pickle.h"
#include "mien/result.hpp"

namespace mien::core::detail {

class PickleMachine {
 public:
  // At most kMaxPickleBytes of `bytes` are looked at.
  explicit PickleMachine(std::span<const std::byte> bytes);

  // Runs to STOP. Call once. Defined beside the opcodes in pickle.cpp.
  Result<Pickle> run();

 private:
  using Ids = std::vector<PickleId>;

  Error fail(ErrorCode code, const std::string& what) const;
  Error broken(const std::string& what) const { return fail(ErrorCode::kBadFormat, what); }

  // Operands in the byte stream: raw bytes, a little-endian number of 1 to 8 bytes, a line.
  Result<std::string_view> take(std::uint64_t count);
  Result<std::uint64_t> number(std::size_t size);
  Result<std::string_view> line();

  // The stack above the topmost mark: as in Python, a mark starts a new stack.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Result<PickleId> pop();
  Result<PickleId> top();
  Result<Ids> pop_count(std::size_t count);
  Result<Ids> pop_to_mark();

  void push(PickleNode node);
  Status push_items(PickleKind kind, Result<Ids> items);
  Status push_integer(PickleKind kind, std::int64_t value);
  Status push_text(PickleKind kind, std::size_t length_size);
  Status push_long(std::size_t length_size);

  // Adds popped items to the container (list, set or dictionary, as `wanted` says) on the stack.
  Status extend(PickleKind wanted, Result<Ids> items);
  Status make_dict();

  Status put(std::uint64_t index);
  Status get(std::uint64_t index);
  Status put_operand(std::size_t size);
  Status get_operand(std::size_t size);

  // Names, calls and persistent ids: written down, never acted on.
  Status global();
  Status stack_global();
  Status call(std::size_t operands);
  Status persistent();

  Status step(unsigned opcode);
  Status step_container(unsigned opcode);
  Status step_object(unsigned opcode);
  Status step_flow(unsigned opcode);
  Status unknown(unsigned opcode) const;

  std::string_view text_;
  bool cut_by_limit_ = false;
  std::size_t at_ = 0;
  std::size_t opcode_at_ = 0;  // for messages
  Pickle out_;
  Ids stack_;
  std::vector<std::size_t> marks_;
  Ids memo_;
  std::size_t memo_count_ = 0;  // entries in use: the index that MEMOIZE takes next
};

}  // namespace mien::core::detail
