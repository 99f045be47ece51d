#include "media/video_writer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "media/av_handles.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace mien::media {
namespace {

// swscale reads some bytes beyond the last row, and what lies there shows in the last pixels.
constexpr std::size_t kScalerOverread = 64;

constexpr AVRational kTimeBase{1, 90000};
constexpr int kLeastSide = 16;  // below it players and encoders get into trouble

struct OutputCloser {
  void operator()(AVFormatContext* context) const {
    if (context->pb != nullptr) avio_closep(&context->pb);
    avformat_free_context(context);
  }
};

// x264 prints about a preset it does not know before it can be told not to print.
bool known_preset(const std::string& preset) {
  static constexpr std::array kPresets{"ultrafast", "superfast", "veryfast", "faster",  "fast",
                                       "medium",    "slow",      "slower",   "veryslow"};
  return std::find(kPresets.begin(), kPresets.end(), preset) != kPresets.end();
}

int even_up(int side) {
  return std::max((side + 1) / 2 * 2, kLeastSide);
}

// `image` into the top left of `out`, its last column and row repeated to fill it.
void pad_into(Image& out, const ImageView& image) {
  for (int y = 0; y < out.height; ++y) {
    std::uint8_t* row = out.row(y);
    const std::uint8_t* from = image.row(std::min(y, image.height - 1));
    std::memcpy(row, from, static_cast<std::size_t>(image.width) * 3);
    for (int x = image.width; x < out.width; ++x)
      std::memcpy(row + x * 3, row + (image.width - 1) * 3, 3);
  }
}

}  // namespace

struct VideoWriter::Impl {
  std::string path;
  Image padded;      // the frame at hand, with room behind it
  std::string part;  // where the bytes are until finish()
  VideoWriterOptions options;
  int in_width = 0, in_height = 0;  // of the frames given
  int pad_width = 0, pad_height = 0;
  std::unique_ptr<AVFormatContext, OutputCloser> output;
  AvCodec encoder;
  AvScaler scaler;
  AvFrame frame{av_frame_alloc()};
  AvPacket packet{av_packet_alloc()};
  AVStream* stream = nullptr;
  std::int64_t last_pts = -1;
  bool finished = false;

  ~Impl() {
    output.reset();
    if (!finished && !part.empty()) {
      std::error_code ignored;
      std::filesystem::remove(part, ignored);
    }
  }
  Error fail(ErrorCode code, const std::string& message) const {
    return make_error(code, message, path);
  }
  void choose_size();
  Status open_encoder();
  Status open_file();
  Status drain();
};

void VideoWriter::Impl::choose_size() {
  pad_width = in_width;
  pad_height = in_height;
  const int longest = std::max(in_width, in_height);
  if (options.max_side > 0 && longest > options.max_side) {
    const double shrink = static_cast<double>(options.max_side) / longest;
    auto scaled = [&](int side) {
      return std::max(static_cast<int>(std::lround(side * shrink / 2)) * 2, kLeastSide);
    };
    encoder->width = scaled(in_width);
    encoder->height = scaled(in_height);
    return;
  }
  encoder->width = pad_width = even_up(in_width);
  encoder->height = pad_height = even_up(in_height);
}

Status VideoWriter::Impl::open_encoder() {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr) return fail(ErrorCode::kUnsupported, "this FFmpeg has no libx264");
  encoder.reset(avcodec_alloc_context3(codec));
  if (!encoder || !frame || !packet) return fail(ErrorCode::kInternal, "out of memory");
  choose_size();
  padded = Image::black(pad_width, pad_height);
  padded.rgb.resize(padded.rgb.size() + kScalerOverread, 0);
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->time_base = kTimeBase;
  encoder->framerate = av_d2q(options.nominal_fps > 0 ? options.nominal_fps : 25.0, 100000);
  encoder->thread_count = std::max(options.threads, 1);
  encoder->colorspace = AVCOL_SPC_BT709;
  encoder->color_primaries = AVCOL_PRI_BT709;
  encoder->color_trc = AVCOL_TRC_BT709;
  encoder->color_range = AVCOL_RANGE_MPEG;
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_opt_set(encoder->priv_data, "preset", options.preset.c_str(), 0);
  if (options.repeatable) av_opt_set(encoder->priv_data, "x264-params", "mbtree=0", 0);
  av_opt_set_double(encoder->priv_data, "crf", options.crf, 0);
  const int code = avcodec_open2(encoder.get(), codec, nullptr);
  if (code < 0) return fail(ErrorCode::kInvalidArgument, "x264: " + av_error_text(code));
  scaler.reset(sws_getContext(pad_width, pad_height, AV_PIX_FMT_RGB24, encoder->width,
                              encoder->height, AV_PIX_FMT_YUV420P, SWS_AREA, nullptr, nullptr,
                              nullptr));
  if (!scaler) return fail(ErrorCode::kInternal, "frames cannot be converted for the encoder");
  constexpr int kOne = 1 << 16;
  sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1,
                           sws_getCoefficients(SWS_CS_ITU709), 0, 0, kOne, kOne);
  frame->width = encoder->width;
  frame->height = encoder->height;
  frame->format = AV_PIX_FMT_YUV420P;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return fail(ErrorCode::kInternal, "out of memory");
  return {};
}

Status VideoWriter::Impl::open_file() {
  const std::string url = "file:" + part;  // a bare name with a colon would be taken for a protocol
  AVFormatContext* context = nullptr;
  if (avformat_alloc_output_context2(&context, nullptr, "mp4", url.c_str()) < 0) {
    return fail(ErrorCode::kUnsupported, "this FFmpeg writes no MP4");
  }
  output.reset(context);
  stream = avformat_new_stream(context, nullptr);
  if (stream == nullptr || avcodec_parameters_from_context(stream->codecpar, encoder.get()) < 0) {
    return fail(ErrorCode::kInternal, "out of memory");
  }
  stream->time_base = kTimeBase;
  stream->avg_frame_rate = encoder->framerate;
  int code = avio_open(&context->pb, url.c_str(), AVIO_FLAG_WRITE);
  if (code < 0) {
    part.clear();  // nothing of ours lies there
    return fail(ErrorCode::kIo, "cannot be written: " + av_error_text(code));
  }
  AVDictionary* settings = nullptr;
  av_dict_set(&settings, "movflags", "+faststart", 0);
  code = avformat_write_header(context, &settings);
  av_dict_free(&settings);
  if (code < 0) return fail(ErrorCode::kIo, "cannot be written: " + av_error_text(code));
  return {};
}

// Moves what the encoder has ready into the file.
Status VideoWriter::Impl::drain() {
  for (;;) {
    int code = avcodec_receive_packet(encoder.get(), packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
    if (code < 0) return fail(ErrorCode::kInternal, "x264: " + av_error_text(code));
    packet->stream_index = stream->index;
    // Only the last packet's length is looked at: all others end where the next begins.
    packet->duration = std::llround(av_q2d(av_inv_q(encoder->framerate)) / av_q2d(kTimeBase));
    av_packet_rescale_ts(packet.get(), kTimeBase, stream->time_base);
    code = av_interleaved_write_frame(output.get(), packet.get());
    if (code < 0) return fail(ErrorCode::kIo, "cannot be written: " + av_error_text(code));
  }
}

VideoWriter::VideoWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;
VideoWriter::~VideoWriter() = default;

Result<VideoWriter> VideoWriter::open(const std::string& path, int width, int height,
                                      const VideoWriterOptions& options) {
  redirect_av_log();
  const Status size = check_image_size(width, height);
  if (!size.ok()) return make_error(ErrorCode::kInvalidArgument, size.error().message, path);
  if (!known_preset(options.preset)) {
    return make_error(ErrorCode::kInvalidArgument, "no such x264 preset: " + options.preset, path);
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->part = path + ".part" + std::to_string(::getpid());
  impl->options = options;
  impl->in_width = width;
  impl->in_height = height;
  MIEN_TRY(impl->open_encoder());
  MIEN_TRY(impl->open_file());
  return VideoWriter(std::move(impl));
}

int VideoWriter::width() const {
  return impl_->encoder->width;
}
int VideoWriter::height() const {
  return impl_->encoder->height;
}

Status VideoWriter::write(const ImageView& image, double time_s) {
  Impl& w = *impl_;
  if (w.finished) return w.fail(ErrorCode::kInvalidArgument, "the video is finished");
  if (image.empty() || image.width != w.in_width || image.height != w.in_height) {
    return w.fail(ErrorCode::kInvalidArgument, "a frame of another size");
  }
  if (!(std::abs(time_s) < 1e9)) return w.fail(ErrorCode::kInvalidArgument, "a time that is none");
  pad_into(w.padded, image);
  const ImageView source = w.padded.view();
  if (av_frame_make_writable(w.frame.get()) < 0)
    return w.fail(ErrorCode::kInternal, "out of memory");
  const std::uint8_t* planes[1] = {source.rgb};
  const int strides[1] = {static_cast<int>(source.stride)};
  sws_scale(w.scaler.get(), planes, strides, 0, w.pad_height, w.frame->data, w.frame->linesize);
  const auto pts = static_cast<std::int64_t>(std::llround(time_s * kTimeBase.den));
  w.frame->pts = std::max({pts, w.last_pts + 1, std::int64_t{0}});
  w.last_pts = w.frame->pts;
  const int code = avcodec_send_frame(w.encoder.get(), w.frame.get());
  if (code < 0) return w.fail(ErrorCode::kInternal, "x264: " + av_error_text(code));
  return w.drain();
}

Status VideoWriter::finish() {
  Impl& w = *impl_;
  if (w.finished) return {};
  if (w.last_pts < 0) return w.fail(ErrorCode::kInvalidArgument, "a video without frames");
  avcodec_send_frame(w.encoder.get(), nullptr);
  MIEN_TRY(w.drain());
  int code = av_write_trailer(w.output.get());
  const int closed = avio_closep(&w.output->pb);
  if (code >= 0) code = closed;
  if (code < 0) return w.fail(ErrorCode::kIo, "cannot be written: " + av_error_text(code));
  std::error_code renamed;
  std::filesystem::rename(w.part, w.path, renamed);
  if (renamed) return w.fail(ErrorCode::kIo, "cannot be written: " + renamed.message());
  w.finished = true;
  return {};
}

}  // namespace mien::media
