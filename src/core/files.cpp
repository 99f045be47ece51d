#include "core/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace mien::core {
namespace {

Error system_error_of(int code, const std::string& what, const std::string& path) {
  const ErrorCode kind = code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return make_error(kind, what + ": " + std::generic_category().message(code), path);
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Size of an open regular file. Refuses folders, pipes and devices: reading those may never end.
Result<std::uint64_t> regular_file_size(int descriptor, const std::string& path) {
  struct stat info = {};
  if (::fstat(descriptor, &info) != 0) return system_error_of(errno, "cannot stat", path);
  if (S_ISDIR(info.st_mode)) return system_error_of(EISDIR, "cannot read", path);
  if (!S_ISREG(info.st_mode)) return make_error(ErrorCode::kIo, "is not a regular file", path);
  return static_cast<std::uint64_t>(info.st_size);
}

// O_NONBLOCK so that opening a pipe with no writer fails later instead of hanging here.
int open_for_reading(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

template <typename Container>
Result<Container> read_whole(const std::string& path, std::uint64_t limit) {
  const Descriptor file(open_for_reading(path));
  if (file.get() < 0) return system_error_of(errno, "cannot open", path);
  MIEN_ASSIGN(const std::uint64_t size, regular_file_size(file.get(), path));
  if (size > limit) {
    return make_error(ErrorCode::kLimit,
                      "is " + std::to_string(size) + " bytes, more than the " +
                          std::to_string(limit) + " that are read",
                      path);
  }
  Container out;
  out.resize(static_cast<std::size_t>(size));
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::read(file.get(), out.data() + done, out.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error_of(errno, "cannot read", path);
    if (count == 0) break;  // shortened while we read: take what there is
    done += static_cast<std::size_t>(count);
  }
  out.resize(done);
  return out;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Temporary files are called <final name>.tmp-<process>-<number>.
constexpr const char* kTemporaryMark = ".tmp-";

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Whether `text` is what stands behind the mark: "<process>-<number>".
bool are_temporary_numbers(std::string_view text) {
  const std::size_t dash = text.find('-');
  return dash != std::string_view::npos && all_digits(text.substr(0, dash)) &&
         all_digits(text.substr(dash + 1));
}

// Locks a temporary file just made, for as long as it is open: remove_stale_temporaries() leaves
// locked ones alone, whichever process or machine they belong to. False where it came between and
// took the file for a dead one. File systems that know no locks do without.
bool lock_new_file(int descriptor) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  struct stat info = {};
  return ::fstat(descriptor, &info) != 0 || info.st_nlink > 0;
}

// Removes a temporary file that nobody is writing. Opened for writing because locks over NFS ask
// for that.
bool remove_if_abandoned(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info = {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  return ::unlink(path.c_str()) == 0;
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::string& path, std::uint64_t limit) {
  return read_whole<std::vector<std::byte>>(path, limit);
}

Result<std::string> read_text_file(const std::string& path, std::uint64_t limit) {
  return read_whole<std::string>(path, limit);
}

AtomicFile::AtomicFile(int descriptor, std::string path, std::string temporary)
    : descriptor_(descriptor), path_(std::move(path)), temporary_(std::move(temporary)) {}

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  // Renaming over a folder would fail only at commit(), after the work is done.
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return system_error_of(EISDIR, "cannot write", path);
  }
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::string temporary = path + kTemporaryMark + std::to_string(::getpid()) + "-" +
                            std::to_string(counter.fetch_add(1, std::memory_order_relaxed));
    const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) {
      if (lock_new_file(descriptor)) return AtomicFile(descriptor, path, std::move(temporary));
      ::close(descriptor);
    } else if (errno != EEXIST) {
      return system_error_of(errno, "cannot create", path);
    }
  }
  return system_error_of(EEXIST, "cannot create", path);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)) {
  other.temporary_.clear();
}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this != &other) {
    discard();
    descriptor_ = std::exchange(other.descriptor_, -1);
    path_ = std::move(other.path_);
    temporary_ = std::move(other.temporary_);
    other.temporary_.clear();
  }
  return *this;
}

AtomicFile::~AtomicFile() {
  discard();
}

void AtomicFile::discard() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  if (descriptor_ < 0) {
    return make_error(ErrorCode::kInvalidArgument, "written to after commit", path_);
  }
  while (!bytes.empty()) {
    // Linux moves at most 2^31 - 4096 bytes per call; stay well below on every system.
    const std::size_t chunk = std::min<std::size_t>(bytes.size(), std::size_t{1} << 30);
    const ssize_t count = ::write(descriptor_, bytes.data(), chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error_of(errno, "cannot write", path_);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status AtomicFile::write(const std::string& text) {
  return write(std::as_bytes(std::span(text.data(), text.size())));
}

Status AtomicFile::commit() {
  if (descriptor_ < 0) {
    return make_error(ErrorCode::kInvalidArgument, "committed twice", path_);
  }
  // A second handle keeps the lock until the file has its final name.
  const Descriptor lock(::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0));
  // The data must be on the disk before the name is: otherwise a power cut can leave the new name
  // on an empty file.
  const bool synced = ::fsync(descriptor_) == 0 || errno == EINVAL;
  const int sync_error = errno;
  const bool closed = ::close(std::exchange(descriptor_, -1)) == 0;
  const int close_error = errno;
  if (!synced || !closed) {
    discard();
    return system_error_of(synced ? close_error : sync_error, "cannot write", path_);
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int code = errno;
    discard();
    return system_error_of(code, "cannot rename the finished file", path_);
  }
  temporary_.clear();
  const Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());  // best effort: the file itself is complete
  return {};
}

Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  MIEN_ASSIGN(AtomicFile file, AtomicFile::create(path));
  MIEN_TRY(file.write(bytes));
  return file.commit();
}

Status write_file_atomically(const std::string& path, const std::string& text) {
  return write_file_atomically(path, std::as_bytes(std::span(text.data(), text.size())));
}

std::size_t remove_stale_temporaries(const std::string& path) {
  namespace fs = std::filesystem;
  const std::string prefix = fs::path(path).filename().string() + kTemporaryMark;
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator at(folder_of(path), error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(prefix) &&
        are_temporary_numbers(std::string_view(name).substr(prefix.size()))) {
      found.push_back(at->path().string());
    }
  }
  return static_cast<std::size_t>(std::count_if(found.begin(), found.end(), remove_if_abandoned));
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Descriptor file(open_for_reading(path));
  if (file.get() < 0) return system_error_of(errno, "cannot open", path);
  MIEN_ASSIGN(const std::uint64_t size, regular_file_size(file.get(), path));
  MappedFile mapped;
  if (size == 0) return mapped;  // mmap refuses to map nothing
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return system_error_of(errno, "cannot map", path);
  mapped.data_ = static_cast<const std::byte*>(data);
  mapped.size_ = static_cast<std::size_t>(size);
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace mien::core
