#include "media/picture_source.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace mien::media {
namespace {

namespace fs = std::filesystem;

// Read one after the other, each when its turn comes.
class PictureSource final : public FrameSource {
 public:
  PictureSource(std::string input, std::vector<std::string> paths, SourceOptions options)
      : paths_(std::move(paths)), options_(std::move(options)) {
    info_.input = std::move(input);
    info_.container = "images";
    info_.fps = options_.image_fps > 0 ? options_.image_fps : SourceOptions{}.image_fps;
    info_.declared_frames = static_cast<std::int64_t>(paths_.size());
    info_.duration_s = static_cast<double>(paths_.size()) / info_.fps;
  }

  Status open() {
    MIEN_ASSIGN(first_, read_image(paths_.front()));
    info_.width = first_.width;
    info_.height = first_.height;
    return {};
  }

  const VideoInfo& info() const override { return info_; }

  Result<std::optional<Frame>> next() override {
    if (failure_) return *failure_;
    if (at_ == paths_.size()) return std::optional<Frame>();
    if (options_.cancelled && options_.cancelled()) {
      failure_ = make_error(ErrorCode::kCancelled, "stopped", info_.input);
      return *failure_;
    }
    Frame frame;
    frame.index = static_cast<std::int64_t>(at_);
    frame.time_s = static_cast<double>(at_) / info_.fps;
    if (at_ == 0) {
      frame.rgb = std::move(first_);
    } else {
      Result<Image> image = read_image(paths_[at_]);
      if (!image.ok()) {
        failure_ = image.error();
        return *failure_;
      }
      frame.rgb = std::move(*image);
    }
    ++at_;
    return std::optional<Frame>(std::move(frame));
  }

 private:
  std::vector<std::string> paths_;
  SourceOptions options_;
  VideoInfo info_;
  Image first_;
  std::size_t at_ = 0;
  std::optional<Error> failure_;
};

class MemorySource final : public FrameSource {
 public:
  MemorySource(std::vector<Frame> frames, std::string name) : frames_(std::move(frames)) {
    info_.input = std::move(name);
    info_.container = "memory";
    info_.declared_frames = static_cast<std::int64_t>(frames_.size());
    if (frames_.empty()) return;
    info_.width = frames_.front().rgb.width;
    info_.height = frames_.front().rgb.height;
    const double span = frames_.back().time_s - frames_.front().time_s;
    if (span > 0) info_.fps = static_cast<double>(frames_.size() - 1) / span;
    info_.duration_s = span;
  }
  const VideoInfo& info() const override { return info_; }
  Result<std::optional<Frame>> next() override {
    if (at_ == frames_.size()) return std::optional<Frame>();
    return std::optional<Frame>(std::move(frames_[at_++]));
  }

 private:
  std::vector<Frame> frames_;
  VideoInfo info_;
  std::size_t at_ = 0;
};

Result<std::unique_ptr<FrameSource>> start(std::string input, std::vector<std::string> paths,
                                           const SourceOptions& options) {
  auto source = std::make_unique<PictureSource>(std::move(input), std::move(paths), options);
  MIEN_TRY(source->open());
  return std::unique_ptr<FrameSource>(std::move(source));
}

}  // namespace

Result<std::unique_ptr<FrameSource>> open_picture(const std::string& path,
                                                  const SourceOptions& options) {
  return start(path, {path}, options);
}

Result<std::unique_ptr<FrameSource>> open_picture_folder(const std::string& path,
                                                         const SourceOptions& options) {
  std::vector<std::string> paths;
  std::error_code code;
  for (fs::directory_iterator it(path, code), end; !code && it != end; it.increment(code)) {
    std::error_code entry_code;
    // Dot files are what other systems leave beside pictures (._x.jpg).
    if (it->path().filename().string().front() == '.') continue;
    if (it->is_regular_file(entry_code) && has_image_extension(it->path().string())) {
      paths.push_back(it->path().string());
    }
  }
  if (code) return make_error(ErrorCode::kIo, "cannot be listed: " + code.message(), path);
  if (paths.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "a directory without pictures", path);
  }
  std::sort(paths.begin(), paths.end());
  return start(path, std::move(paths), options);
}

std::unique_ptr<FrameSource> make_memory_source(std::vector<Frame> frames, std::string name) {
  return std::make_unique<MemorySource>(std::move(frames), std::move(name));
}

}  // namespace mien::media
