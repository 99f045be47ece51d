#include "media/av_picture.h"

#include <cstring>

#include "media/av_handles.h"
#include "media/frame_convert.h"

namespace mien::media {
namespace {

AVCodecID codec_of(PictureFormat format) {
  switch (format) {
    case PictureFormat::kBmp: return AV_CODEC_ID_BMP;
    case PictureFormat::kWebp: return AV_CODEC_ID_WEBP;
    case PictureFormat::kPnm: return AV_CODEC_ID_PPM;  // reads PGM too
    default: return AV_CODEC_ID_NONE;
  }
}

Error damaged(int code) {
  return make_error(ErrorCode::kBadFormat, "a damaged picture: " + av_error_text(code));
}

Result<AvCodec> open_decoder(PictureFormat format) {
  const AVCodec* codec = avcodec_find_decoder(codec_of(format));
  if (codec == nullptr) {
    return make_error(ErrorCode::kUnsupported, "FFmpeg has no decoder for this picture format");
  }
  AvCodec context(avcodec_alloc_context3(codec));
  if (!context) return make_error(ErrorCode::kInternal, "out of memory");
  context->thread_count = 1;
  context->max_pixels = kMaxImagePixels;
  // Half a face is no face: what a player would show anyway is an error here.
  context->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
  if (const int code = avcodec_open2(context.get(), codec, nullptr); code < 0) {
    return make_error(ErrorCode::kInternal, "the decoder does not start: " + av_error_text(code));
  }
  return context;
}

Result<AvFrame> decode(AVCodecContext& decoder, std::span<const std::uint8_t> bytes) {
  AvPacket packet(av_packet_alloc());
  AvFrame frame(av_frame_alloc());
  // A packet of FFmpeg's own has the room behind its end that decoders may read.
  if (!packet || !frame || av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) {
    return make_error(ErrorCode::kInternal, "out of memory");
  }
  std::memcpy(packet->data, bytes.data(), bytes.size());
  if (const int code = avcodec_send_packet(&decoder, packet.get()); code < 0) return damaged(code);
  avcodec_send_packet(&decoder, nullptr);
  if (const int code = avcodec_receive_frame(&decoder, frame.get()); code < 0) {
    return damaged(code);
  }
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
    return make_error(ErrorCode::kBadFormat, "a damaged picture");
  }
  return frame;
}

// Grey pictures use all values; WebP's lossy colours are BT.601 whatever their size.
void say_colours(PictureFormat format, AVFrame& frame) {
  frame.colorspace = AVCOL_SPC_SMPTE170M;
  if (format == PictureFormat::kPnm) frame.color_range = AVCOL_RANGE_JPEG;
}

}  // namespace

Result<Image> decode_av_picture(PictureFormat format, std::span<const std::uint8_t> bytes) {
  redirect_av_log();
  MIEN_ASSIGN(const AvCodec decoder, open_decoder(format));
  MIEN_ASSIGN(const AvFrame frame, decode(*decoder, bytes));
  MIEN_TRY(check_image_size(frame->width, frame->height));
  say_colours(format, *frame);
  FrameConverter converter(frame->width, frame->height, Orientation{});
  return converter.convert(*frame);
}

}  // namespace mien::media
