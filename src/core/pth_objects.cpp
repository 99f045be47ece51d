#include "core/pth_objects.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace mien::core::detail {
namespace {

constexpr std::size_t kMaxDepth = 100;
constexpr std::size_t kMaxVisits = 1'000'000;
constexpr std::size_t kMaxTensors = 100'000;
constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxPathBytes = std::size_t{16} << 20;  // of all tensors together
constexpr std::size_t kMaxIgnored = 64;
constexpr std::size_t kMaxDimensions = 64;

struct StorageType {
  std::string_view name;
  std::optional<DType> dtype;
  std::size_t element_size;
};

constexpr std::array<StorageType, 15> kStorageTypes = {{
    {"DoubleStorage", DType::kF64, 8},
    {"FloatStorage", DType::kF32, 4},
    {"HalfStorage", DType::kF16, 2},
    {"BFloat16Storage", DType::kBF16, 2},
    {"LongStorage", DType::kI64, 8},
    {"IntStorage", DType::kI32, 4},
    {"ShortStorage", DType::kI16, 2},
    {"CharStorage", DType::kI8, 1},
    {"ByteStorage", DType::kU8, 1},
    {"BoolStorage", DType::kBool, 1},
    // Known only to be stepped over.
    {"ComplexFloatStorage", std::nullopt, 8},
    {"ComplexDoubleStorage", std::nullopt, 16},
    {"QInt8Storage", std::nullopt, 1},
    {"QUInt8Storage", std::nullopt, 1},
    {"QInt32Storage", std::nullopt, 4},
}};

Error broken(const std::string& what, const std::string& where = {}) {
  return make_error(ErrorCode::kBadFormat, what, where);
}

class Reader {
 public:
  explicit Reader(const Pickle& pickle) : pickle_(pickle), on_path_(pickle.nodes.size(), false) {}

  Result<PthObjects> read() {
    for (const PickleNode& node : pickle_.nodes) {
      if (node.kind == PickleKind::kPersistent) MIEN_TRY(note_storage(node));
    }
    note_top_level();
    MIEN_TRY(walk(pickle_.root, 0));
    return std::move(out_);
  }

 private:
  using Items = std::vector<PickleId>;

  const PickleNode& node(PickleId id) const { return pickle_.nodes[id]; }

  const Items* tuple(PickleId id, std::size_t at_least) const {
    const PickleNode& n = node(id);
    const bool fits = n.kind == PickleKind::kTuple && n.items.size() >= at_least;
    return fits ? &n.items : nullptr;
  }

  bool is_callee(const PickleNode& call, std::string_view module, std::string_view name) const {
    const PickleNode& callee = node(call.callee);
    return callee.kind == PickleKind::kGlobal && callee.module == module && callee.text == name;
  }

  bool is_mapping(const PickleNode& n) const {
    if (n.kind == PickleKind::kDict) return true;
    return n.kind == PickleKind::kCall &&
           (is_callee(n, "collections", "OrderedDict") ||
            is_callee(n, "collections", "defaultdict") || is_callee(n, "builtins", "dict"));
  }

  // A whole number that is not negative.
  std::optional<std::uint64_t> count_of(PickleId id) const {
    const PickleNode& n = node(id);
    if (n.kind != PickleKind::kInt || n.integer < 0) return std::nullopt;
    return static_cast<std::uint64_t>(n.integer);
  }

  // ('storage', torch.FloatStorage, key, location, count[, view]). Other persistent ids (the old
  // 'module' ones carry a class's source text) have no meaning here.
  bool is_storage(const PickleNode& persistent) const {
    const Items* id = tuple(persistent.arguments, 5);
    return id != nullptr && node((*id)[0]).kind == PickleKind::kString &&
           node((*id)[0]).text == "storage";
  }

  Status note_storage(const PickleNode& persistent) {
    if (!is_storage(persistent)) return {};
    const Items& id = *tuple(persistent.arguments, 5);
    const PickleNode& type = node(id[1]);
    const PickleNode& key = node(id[2]);
    const std::optional<std::uint64_t> count = count_of(id[4]);
    if (type.kind != PickleKind::kGlobal || key.kind != PickleKind::kString || !count ||
        key.text.size() > kMaxPath) {
      return broken("a storage's description does not hold together");
    }
    PthStorage storage;
    storage.count = *count;
    for (const StorageType& known : kStorageTypes) {
      if (type.text != known.name) continue;
      storage.dtype = known.dtype;
      storage.element_size = known.element_size;
    }
    if (storage.count > (std::uint64_t{1} << 62) / std::max<std::size_t>(storage.element_size, 1)) {
      return make_error(ErrorCode::kLimit, "is too large", "storage " + std::string(key.text));
    }
    const auto [at, fresh] = out_.storages.emplace(key.text, storage);
    if (!fresh && (at->second.dtype != storage.dtype || at->second.count != storage.count)) {
      return broken("is described in two ways", "storage " + std::string(key.text));
    }
    return {};
  }

  void note_top_level() {
    const PickleNode& root = node(pickle_.root);
    if (!is_mapping(root)) return;
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const PickleNode& key = node(root.items[i]);
      if (key.kind == PickleKind::kString && key.text.size() <= kMaxPath &&
          is_mapping(node(root.items[i + 1]))) {
        out_.top_level_dicts.emplace(key.text);
      }
    }
  }

  void ignore(std::string_view module, std::string_view name) {
    if (out_.ignored.size() >= kMaxIgnored) return;
    const auto shortened = [](std::string_view text) { return std::string(text.substr(0, 100)); };
    out_.ignored.push_back(path_ + ": " + shortened(module) + "." + shortened(name));
  }

  Status walk(PickleId id, std::size_t depth) {
    if (++visits_ > kMaxVisits) {
      return make_error(ErrorCode::kLimit, "its containers hold more than a million things");
    }
    const PickleNode& n = node(id);
    const bool mapping = is_mapping(n);
    if (!mapping && n.kind != PickleKind::kList && n.kind != PickleKind::kTuple &&
        n.kind != PickleKind::kCall) {
      return {};
    }
    if (on_path_[id]) return {};  // a container inside itself: nothing new in there
    if (depth >= kMaxDepth) {
      return make_error(ErrorCode::kLimit, "its containers are nested too deeply");
    }
    on_path_[id] = true;
    const Status status = mapping                       ? walk_mapping(n, depth)
                          : n.kind == PickleKind::kCall ? walk_call(n, depth)
                                                        : walk_sequence(n.items, depth);
    on_path_[id] = false;
    return status;
  }

  Status walk_mapping(const PickleNode& n, std::size_t depth) {
    for (std::size_t i = 0; i + 1 < n.items.size(); i += 2) {
      MIEN_TRY(walk_entry(n.items[i], n.items[i + 1], depth));
    }
    // OrderedDict([[key, value], ...]), as Python 2 wrote it.
    if (n.kind != PickleKind::kCall) return {};
    const Items* arguments = tuple(n.arguments, 1);
    if (arguments == nullptr || node(arguments->front()).kind != PickleKind::kList) return {};
    for (const PickleId pair_id : node(arguments->front()).items) {
      const PickleNode& pair = node(pair_id);
      if (++visits_ > kMaxVisits) {
        return make_error(ErrorCode::kLimit, "its containers hold more than a million things");
      }
      if ((pair.kind == PickleKind::kList || pair.kind == PickleKind::kTuple) &&
          pair.items.size() == 2) {
        MIEN_TRY(walk_entry(pair.items[0], pair.items[1], depth));
      }
    }
    return {};
  }

  Status walk_sequence(const Items& items, std::size_t depth) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      MIEN_TRY(walk_named(std::to_string(i), items[i], depth));
    }
    return {};
  }

  Status walk_entry(PickleId key_id, PickleId value, std::size_t depth) {
    const PickleNode& key = node(key_id);
    if (key.kind == PickleKind::kString) return walk_named(key.text, value, depth);
    if (key.kind == PickleKind::kInt) return walk_named(std::to_string(key.integer), value, depth);
    ++visits_;
    return {};  // no path can name it
  }

  Status walk_named(std::string_view name, PickleId value, std::size_t depth) {
    const std::size_t before = path_.size();
    if (before + 1 + name.size() > kMaxPath) {
      return make_error(ErrorCode::kLimit, "a name in it is longer than 4096 bytes");
    }
    if (depth > 0) path_ += '.';
    path_ += name;
    const Status status = walk(value, depth + 1);
    path_.resize(before);
    return status;
  }

  // Tensors as torch._utils writes them; anything else is an object that we leave alone.
  Status walk_call(const PickleNode& call, std::size_t depth) {
    constexpr std::string_view kUtils = "torch._utils";
    if (is_callee(call, kUtils, "_rebuild_tensor_v2") ||
        is_callee(call, kUtils, "_rebuild_tensor")) {
      return add_tensor(call);
    }
    if (is_callee(call, kUtils, "_rebuild_parameter") ||
        is_callee(call, kUtils, "_rebuild_parameter_with_state")) {
      const Items* arguments = tuple(call.arguments, 1);
      if (arguments == nullptr) return broken("a parameter without its tensor", path_);
      return walk(arguments->front(), depth + 1);
    }
    const PickleNode& callee = node(call.callee);
    if (is_callee(call, "torch", "Size") || is_callee(call, "torch", "device")) return {};
    if (callee.kind == PickleKind::kGlobal) {
      ignore(callee.module, callee.text);
    } else {
      ignore("an object", "made by an object");
    }
    return {};
  }

  // (storage, offset, size, stride, ...)
  Status add_tensor(const PickleNode& call) {
    const Items* arguments = tuple(call.arguments, 4);
    if (arguments == nullptr) return broken("a tensor without its four parts", path_);
    const PickleNode& storage = node((*arguments)[0]);
    if (storage.kind != PickleKind::kPersistent || !is_storage(storage)) {
      return broken("a tensor without a storage", path_);
    }
    const Items& id = *tuple(storage.arguments, 5);
    PthTensor tensor;
    tensor.storage = std::string(node(id[2]).text);
    const std::optional<std::uint64_t> offset = count_of((*arguments)[1]);
    const Items* sizes = tuple((*arguments)[2], 0);
    const Items* strides = tuple((*arguments)[3], 0);
    if (!offset || sizes == nullptr || strides == nullptr || sizes->size() != strides->size()) {
      return broken("a tensor's offset, size and stride do not hold together", path_);
    }
    if (sizes->size() > kMaxDimensions) {
      return make_error(ErrorCode::kLimit, "a tensor of more than 64 dimensions", path_);
    }
    tensor.offset = *offset;
    for (std::size_t i = 0; i < sizes->size(); ++i) {
      const std::optional<std::uint64_t> size = count_of((*sizes)[i]);
      const std::optional<std::uint64_t> stride = count_of((*strides)[i]);
      if (!size || !stride) return broken("a tensor's sizes are not whole numbers", path_);
      tensor.shape.push_back(static_cast<std::int64_t>(*size));
      tensor.strides.push_back(static_cast<std::int64_t>(*stride));
    }
    MIEN_TRY(apply_storage_view(id, tensor));
    if (!out_.storages.at(tensor.storage).dtype) {
      ignore("tensor of", node(id[1]).text);
      return {};
    }
    path_bytes_ += path_.size();
    if (out_.tensors.size() >= kMaxTensors || path_bytes_ > kMaxPathBytes) {
      return make_error(ErrorCode::kLimit, "has more tensors than are read");
    }
    tensor.path = path_;
    out_.tensors.push_back(std::move(tensor));
    return {};
  }

  // Torch before 0.4 could save a storage as part of another: (root key, offset, size) in sixth
  // place.
  Status apply_storage_view(const Items& id, PthTensor& tensor) {
    if (id.size() < 6 || node(id[5]).kind == PickleKind::kNone) return {};
    const Items* view = tuple(id[5], 3);
    const std::optional<std::uint64_t> offset =
        view != nullptr ? count_of((*view)[1]) : std::nullopt;
    if (!offset) return broken("a storage's view does not hold together", path_);
    // Both below 2^63, so the sum does not wrap; the reader compares it with the storage.
    tensor.offset += *offset;
    return {};
  }

  const Pickle& pickle_;
  PthObjects out_;
  std::vector<bool> on_path_;
  std::string path_;
  std::size_t path_bytes_ = 0;
  std::size_t visits_ = 0;
};

}  // namespace

Result<PthObjects> read_pth_objects(const Pickle& pickle) {
  return Reader(pickle).read();
}

}  // namespace mien::core::detail
