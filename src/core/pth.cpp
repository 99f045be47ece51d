#include "core/pth.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "core/files.h"
#include "core/pickle.h"
#include "core/pth_objects.h"
#include "core/pth_tensor.h"
#include "core/zip_reader.h"

namespace mien::core {
namespace {

using detail::Pickle;
using detail::PickleKind;
using detail::PickleNode;
using detail::PthObjects;
using detail::PthStorage;
using detail::PthTensor;
using detail::TensorMaker;
using detail::ZipReader;

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

Error bad(const std::string& what, const std::string& where = {}) {
  return make_error(ErrorCode::kBadFormat, what, where);
}

// The tensors grouped by storage, so that each storage is unpacked once and dropped after its last.
std::map<std::string, std::vector<const PthTensor*>> by_storage(const PthObjects& objects) {
  std::map<std::string, std::vector<const PthTensor*>> groups;
  for (const PthTensor& tensor : objects.tensors) groups[tensor.storage].push_back(&tensor);
  return groups;
}

std::uint64_t byte_size(const PthStorage& storage) {
  return storage.count * storage.element_size;
}

// Makes every tensor. `load(key, storage)` returns a storage's bytes, of exactly its declared size,
// as something that converts to ByteView.
template <typename Load>
Result<Checkpoint> assemble(PthObjects objects, Load load) {
  Checkpoint out;
  out.top_level_dicts = std::move(objects.top_level_dicts);
  out.ignored = std::move(objects.ignored);
  const auto groups = by_storage(objects);
  TensorMaker maker;
  // Storages that exist: those that the file can fill. Until one is loaded its size is a mere
  // claim, so the budget grows as they are loaded.
  for (const auto& [key, tensors] : groups) {
    const PthStorage& storage = objects.storages.at(key);
    auto bytes = load(key, storage);
    if (!bytes.ok()) return bytes.error();
    maker.found_storage(byte_size(storage));
    for (const PthTensor* view : tensors) {
      MIEN_ASSIGN(Tensor tensor, maker.make(*view, *storage.dtype, *bytes));
      if (!out.tensors.emplace(view->path, std::move(tensor)).second) {
        return bad("two tensors have this name", view->path);
      }
    }
  }
  return out;
}

// --- zip container: NAME/data.pkl, NAME/data/KEY, NAME/version[, NAME/byteorder] ---

Result<Checkpoint> read_zip(ByteView bytes) {
  MIEN_ASSIGN(ZipReader zip, ZipReader::open(bytes));
  constexpr std::string_view kPickle = "data.pkl";
  std::string folder;
  bool found = false;
  for (std::size_t i = 0; i < zip.count() && !found; ++i) {
    const std::string name = zip.name(i);
    if (name != kPickle && !name.ends_with("/data.pkl")) continue;
    folder = name.substr(0, name.size() - kPickle.size());
    found = true;
  }
  if (!found) return bad("is a zip archive, but no PyTorch checkpoint: it has no data.pkl");

  const Result<Bytes> order = zip.read(folder + "byteorder", 16);
  if (!order && order.error().code != ErrorCode::kNotFound) return order.error();
  if (order &&
      std::string_view(reinterpret_cast<const char*>(order->data()), order->size()) != "little") {
    return make_error(ErrorCode::kUnsupported, "its numbers are not little-endian");
  }

  MIEN_ASSIGN(const Bytes text, zip.read(folder + std::string(kPickle), detail::kMaxPickleBytes));
  MIEN_ASSIGN(const Pickle pickle, detail::read_pickle(text));
  MIEN_ASSIGN(PthObjects objects, detail::read_pth_objects(pickle));
  return assemble(std::move(objects),
                  [&](const std::string& key, const PthStorage& storage) -> Result<Bytes> {
                    const std::string entry = folder + "data/" + key;
                    MIEN_ASSIGN(Bytes data, zip.read(entry, byte_size(storage)));
                    if (data.size() != byte_size(storage)) {
                      return bad("holds " + std::to_string(data.size()) + " bytes, not the " +
                                     std::to_string(byte_size(storage)) + " declared",
                                 entry);
                    }
                    return data;
                  });
}

// --- legacy container: five pickles (magic, version, system, data, storage keys), then storages
// ---

// 0x1950a86a20f9469cfc6c as pickle writes it, little-endian.
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

bool looks_like_legacy(ByteView bytes) {
  const Result<Pickle> pickle =
      detail::read_pickle(bytes.subspan(0, std::min<std::size_t>(64, bytes.size())));
  if (!pickle) return false;
  const PickleNode& root = pickle->node(pickle->root);
  return root.kind == PickleKind::kLong && root.text == kLegacyMagic;
}

// Whether the system-info dictionary says that numbers are little-endian.
bool is_little_endian(const Pickle& pickle) {
  const PickleNode& root = pickle.node(pickle.root);
  if (root.kind != PickleKind::kDict) return false;
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleNode& value = pickle.node(root.items[i + 1]);
    if (pickle.node(root.items[i]).text == "little_endian") {
      return value.kind == PickleKind::kBool && value.integer == 1;
    }
  }
  return false;
}

std::uint64_t load_u64(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

// Where each storage's elements lie: in the order of the key list, each after its element count.
Result<std::map<std::string, ByteView>> legacy_storages(const Pickle& keys, ByteView rest,
                                                        const PthObjects& objects) {
  const PickleNode& list = keys.node(keys.root);
  if (list.kind != PickleKind::kList) return bad("its storage keys are no list");
  std::map<std::string, ByteView> places;
  for (const detail::PickleId id : list.items) {
    const std::string key(keys.node(id).text);
    const auto at = objects.storages.find(key);
    if (keys.node(id).kind != PickleKind::kString || at == objects.storages.end()) {
      return bad("its list of storages names one that is not in the pickle");
    }
    const PthStorage& storage = at->second;
    if (storage.element_size == 0) {
      return make_error(ErrorCode::kUnsupported, "is of a type that we do not know",
                        "storage " + key);
    }
    if (rest.size() < 8 || (rest.size() - 8) / storage.element_size < storage.count) {
      return bad("is cut off", "storage " + key);
    }
    if (load_u64(rest) != storage.count) {
      return bad("has another size than declared", "storage " + key);
    }
    const auto size = static_cast<std::size_t>(byte_size(storage));
    if (!places.emplace(key, rest.subspan(8, size)).second) {
      return bad("appears twice", "storage " + key);
    }
    rest = rest.subspan(8 + size);
  }
  if (!rest.empty()) return bad("goes on after its last storage");
  return places;
}

Result<Checkpoint> read_legacy(ByteView bytes) {
  const auto next = [&bytes]() -> Result<Pickle> {
    Result<Pickle> pickle = detail::read_pickle(bytes);
    if (pickle) bytes = bytes.subspan(pickle->size);
    return pickle;
  };
  MIEN_TRY(next());  // the magic number, seen by looks_like_legacy
  MIEN_ASSIGN(const Pickle version, next());
  if (version.node(version.root).kind != PickleKind::kInt ||
      version.node(version.root).integer != 1001) {
    return make_error(ErrorCode::kUnsupported, "is of another container version than 1001");
  }
  MIEN_ASSIGN(const Pickle system, next());
  if (!is_little_endian(system)) {
    return make_error(ErrorCode::kUnsupported, "its numbers are not little-endian");
  }
  MIEN_ASSIGN(const Pickle data, next());
  MIEN_ASSIGN(PthObjects objects, detail::read_pth_objects(data));
  MIEN_ASSIGN(const Pickle keys, next());
  using Places = std::map<std::string, ByteView>;
  MIEN_ASSIGN(const Places places, legacy_storages(keys, bytes, objects));
  return assemble(std::move(objects),
                  [&](const std::string& key, const PthStorage&) -> Result<ByteView> {
                    const auto at = places.find(key);
                    if (at == places.end()) return bad("is not in the file", "storage " + key);
                    return at->second;
                  });
}

}  // namespace

Result<Checkpoint> read_pth_bytes(std::span<const std::byte> bytes) {
  if (ZipReader::looks_like_zip(bytes)) return read_zip(bytes);
  if (looks_like_legacy(bytes)) return read_legacy(bytes);
  return bad("is no PyTorch checkpoint (neither a zip archive nor torch's older container)");
}

Result<Checkpoint> read_pth(const std::string& path) {
  MIEN_ASSIGN(const MappedFile file, MappedFile::open(path));
  Result<Checkpoint> checkpoint = read_pth_bytes(file.bytes());
  if (!checkpoint) return checkpoint.error().within(path);
  return checkpoint;
}

Result<TensorMap> select_state_dict(Checkpoint checkpoint) {
  const std::set<std::string>& dicts = checkpoint.top_level_dicts;
  std::string prefix;
  for (const char* key : {"model_state_dict", "model", "state_dict"}) {
    if (prefix.empty() && dicts.contains(key)) prefix = std::string(key) + ".";
  }
  const auto belongs = [&](const std::string& name) {
    if (!prefix.empty()) return name.starts_with(prefix);
    // A bare state dict: its own tensors, not those of dictionaries in it.
    return std::none_of(dicts.begin(), dicts.end(),
                        [&](const std::string& dict) { return name.starts_with(dict + "."); });
  };
  TensorMap picked;
  for (auto& [name, tensor] : checkpoint.tensors) {
    if (belongs(name)) picked.emplace(name.substr(prefix.size()), std::move(tensor));
  }
  if (picked.empty()) {
    std::string hint;
    if (!checkpoint.ignored.empty()) hint = "; left out: " + checkpoint.ignored.front();
    return make_error(ErrorCode::kNotFound, "has no state dict with tensors" + hint);
  }
  constexpr std::string_view kModule = "module.";
  if (!std::all_of(picked.begin(), picked.end(),
                   [&](const auto& entry) { return entry.first.starts_with(kModule); })) {
    return picked;
  }
  TensorMap stripped;
  for (auto& [name, tensor] : picked) {
    stripped.emplace(name.substr(kModule.size()), std::move(tensor));
  }
  return stripped;
}

}  // namespace mien::core
