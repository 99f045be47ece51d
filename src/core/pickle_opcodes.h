// The opcodes of pickle that torch.save writes, by their names in Python's pickletools.
#pragma once

namespace mien::core::detail {

// clang-format off
enum PickleOpcode : unsigned {
  // mark, stack and framing
  kMark = '(', kStop = '.', kPop = '0', kPopMark = '1', kDup = '2', kProto = 0x80, kFrame = 0x95,
  // values
  kNone = 'N', kNewTrue = 0x88, kNewFalse = 0x89, kBinInt = 'J', kBinInt1 = 'K', kBinInt2 = 'M',
  kLong1 = 0x8a, kLong4 = 0x8b, kBinFloat = 'G', kBinString = 'T', kShortBinString = 'U',
  kBinUnicode = 'X', kShortBinUnicode = 0x8c, kBinUnicode8 = 0x8d, kBinBytes = 'B',
  kShortBinBytes = 'C', kBinBytes8 = 0x8e, kByteArray8 = 0x96,
  // containers
  kEmptyList = ']', kAppend = 'a', kAppends = 'e', kList = 'l', kEmptyTuple = ')', kTuple = 't',
  kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87, kEmptyDict = '}', kDict = 'd', kSetItem = 's',
  kSetItems = 'u', kEmptySet = 0x8f, kAddItems = 0x90, kFrozenSet = 0x91,
  // memo, names and objects
  kBinGet = 'h', kLongBinGet = 'j', kBinPut = 'q', kLongBinPut = 'r', kMemoize = 0x94,
  kGlobal = 'c', kStackGlobal = 0x93, kReduce = 'R', kBuild = 'b', kNewObj = 0x81,
  kNewObjEx = 0x92, kBinPersId = 'Q',
};
// clang-format on

}  // namespace mien::core::detail
