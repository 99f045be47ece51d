#include "media/av_source.h"

extern "C" {
#include <libavutil/dict.h>
}

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "media/av_devices.h"
#include "media/container_check.h"
#include "media/frame_convert.h"
#include "media/pipe_input.h"

namespace mien::media {
namespace {

using Clock = std::chrono::steady_clock;

// A time stamp jumping further than this, forwards or (by more than a frame or two) backwards, is a
// splice or damage, not a pause: time goes on by one frame instead.
constexpr double kMaxJumpForwardS = 3600.0;
constexpr double kMaxJumpBackS = 0.5;
// How much of its declared length a whole file may lack: edit lists, rounding, tracks of unlike
// lengths.
constexpr double kMissingShare = 0.02;
constexpr double kMissingAtLeastS = 0.5;

class AvSource final : public FrameSource {
 public:
  AvSource(std::string input, AvKind kind, SourceOptions options)
      : kind_(kind), options_(std::move(options)) {
    info_.input = std::move(input);
  }
  Status open();
  const VideoInfo& info() const override { return info_; }
  Result<std::optional<Frame>> next() override;

 private:
  static int interrupt(void* self) { return static_cast<AvSource*>(self)->must_stop() ? 1 : 0; }
  bool cancelled() const { return options_.cancelled && options_.cancelled(); }
  bool timed_out() const {
    return info_.live && kind_ != AvKind::kPipe &&
           std::chrono::duration<double>(Clock::now() - waiting_since_).count() >
               options_.live_timeout_s;
  }
  bool must_stop() const { return cancelled() || timed_out(); }
  Error fail(ErrorCode code, std::string message) const {
    return make_error(code, std::move(message), info_.input);
  }
  Error read_failure(int code, const std::string& doing) const;
  Status open_input();
  Status choose_stream();
  Status open_decoder();
  void describe();
  bool index_beyond_end() const;
  bool cut_short() const;
  Status feed();
  Result<std::optional<Frame>> decode_next();
  Result<Frame> take_frame();
  double frame_time();
  std::optional<Error> ending();

  AvKind kind_;
  SourceOptions options_;
  VideoInfo info_;
  std::unique_ptr<PipeInput> pipe_;  // before input_, which reads from it
  AvInput input_;
  AvCodec decoder_;
  AvPacket packet_{av_packet_alloc()};
  AvFrame frame_{av_frame_alloc()};
  std::optional<FrameConverter> converter_;
  AVStream* stream_ = nullptr;
  std::optional<Frame> first_;  // decoded by open(), which so proves that there is something to see
  std::optional<Error> failure_;  // what next() repeats
  bool reading_ended_ = false;
  bool done_ = false;
  int read_error_ = 0;
  std::int64_t frames_ = 0;
  double last_time_s_ = 0;
  std::optional<double> zero_s_;  // time stamp that counts as 0 s
  double reached_s_ = 0;          // end of the last packet of any stream
  Clock::time_point waiting_since_ = Clock::now();
};

Error AvSource::read_failure(int code, const std::string& doing) const {
  if (cancelled()) return fail(ErrorCode::kCancelled, "stopped");
  if (timed_out()) return fail(ErrorCode::kIo, "nothing came within the time limit");
  const bool pipe = kind_ == AvKind::kPipe;
  const bool refused_format = code == AVERROR(EINVAL) && (pipe || !info_.live);
  if (code == AVERROR_INVALIDDATA || code == AVERROR_EOF || refused_format) {
    return fail(ErrorCode::kBadFormat, pipe ? "not a video that can be read from a pipe, or damaged"
                                            : "not a video, or damaged");
  }
  if (code == AVERROR(ENOENT)) return fail(ErrorCode::kNotFound, "no such file");
  return fail(ErrorCode::kIo, doing + ": " + av_error_text(code));
}

Status AvSource::open_input() {
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) return fail(ErrorCode::kInternal, "out of memory");
  context->interrupt_callback = {&AvSource::interrupt, this};
  AVDictionary* settings = nullptr;
  const AVInputFormat* format = nullptr;
  std::string url = info_.input;
  switch (kind_) {
    case AvKind::kFile:
      url = "file:" + info_.input;
      // A file may name others (playlists): never ones beyond this machine.
      av_dict_set(&settings, "protocol_whitelist", "file,crypto,data", 0);
      av_dict_set(&settings, "format_whitelist", av_file_formats().c_str(), 0);
      break;
    case AvKind::kPipe:
      url.clear();
      context->pb = pipe_->context();
      // What comes through a pipe has no business with files of this machine.
      av_dict_set(&settings, "protocol_whitelist", "crypto,data", 0);
      av_dict_set(&settings, "format_whitelist", av_file_formats().c_str(), 0);
      break;
    case AvKind::kDevice:
      format = av_find_input_format("v4l2");
      if (format == nullptr) {
        avformat_free_context(context);
        return fail(ErrorCode::kUnsupported, "this FFmpeg reads no webcams");
      }
      // A camera that stalls must not keep feed() from being stopped.
      context->flags |= AVFMT_FLAG_NONBLOCK;
      break;
    case AvKind::kNetwork:
      if (url.rfind("rtsp", 0) == 0) av_dict_set(&settings, "rtsp_transport", "tcp", 0);
      break;
  }
  const int code = avformat_open_input(&context, url.c_str(), format, &settings);
  av_dict_free(&settings);
  if (code < 0) return read_failure(code, "cannot be opened");  // FFmpeg has freed the context
  input_.reset(context);
  const int found = avformat_find_stream_info(input_.get(), nullptr);
  if (found < 0) return read_failure(found, "its streams cannot be read");
  return {};
}

// The best video stream that is one: cover pictures of music files are marked as such.
Status AvSource::choose_stream() {
  auto is_video = [](const AVStream& s) {
    return s.codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
           (s.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) == 0;
  };
  const int best = av_find_best_stream(input_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (best >= 0 && is_video(*input_->streams[best])) stream_ = input_->streams[best];
  for (unsigned i = 0; stream_ == nullptr && i < input_->nb_streams; ++i) {
    if (is_video(*input_->streams[i])) stream_ = input_->streams[i];
  }
  if (stream_ == nullptr) return fail(ErrorCode::kBadFormat, "no video stream");
  const Status size = check_image_size(stream_->codecpar->width, stream_->codecpar->height);
  if (!size.ok()) return size.error().within(info_.input);
  return {};
}

Status AvSource::open_decoder() {
  const AVCodec* codec = avcodec_find_decoder(stream_->codecpar->codec_id);
  if (codec == nullptr) {
    return fail(ErrorCode::kUnsupported,
                std::string("no decoder for ") + avcodec_get_name(stream_->codecpar->codec_id));
  }
  decoder_.reset(avcodec_alloc_context3(codec));
  if (!decoder_ || avcodec_parameters_to_context(decoder_.get(), stream_->codecpar) < 0) {
    return fail(ErrorCode::kInternal, "the decoder cannot be set up");
  }
  decoder_->pkt_timebase = stream_->time_base;
  decoder_->thread_count = options_.decoder_threads;
  decoder_->max_pixels = kMaxImagePixels;
  const int code = avcodec_open2(decoder_.get(), codec, nullptr);
  if (code < 0) return read_failure(code, "the decoder cannot be opened");
  return {};
}

void AvSource::describe() {
  const Orientation turn = stream_turn(*stream_);
  const int width = stream_->codecpar->width;
  const int height = stream_->codecpar->height;
  converter_.emplace(width, height, turn);
  info_.container = input_->iformat->name;
  info_.codec = avcodec_get_name(stream_->codecpar->codec_id);
  info_.width = turn.swaps_sides() ? height : width;
  info_.height = turn.swaps_sides() ? width : height;
  AVRational rate = stream_->avg_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) rate = stream_->r_frame_rate;
  if (rate.num > 0 && rate.den > 0) info_.fps = std::min(av_q2d(rate), 1000.0);
  if (info_.live) return;
  info_.declared_frames = std::max<std::int64_t>(stream_->nb_frames, 0);
  if (stream_->duration > 0) {
    info_.duration_s = static_cast<double>(stream_->duration) * av_q2d(stream_->time_base);
  } else if (input_->duration > 0) {
    info_.duration_s = static_cast<double>(input_->duration) / AV_TIME_BASE;
  }
  info_.truncated =
      index_beyond_end() || (kind_ == AvKind::kFile && container_cut_off(info_.input));
}

// MP4 holds a table of where every packet lies; it must lie within the file.
bool AvSource::index_beyond_end() const {
  if (kind_ != AvKind::kFile || input_->pb == nullptr) return false;
  const std::int64_t size = avio_size(input_->pb);
  const std::string name = input_->iformat->name;
  if (size <= 0 || name.rfind("mov", 0) != 0) return false;
  for (unsigned s = 0; s < input_->nb_streams; ++s) {
    AVStream* stream = input_->streams[s];
    const int entries = avformat_index_get_entries_count(stream);
    for (int i = 0; i < entries; ++i) {
      const AVIndexEntry* entry = avformat_index_get_entry(stream, i);
      if (entry != nullptr && entry->pos + entry->size > size) return true;
    }
  }
  return false;
}

// Whether what came is clearly less than what the header declares. Lengths that FFmpeg had to guess
// (from the bit rate, or from the last packets of this very file) say nothing.
bool AvSource::cut_short() const {
  if (info_.truncated || index_beyond_end()) return true;
  if (info_.live || input_->duration <= 0 ||
      input_->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) {
    return false;
  }
  const double declared = static_cast<double>(input_->duration) / AV_TIME_BASE;
  return reached_s_ < declared - std::max(kMissingAtLeastS, kMissingShare * declared);
}

Status AvSource::open() {
  redirect_av_log();
  if (kind_ == AvKind::kDevice) MIEN_TRY(register_av_devices());
  info_.live = kind_ != AvKind::kFile;
  info_.paced = kind_ == AvKind::kDevice;
  if (!packet_ || !frame_) return fail(ErrorCode::kInternal, "out of memory");
  if (kind_ == AvKind::kPipe) {
    auto pipe = PipeInput::open(STDIN_FILENO, [this] { return must_stop(); });
    if (!pipe.ok()) return pipe.error().within(info_.input);
    pipe_ = std::move(*pipe);
  }
  MIEN_TRY(open_input());
  MIEN_TRY(choose_stream());
  MIEN_TRY(open_decoder());
  describe();
  MIEN_ASSIGN(first_, decode_next());
  if (!first_) return fail(ErrorCode::kBadFormat, "not one frame could be decoded");
  return {};
}

// Gives the decoder one packet of the stream, or the news that there are no more.
Status AvSource::feed() {
  waiting_since_ = Clock::now();
  while (!reading_ended_) {
    if (cancelled()) return fail(ErrorCode::kCancelled, "stopped");
    const int code = av_read_frame(input_.get(), packet_.get());
    if (code == AVERROR(EAGAIN)) {
      if (must_stop()) return read_failure(code, "cannot be read");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      continue;
    }
    if (code < 0) {
      if (must_stop()) return read_failure(code, "cannot be read");
      reading_ended_ = true;
      read_error_ = code == AVERROR_EOF && input_->pb != nullptr ? input_->pb->error : code;
      if (read_error_ == AVERROR_EOF) read_error_ = 0;
      avcodec_send_packet(decoder_.get(), nullptr);
      return {};
    }
    const AVStream* of = input_->streams[packet_->stream_index];
    const std::int64_t stamp = packet_->pts != AV_NOPTS_VALUE ? packet_->pts : packet_->dts;
    if (stamp != AV_NOPTS_VALUE) {
      const double start = input_->start_time == AV_NOPTS_VALUE
                               ? 0.0
                               : static_cast<double>(input_->start_time) / AV_TIME_BASE;
      const double end =
          static_cast<double>(stamp + packet_->duration) * av_q2d(of->time_base) - start;
      reached_s_ = std::max(reached_s_, end);
    }
    const bool ours = packet_->stream_index == stream_->index;
    // A packet the decoder refuses is damage in the middle; the frames behind it may be whole.
    if (ours) avcodec_send_packet(decoder_.get(), packet_.get());
    av_packet_unref(packet_.get());
    if (ours) return {};
    waiting_since_ = Clock::now();
  }
  return {};
}

double AvSource::frame_time() {
  const double step = info_.fps > 0 ? 1.0 / info_.fps : 1.0 / 25.0;
  const std::int64_t stamp = frame_->best_effort_timestamp;
  const double expected = frames_ == 0 ? 0.0 : last_time_s_ + step;
  if (stamp == AV_NOPTS_VALUE) return expected;
  const double absolute = static_cast<double>(stamp) * av_q2d(stream_->time_base);
  if (!zero_s_) zero_s_ = absolute - expected;
  double time = absolute - *zero_s_;
  if (time > last_time_s_ + kMaxJumpForwardS || time < last_time_s_ - kMaxJumpBackS) {
    zero_s_ = absolute - expected;
    time = expected;
  }
  return std::max(time, last_time_s_);
}

Result<Frame> AvSource::take_frame() {
  Frame out;
  Result<Image> rgb = converter_->convert(*frame_);
  if (!rgb.ok()) return rgb.error().within(info_.input);
  out.rgb = std::move(*rgb);
  out.time_s = frame_time();
  out.index = frames_++;
  last_time_s_ = out.time_s;
  av_frame_unref(frame_.get());
  return out;
}

// What stands behind the last frame: an error, or nothing when the file was whole.
std::optional<Error> AvSource::ending() {
  if (info_.live) {
    if (read_error_ == 0) return std::nullopt;
    return read_failure(read_error_, "the stream broke off");
  }
  if (read_error_ == 0 && !cut_short()) return std::nullopt;
  const std::string after = frames_ == 0 ? "" : " after " + std::to_string(frames_) + " frames";
  return fail(ErrorCode::kBadFormat, "the video is cut short or damaged" + after);
}

Result<std::optional<Frame>> AvSource::decode_next() {
  for (;;) {
    const int code = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (code == 0) {
      if (frame_->width <= 0 || frame_->height <= 0) {
        av_frame_unref(frame_.get());
        continue;
      }
      MIEN_ASSIGN(Frame frame, take_frame());
      return std::optional<Frame>(std::move(frame));
    }
    if (code == AVERROR_EOF) {
      if (std::optional<Error> error = ending()) return *std::move(error);
      return std::optional<Frame>();
    }
    if (code == AVERROR(EAGAIN) || code == AVERROR_INVALIDDATA) {
      MIEN_TRY(feed());
      continue;
    }
    return read_failure(code, "the decoder failed");
  }
}

Result<std::optional<Frame>> AvSource::next() {
  if (first_) return std::exchange(first_, std::nullopt);
  if (failure_) return *failure_;
  if (done_) return std::optional<Frame>();
  if (cancelled()) {
    failure_ = fail(ErrorCode::kCancelled, "stopped");
    return *failure_;
  }
  Result<std::optional<Frame>> out = decode_next();
  if (!out.ok())
    failure_ = out.error();
  else if (!*out)
    done_ = true;
  return out;
}

}  // namespace

Result<std::unique_ptr<FrameSource>> open_av_source(const std::string& input, AvKind kind,
                                                    const SourceOptions& options) {
  auto source = std::make_unique<AvSource>(input, kind, options);
  MIEN_TRY(source->open());
  return std::unique_ptr<FrameSource>(std::move(source));
}

}  // namespace mien::media
