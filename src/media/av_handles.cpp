#include "media/av_handles.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <mutex>

#include "core/log.h"

namespace mien::media {
namespace {

void log_callback(void* source, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING || !core::log_enabled(core::LogLevel::kDebug)) return;
  std::array<char, 512> line{};
  int at_line_start = 1;
  av_log_format_line2(source, level, format, arguments, line.data(), static_cast<int>(line.size()),
                      &at_line_start);
  std::string text = line.data();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  // Debug, whatever FFmpeg thinks of it: what matters to the user reaches him as an Error.
  core::log_debug("ffmpeg: " + text);
}

}  // namespace

void redirect_av_log() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(log_callback); });
}

const std::string& av_file_formats() {
  static const std::string names = [] {
    static constexpr std::array kRefused{"tty",    "bin",  "adf",  "idf",        "xbin",
                                         "concat", "hls",  "dash", "imf",        "sdp",
                                         "rtp",    "rtsp", "sap",  "ffmetadata", "image2"};
    std::string out;
    void* state = nullptr;
    while (const AVInputFormat* format = av_demuxer_iterate(&state)) {
      const std::string name = format->name;
      if (std::find(kRefused.begin(), kRefused.end(), name) == kRefused.end()) out += name + ",";
    }
    return out;
  }();
  return names;
}

std::string av_error_text(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

}  // namespace mien::media
