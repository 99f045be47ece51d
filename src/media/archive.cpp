#include "media/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <utility>

namespace mien::media {
namespace {

constexpr std::size_t kBlockBytes = 1U << 16;

struct ArchiveCloser {
  void operator()(archive* a) const { archive_read_free(a); }
};
using Handle = std::unique_ptr<archive, ArchiveCloser>;

Error archive_error(archive* handle, const std::string& path) {
  const char* text = archive_error_string(handle);
  return make_error(ErrorCode::kBadFormat,
                    std::string("cannot be unpacked: ") + (text != nullptr ? text : "damaged"),
                    path);
}

Status open_file(archive* handle, const std::string& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status))
    return make_error(ErrorCode::kNotFound, "no such file", path);
  if (!std::filesystem::is_regular_file(status)) {
    return make_error(ErrorCode::kIo, "not a file", path);
  }
  if (archive_read_open_filename(handle, path.c_str(), kBlockBytes) != ARCHIVE_OK) {
    return archive_error(handle, path);
  }
  return {};
}

// The data of the present entry. Grows with what really comes, not with what the header promises.
Result<std::vector<std::uint8_t>> read_entry(archive* handle, std::int64_t most,
                                             const std::string& where) {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> block(kBlockBytes);
  for (;;) {
    const la_ssize_t n = archive_read_data(handle, block.data(), block.size());
    if (n == 0) return bytes;
    if (n < 0) return archive_error(handle, where);
    if (static_cast<std::int64_t>(bytes.size()) + n > most) {
      return make_error(ErrorCode::kLimit,
                        "unpacks to more than " + std::to_string(most) + " bytes", where);
    }
    bytes.insert(bytes.end(), block.begin(), block.begin() + n);
  }
}

}  // namespace

struct ArchiveReader::Impl {
  Handle handle;
  std::string path;
  ArchiveLimits limits;
  std::int64_t entries = 0;
  std::optional<ArchiveEntry> first;  // read by open(), so that a file of another kind fails there
  bool done = false;

  Result<std::optional<ArchiveEntry>> read_next();
};

Result<std::optional<ArchiveEntry>> ArchiveReader::Impl::read_next() {
  while (!done) {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(handle.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    if (code < ARCHIVE_WARN) {
      done = true;
      return archive_error(handle.get(), path);
    }
    if (++entries > limits.max_entries) {
      done = true;
      return make_error(ErrorCode::kLimit, "too many entries", path);
    }
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      continue;
    const char* name = archive_entry_pathname(entry);
    ArchiveEntry out;
    out.name = name != nullptr ? name : "";
    Result<std::vector<std::uint8_t>> bytes =
        read_entry(handle.get(), limits.max_entry_bytes, path + ": " + out.name);
    if (!bytes.ok()) {
      done = true;
      return bytes.error();
    }
    out.bytes = std::move(*bytes);
    return std::optional<ArchiveEntry>(std::move(out));
  }
  done = true;
  return std::optional<ArchiveEntry>();
}

ArchiveReader::ArchiveReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

Result<ArchiveReader> ArchiveReader::open(const std::string& path, const ArchiveLimits& limits) {
  auto impl = std::make_unique<Impl>();
  impl->handle.reset(archive_read_new());
  if (!impl->handle) return make_error(ErrorCode::kInternal, "out of memory", path);
  impl->path = path;
  impl->limits = limits;
  // Only what data sets use: the fewer formats, the less code meets hostile bytes.
  archive_read_support_filter_gzip(impl->handle.get());
  archive_read_support_format_tar(impl->handle.get());
  MIEN_TRY(open_file(impl->handle.get(), path));
  MIEN_ASSIGN(impl->first, impl->read_next());
  return ArchiveReader(std::move(impl));
}

Result<std::optional<ArchiveEntry>> ArchiveReader::next() {
  if (impl_->first) return std::exchange(impl_->first, std::nullopt);
  return impl_->read_next();
}

Result<std::string> read_maybe_gzip(const std::string& path, std::int64_t max_bytes) {
  const Handle handle(archive_read_new());
  if (!handle) return make_error(ErrorCode::kInternal, "out of memory", path);
  archive_read_support_filter_gzip(handle.get());
  archive_read_support_format_raw(handle.get());
  archive_read_support_format_empty(handle.get());
  MIEN_TRY(open_file(handle.get(), path));
  archive_entry* entry = nullptr;
  const int code = archive_read_next_header(handle.get(), &entry);
  if (code == ARCHIVE_EOF) return std::string();
  if (code < ARCHIVE_WARN) return archive_error(handle.get(), path);
  MIEN_ASSIGN(const std::vector<std::uint8_t> bytes, read_entry(handle.get(), max_bytes, path));
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace mien::media
