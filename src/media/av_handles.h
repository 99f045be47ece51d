// FFmpeg's C objects with owners, and its log kept off the terminal. Included by this folder's .cpp
// files only.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "mien/result.hpp"

namespace mien::media {

struct AvDeleter {
  void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
  void operator()(AVFrame* p) const { av_frame_free(&p); }
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};

using AvInput = std::unique_ptr<AVFormatContext, AvDeleter>;
using AvCodec = std::unique_ptr<AVCodecContext, AvDeleter>;
using AvFrame = std::unique_ptr<AVFrame, AvDeleter>;
using AvPacket = std::unique_ptr<AVPacket, AvDeleter>;
using AvScaler = std::unique_ptr<SwsContext, AvDeleter>;

// Sends FFmpeg's messages to core's log from now on; cheap to call again. A host that installed its
// own callback before loses it: FFmpeg has one per process.
void redirect_av_log();

// Names of the demuxers that may read a file of unknown origin, for FFmpeg's option
// format_whitelist: all but those that show text as moving pictures and those that read a list of
// other files.
const std::string& av_file_formats();

// FFmpeg's words for an error number.
std::string av_error_text(int code);

}  // namespace mien::media
