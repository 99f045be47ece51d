#include "core/pickle_machine.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace mien::core::detail {
namespace {

constexpr PickleId kUnset = std::numeric_limits<PickleId>::max();

std::uint64_t little_endian(std::string_view raw) {
  std::uint64_t value = 0;
  for (std::size_t i = raw.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(raw[i]);
  }
  return value;
}

}  // namespace

PickleMachine::PickleMachine(std::span<const std::byte> bytes)
    : text_(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kMaxPickleBytes)),
      cut_by_limit_(bytes.size() > kMaxPickleBytes) {}

Error PickleMachine::fail(ErrorCode code, const std::string& what) const {
  return make_error(code, "pickle " + what + " (byte " + std::to_string(opcode_at_) + ")");
}

Result<std::string_view> PickleMachine::take(std::uint64_t count) {
  if (count > text_.size() - at_) {
    if (cut_by_limit_) return fail(ErrorCode::kLimit, "is longer than 64 MiB");
    return broken("is cut off");
  }
  const std::string_view out = text_.substr(at_, static_cast<std::size_t>(count));
  at_ += static_cast<std::size_t>(count);
  return out;
}

// A little-endian unsigned number of 1 to 8 bytes.
Result<std::uint64_t> PickleMachine::number(std::size_t size) {
  MIEN_ASSIGN(const std::string_view raw, take(size));
  return little_endian(raw);
}

Result<std::string_view> PickleMachine::line() {
  const std::size_t end = text_.find('\n', at_);
  if (end == std::string_view::npos) return take(text_.size() - at_ + 1);
  MIEN_ASSIGN(const std::string_view out, take(end - at_));
  ++at_;
  return out;
}

Result<PickleId> PickleMachine::pop() {
  if (stack_.size() <= floor()) return broken("takes from an empty stack");
  const PickleId id = stack_.back();
  stack_.pop_back();
  return id;
}

Result<PickleId> PickleMachine::top() {
  if (stack_.size() <= floor()) return broken("looks at an empty stack");
  return stack_.back();
}

Result<PickleMachine::Ids> PickleMachine::pop_to_mark() {
  if (marks_.empty()) return broken("has no mark to go back to");
  const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  Ids items(from, stack_.end());
  stack_.erase(from, stack_.end());
  marks_.pop_back();
  return items;
}

Result<PickleMachine::Ids> PickleMachine::pop_count(std::size_t count) {
  if (stack_.size() < floor() + count) return broken("takes from an empty stack");
  const auto from = stack_.end() - static_cast<std::ptrdiff_t>(count);
  Ids items(from, stack_.end());
  stack_.erase(from, stack_.end());
  return items;
}

void PickleMachine::push(PickleNode node) {
  const auto id = static_cast<PickleId>(out_.nodes.size());
  out_.nodes.push_back(std::move(node));
  stack_.push_back(id);
}

Status PickleMachine::push_items(PickleKind kind, Result<Ids> items) {
  if (!items) return items.error();
  PickleNode node;
  node.kind = kind;
  node.items = std::move(*items);
  push(std::move(node));
  return {};
}

Status PickleMachine::push_integer(PickleKind kind, std::int64_t value) {
  PickleNode node;
  node.kind = kind;
  node.integer = value;
  push(std::move(node));
  return {};
}

Status PickleMachine::push_text(PickleKind kind, std::size_t length_size) {
  MIEN_ASSIGN(const std::uint64_t length, number(length_size));
  PickleNode node;
  node.kind = kind;
  MIEN_ASSIGN(node.text, take(length));
  push(std::move(node));
  return {};
}

Status PickleMachine::push_long(std::size_t length_size) {
  MIEN_TRY(push_text(PickleKind::kLong, length_size));
  PickleNode& node = out_.nodes.back();
  const std::size_t size = node.text.size();
  if (size > 8) return {};
  std::uint64_t value = little_endian(node.text);
  const bool negative = size > 0 && (static_cast<unsigned char>(node.text.back()) & 0x80U) != 0;
  if (negative && size < 8) value |= ~std::uint64_t{0} << (8 * size);
  node.kind = PickleKind::kInt;
  node.integer = static_cast<std::int64_t>(value);
  return {};
}

Status PickleMachine::extend(PickleKind wanted, Result<Ids> items) {
  if (!items) return items.error();
  MIEN_ASSIGN(const PickleId target, top());
  PickleNode& node = out_.nodes[target];
  if (wanted == PickleKind::kDict && items->size() % 2 != 0) {
    return broken("sets a key without a value");
  }
  // A call's result is an object we do not know: keys set on it are kept (it may be a dictionary
  // type), elements appended to it are not.
  if (node.kind == PickleKind::kCall) {
    if (wanted != PickleKind::kDict) return {};
  } else if (node.kind != wanted) {
    return broken("extends something that is not a container");
  }
  node.items.insert(node.items.end(), items->begin(), items->end());
  return {};
}

Status PickleMachine::make_dict() {
  MIEN_ASSIGN(Ids items, pop_to_mark());
  if (items.size() % 2 != 0) return broken("sets a key without a value");
  return push_items(PickleKind::kDict, std::move(items));
}

Status PickleMachine::put(std::uint64_t index) {
  // A pickle of n opcodes has no use for an index beyond n.
  if (index >= kMaxPickleOpcodes) return fail(ErrorCode::kLimit, "has a memo index too large");
  MIEN_ASSIGN(const PickleId id, top());
  if (index >= memo_.size()) {
    memo_.resize(std::max<std::size_t>(static_cast<std::size_t>(index) + 1, memo_.size() * 2),
                 kUnset);
  }
  PickleId& slot = memo_[static_cast<std::size_t>(index)];
  if (slot == kUnset) ++memo_count_;
  slot = id;
  return {};
}

Status PickleMachine::get(std::uint64_t index) {
  if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == kUnset) {
    return broken("refers to a memo entry that is not there");
  }
  stack_.push_back(memo_[static_cast<std::size_t>(index)]);
  return {};
}

Status PickleMachine::put_operand(std::size_t size) {
  MIEN_ASSIGN(const std::uint64_t index, number(size));
  return put(index);
}

Status PickleMachine::get_operand(std::size_t size) {
  MIEN_ASSIGN(const std::uint64_t index, number(size));
  return get(index);
}

Status PickleMachine::global() {
  PickleNode node;
  node.kind = PickleKind::kGlobal;
  MIEN_ASSIGN(node.module, line());
  MIEN_ASSIGN(node.text, line());
  push(std::move(node));
  return {};
}

Status PickleMachine::stack_global() {
  MIEN_ASSIGN(const Ids names, pop_count(2));
  PickleNode node;
  node.kind = PickleKind::kGlobal;
  for (const PickleId id : names) {
    if (out_.nodes[id].kind != PickleKind::kString) return broken("names a global by no string");
  }
  node.module = out_.nodes[names[0]].text;
  node.text = out_.nodes[names[1]].text;
  push(std::move(node));
  return {};
}

Status PickleMachine::call(std::size_t operands) {
  MIEN_ASSIGN(const Ids ids, pop_count(operands));
  PickleNode node;
  node.kind = PickleKind::kCall;
  node.callee = ids[0];
  node.arguments = ids[1];
  push(std::move(node));
  return {};
}

Status PickleMachine::persistent() {
  PickleNode node;
  node.kind = PickleKind::kPersistent;
  MIEN_ASSIGN(node.arguments, pop());
  push(std::move(node));
  return {};
}

}  // namespace mien::core::detail
