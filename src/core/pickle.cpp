#include "core/pickle.h"

#include <utility>

#include "core/pickle_machine.h"
#include "core/pickle_opcodes.h"

namespace mien::core::detail {

Result<Pickle> PickleMachine::run() {
  for (std::size_t count = 0; count < kMaxPickleOpcodes; ++count) {
    opcode_at_ = at_;
    MIEN_ASSIGN(const std::uint64_t opcode, number(1));
    if (opcode == kStop) {
      MIEN_ASSIGN(out_.root, pop());
      out_.size = at_;
      return std::move(out_);
    }
    MIEN_TRY(step(static_cast<unsigned>(opcode)));
  }
  return fail(ErrorCode::kLimit, "has more than 2 million opcodes");
}

Status PickleMachine::step(unsigned opcode) {
  switch (opcode) {
    case kNone: push({}); return {};
    case kNewTrue: return push_integer(PickleKind::kBool, 1);
    case kNewFalse: return push_integer(PickleKind::kBool, 0);
    case kBinInt1:
    case kBinInt2: {
      MIEN_ASSIGN(const std::uint64_t value, number(opcode == kBinInt1 ? 1 : 2));
      return push_integer(PickleKind::kInt, static_cast<std::int64_t>(value));
    }
    case kBinInt: {
      MIEN_ASSIGN(const std::uint64_t value, number(4));
      return push_integer(PickleKind::kInt,
                          static_cast<std::int32_t>(static_cast<std::uint32_t>(value)));
    }
    case kBinFloat: {
      MIEN_TRY(take(8));
      return push_integer(PickleKind::kFloat, 0);
    }
    case kLong1: return push_long(1);
    case kLong4: return push_long(4);
    case kShortBinString:
    case kShortBinUnicode: return push_text(PickleKind::kString, 1);
    case kBinString:
    case kBinUnicode: return push_text(PickleKind::kString, 4);
    case kBinUnicode8: return push_text(PickleKind::kString, 8);
    case kShortBinBytes: return push_text(PickleKind::kBytes, 1);
    case kBinBytes: return push_text(PickleKind::kBytes, 4);
    case kBinBytes8:
    case kByteArray8: return push_text(PickleKind::kBytes, 8);
    default: return step_container(opcode);
  }
}

Status PickleMachine::step_container(unsigned opcode) {
  switch (opcode) {
    case kEmptyList: return push_items(PickleKind::kList, pop_count(0));
    case kEmptyTuple: return push_items(PickleKind::kTuple, pop_count(0));
    case kEmptyDict: return push_items(PickleKind::kDict, pop_count(0));
    case kEmptySet: return push_items(PickleKind::kSet, pop_count(0));
    case kTuple1: return push_items(PickleKind::kTuple, pop_count(1));
    case kTuple2: return push_items(PickleKind::kTuple, pop_count(2));
    case kTuple3: return push_items(PickleKind::kTuple, pop_count(3));
    case kTuple: return push_items(PickleKind::kTuple, pop_to_mark());
    case kList: return push_items(PickleKind::kList, pop_to_mark());
    case kFrozenSet: return push_items(PickleKind::kSet, pop_to_mark());
    case kDict: return make_dict();
    case kAppend: return extend(PickleKind::kList, pop_count(1));
    case kAppends: return extend(PickleKind::kList, pop_to_mark());
    case kAddItems: return extend(PickleKind::kSet, pop_to_mark());
    case kSetItem: return extend(PickleKind::kDict, pop_count(2));
    case kSetItems: return extend(PickleKind::kDict, pop_to_mark());
    default: return step_object(opcode);
  }
}

Status PickleMachine::step_object(unsigned opcode) {
  switch (opcode) {
    case kBinPut: return put_operand(1);
    case kLongBinPut: return put_operand(4);
    case kMemoize: return put(memo_count_);
    case kBinGet: return get_operand(1);
    case kLongBinGet: return get_operand(4);
    case kGlobal: return global();
    case kStackGlobal: return stack_global();
    case kReduce:
    case kNewObj: return call(2);
    case kNewObjEx: return call(3);
    case kBinPersId: return persistent();
    case kBuild: {  // attributes of the object below: nothing we read has its tensors there
      MIEN_TRY(pop());
      MIEN_TRY(top());
      return {};
    }
    default: return step_flow(opcode);
  }
}

Status PickleMachine::step_flow(unsigned opcode) {
  switch (opcode) {
    case kProto: {
      MIEN_ASSIGN(const std::uint64_t protocol, number(1));
      if (protocol < 2 || protocol > 5) {
        return fail(ErrorCode::kUnsupported,
                    "has protocol " + std::to_string(protocol) + ", not 2 to 5");
      }
      return {};
    }
    case kFrame: MIEN_TRY(take(8)); return {};  // a hint for streaming readers
    case kMark: marks_.push_back(stack_.size()); return {};
    case kPop: MIEN_TRY(pop()); return {};
    case kPopMark: MIEN_TRY(pop_to_mark()); return {};
    case kDup: {
      MIEN_ASSIGN(const PickleId id, top());
      stack_.push_back(id);
      return {};
    }
    default: return unknown(opcode);
  }
}

Status PickleMachine::unknown(unsigned opcode) const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string hex = {kDigits[opcode >> 4 & 0xFU], kDigits[opcode & 0xFU]};
  return fail(ErrorCode::kUnsupported, "has opcode 0x" + hex + ", which torch.save does not write");
}

Result<Pickle> read_pickle(std::span<const std::byte> bytes) {
  return PickleMachine(bytes).run();
}

}  // namespace mien::core::detail
