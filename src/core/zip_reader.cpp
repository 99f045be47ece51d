#include "core/zip_reader.h"

#include <zip.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace mien::core::detail {
namespace {

struct ArchiveCloser {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct FileCloser {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

using Archive = std::unique_ptr<zip_t, ArchiveCloser>;
using File = std::unique_ptr<zip_file_t, FileCloser>;

Error bad(const std::string& what, const std::string& entry = {}) {
  return make_error(ErrorCode::kBadFormat, what, entry);
}

std::string text_of(zip_error_t* error) {
  const char* text = zip_error_strerror(error);
  return text != nullptr ? text : "unknown error";
}

}  // namespace

struct ZipReader::State {
  Archive archive;
  std::uint64_t budget = 0;  // bytes that may still be unpacked
  std::uint64_t archive_size = 0;

  Status check(const zip_stat_t& stat, const std::string& entry, std::uint64_t limit) const;
};

ZipReader::ZipReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZipReader::ZipReader(ZipReader&& other) noexcept = default;
ZipReader& ZipReader::operator=(ZipReader&& other) noexcept = default;
ZipReader::~ZipReader() = default;

bool ZipReader::looks_like_zip(std::span<const std::byte> bytes) {
  constexpr unsigned char kMagic[] = {'P', 'K', 3, 4};
  return bytes.size() >= sizeof(kMagic) && std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) == 0;
}

Result<ZipReader> ZipReader::open(std::span<const std::byte> bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) {
    const std::string text = text_of(&error);
    zip_error_fini(&error);
    return make_error(ErrorCode::kInternal, "cannot read the zip archive: " + text);
  }
  auto state = std::make_unique<State>();
  state->archive.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!state->archive) {
    const std::string text = text_of(&error);
    zip_source_free(source);  // on success the archive owns it
    zip_error_fini(&error);
    return bad("is no sound zip archive: " + text);
  }
  zip_error_fini(&error);
  state->archive_size = bytes.size();
  state->budget = kFreeBytes + kMaxExpansion * bytes.size();
  return ZipReader(std::move(state));
}

std::size_t ZipReader::count() const {
  return static_cast<std::size_t>(
      std::max<zip_int64_t>(0, zip_get_num_entries(state_->archive.get(), 0)));
}

std::string ZipReader::name(std::size_t index) const {
  const char* name = zip_get_name(state_->archive.get(), index, ZIP_FL_ENC_RAW);
  return name != nullptr ? name : "";
}

Status ZipReader::State::check(const zip_stat_t& stat, const std::string& entry,
                               std::uint64_t limit) const {
  constexpr zip_uint64_t kNeeded =
      ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if ((stat.valid & kNeeded) != kNeeded) return bad("has an incomplete description", entry);
  if (stat.encryption_method != ZIP_EM_NONE) {
    return make_error(ErrorCode::kUnsupported, "is encrypted", entry);
  }
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
    return make_error(
        ErrorCode::kUnsupported,
        "is packed by method " + std::to_string(stat.comp_method) + ", not stored or deflated",
        entry);
  }
  if (stat.comp_method == ZIP_CM_STORE && stat.size > archive_size) {
    return bad("is larger than the whole archive", entry);
  }
  if (stat.size > limit) {
    return make_error(ErrorCode::kLimit,
                      "unpacks to " + std::to_string(stat.size) + " bytes where at most " +
                          std::to_string(limit) + " are expected",
                      entry);
  }
  if (stat.size > budget) {
    return make_error(ErrorCode::kLimit,
                      "unpacks to " + std::to_string(stat.size) +
                          " bytes, far more than the archive's own size: a zip bomb?",
                      entry);
  }
  return {};
}

Result<std::vector<std::byte>> ZipReader::read(const std::string& entry, std::uint64_t limit) {
  zip_t* archive = state_->archive.get();
  const zip_int64_t index = zip_name_locate(archive, entry.c_str(), ZIP_FL_ENC_RAW);
  if (index < 0) return make_error(ErrorCode::kNotFound, "is not in the archive", entry);
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat_index(archive, static_cast<zip_uint64_t>(index), 0, &stat) != 0) {
    return bad(text_of(zip_get_error(archive)), entry);
  }
  MIEN_TRY(state_->check(stat, entry, limit));
  state_->budget -= stat.size;
  const File file(zip_fopen_index(archive, static_cast<zip_uint64_t>(index), 0));
  if (!file) return bad(text_of(zip_get_error(archive)), entry);
  std::vector<std::byte> out(static_cast<std::size_t>(stat.size));
  std::size_t done = 0;
  while (done < out.size()) {
    const zip_int64_t count = zip_fread(file.get(), out.data() + done, out.size() - done);
    if (count < 0) return bad(text_of(zip_file_get_error(file.get())), entry);
    if (count == 0) return bad("is cut off", entry);
    done += static_cast<std::size_t>(count);
  }
  // The CRC is compared when the end is reached, which takes one more read.
  std::byte beyond{};
  const zip_int64_t count = zip_fread(file.get(), &beyond, 1);
  if (count < 0) return bad(text_of(zip_file_get_error(file.get())), entry);
  if (count > 0) return bad("is longer than it says", entry);
  return out;
}

}  // namespace mien::core::detail
