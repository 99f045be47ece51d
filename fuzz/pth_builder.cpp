#include "fuzz/pth_builder.h"

#include <zip.h>

#include <cstring>

namespace mien::fuzz {
namespace {

std::string little_endian(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

}  // namespace

Bytes to_bytes(const std::string& text) {
  Bytes out(text.size());
  if (!text.empty()) std::memcpy(out.data(), text.data(), text.size());
  return out;
}

PickleBuilder::PickleBuilder(int protocol) {
  bytes_ = "\x80";
  bytes_ += static_cast<char>(protocol);
}

PickleBuilder& PickleBuilder::op(char opcode) {
  bytes_ += opcode;
  return *this;
}

PickleBuilder& PickleBuilder::raw(const std::string& bytes) {
  bytes_ += bytes;
  return *this;
}

PickleBuilder& PickleBuilder::text(const std::string& value) {
  return op('X').raw(little_endian(value.size(), 4)).raw(value);
}

PickleBuilder& PickleBuilder::integer(std::int64_t value) {
  if (value >= 0 && value < 256)
    return op('K').raw(little_endian(static_cast<std::uint64_t>(value), 1));
  return op('\x8a').raw("\x08").raw(little_endian(static_cast<std::uint64_t>(value), 8));
}

PickleBuilder& PickleBuilder::global(const std::string& module, const std::string& name) {
  return op('c').raw(module + "\n" + name + "\n");
}

PickleBuilder& PickleBuilder::integers(const std::vector<std::int64_t>& values) {
  op('(');
  for (const std::int64_t value : values) integer(value);
  return op('t');
}

PickleBuilder& PickleBuilder::ordered_dict() {
  return global("collections", "OrderedDict").raw(")R");
}

PickleBuilder& PickleBuilder::storage(const std::string& type, const std::string& key,
                                      std::int64_t count, bool legacy) {
  op('(').text("storage").global("torch", type).text(key).text("cpu").integer(count);
  if (legacy) op('N');
  return raw("tQ");
}

PickleBuilder& PickleBuilder::begin_tensor() {
  return global("torch._utils", "_rebuild_tensor_v2").op('(');
}

PickleBuilder& PickleBuilder::end_tensor(std::int64_t offset,
                                         const std::vector<std::int64_t>& shape,
                                         const std::vector<std::int64_t>& strides) {
  return integer(offset).integers(shape).integers(strides).op('\x89').ordered_dict().raw("tR");
}

PickleBuilder& PickleBuilder::tensor(const std::string& type, const std::string& key,
                                     std::int64_t count, std::int64_t offset,
                                     const std::vector<std::int64_t>& shape,
                                     const std::vector<std::int64_t>& strides, bool legacy) {
  return begin_tensor().storage(type, key, count, legacy).end_tensor(offset, shape, strides);
}

Bytes make_zip(const std::vector<ZipEntry>& entries) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (target == nullptr) return {};
  zip_source_keep(target);  // to read it after the archive has let go of it
  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  if (archive == nullptr) return {};
  for (const ZipEntry& entry : entries) {
    zip_source_t* source =
        zip_source_buffer(archive, entry.contents.data(), entry.contents.size(), 0);
    const zip_int64_t index = zip_file_add(archive, entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) return {};
    const auto at = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(archive, at, entry.deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    zip_file_set_mtime(archive, at, 0, 0);  // the same bytes every time
  }
  Bytes out;
  if (zip_close(archive) == 0 && zip_source_open(target) == 0) {
    zip_source_seek(target, 0, SEEK_END);
    out.resize(static_cast<std::size_t>(zip_source_tell(target)));
    zip_source_seek(target, 0, SEEK_SET);
    zip_source_read(target, out.data(), out.size());
    zip_source_close(target);
  }
  zip_source_free(target);
  return out;
}

Bytes make_zip_checkpoint(const std::string& pickle, const std::vector<std::string>& storages,
                          bool deflate) {
  std::vector<ZipEntry> entries = {{"archive/data.pkl", pickle, deflate}};
  for (std::size_t i = 0; i < storages.size(); ++i) {
    entries.push_back({"archive/data/" + std::to_string(i), storages[i], deflate});
  }
  entries.push_back({"archive/version", "3\n"});
  return make_zip(entries);
}

Bytes make_legacy_checkpoint(const std::string& pickle, const std::vector<LegacyStorage>& storages,
                             bool little_endian_numbers) {
  const std::string magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  PickleBuilder system;
  system.op('}').op('(').text("protocol_version").integer(1001).text("little_endian");
  system.op(little_endian_numbers ? '\x88' : '\x89').op('u');
  PickleBuilder keys;
  keys.op(']').op('(');
  for (const LegacyStorage& storage : storages) keys.text(storage.key);
  keys.op('e');
  std::string out = PickleBuilder().raw(magic).done() + PickleBuilder().integer(1001).done() +
                    system.done() + pickle + keys.done();
  for (const LegacyStorage& storage : storages) {
    out += little_endian(storage.count, 8) + storage.contents;
  }
  return to_bytes(out);
}

std::string f32_ramp(std::size_t count) {
  std::string out(count * sizeof(float), '\0');
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(i);
    std::memcpy(out.data() + i * sizeof(float), &value, sizeof(float));
  }
  return out;
}

}  // namespace mien::fuzz
