#include "media/video_reader.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "media/av_source.h"
#include "media/picture_source.h"

namespace mien::media {
namespace {

namespace fs = std::filesystem;

// "scheme://": letters, digits, + - . before it.
bool is_url(const std::string& input) {
  const std::size_t at = input.find("://");
  if (at == std::string::npos || at == 0) return false;
  return std::all_of(
      input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at),
      [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.'; });
}

bool is_camera(const std::string& input) {
  return input.starts_with("/dev/video") || input.starts_with("/dev/v4l/");
}

}  // namespace

Result<std::unique_ptr<FrameSource>> open_source(const std::string& input,
                                                 const SourceOptions& options) {
  if (input == "-") return open_av_source(input, AvKind::kPipe, options);
  std::error_code code;
  const fs::file_status status = fs::status(input, code);
  if (!fs::exists(status)) {
    // A file that happens to be called like an address is the user's file; so files come first.
    if (is_url(input)) return open_av_source(input, AvKind::kNetwork, options);
    if (code && code != std::errc::no_such_file_or_directory &&
        code != std::errc::not_a_directory) {
      return make_error(ErrorCode::kIo, code.message(), input);
    }
    return make_error(ErrorCode::kNotFound, "no such file", input);
  }
  if (fs::is_directory(status)) return open_picture_folder(input, options);
  if (fs::is_character_file(status) && is_camera(input)) {
    return open_av_source(input, AvKind::kDevice, options);
  }
  if (!fs::is_regular_file(status) && !fs::is_fifo(status)) {
    return make_error(ErrorCode::kInvalidArgument, "neither a file nor a directory", input);
  }
  if (fs::is_regular_file(status) && fs::file_size(input, code) == 0 && !code) {
    return make_error(ErrorCode::kBadFormat, "the file is empty", input);
  }
  if (has_image_extension(input)) return open_picture(input, options);
  return open_av_source(input, AvKind::kFile, options);
}

}  // namespace mien::media
