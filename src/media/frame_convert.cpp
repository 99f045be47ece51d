#include "media/frame_convert.h"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include <cmath>
#include <cstring>

namespace mien::media {
namespace {

constexpr int kHdLines = 720;

int color_space(const AVFrame& frame) {
  if (frame.colorspace != AVCOL_SPC_UNSPECIFIED) return frame.colorspace;
  return frame.height >= kHdLines ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

bool full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P: return true;
    default: return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

}  // namespace

Orientation stream_turn(const AVStream& stream) {
  std::size_t bytes = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (data == nullptr || bytes < 9 * sizeof(std::int32_t)) return {};
  std::int32_t matrix[9];
  std::memcpy(matrix, data, sizeof(matrix));
  // (x, y) goes to (m0 x + m3 y, m1 x + m4 y) in 16.16 fixed point.
  auto unit = [&](int i) { return static_cast<int>(std::lround(matrix[i] / 65536.0)); };
  const Orientation turn{unit(0), unit(3), unit(1), unit(4)};
  auto is_unit = [](int v) { return v >= -1 && v <= 1; };
  const bool quarter = is_unit(turn.xx) && is_unit(turn.xy) && is_unit(turn.yx) &&
                       is_unit(turn.yy) && std::abs(turn.xx) == std::abs(turn.yy) &&
                       std::abs(turn.xy) == std::abs(turn.yx) &&
                       std::abs(turn.xx) + std::abs(turn.xy) == 1;
  return quarter ? turn : Orientation{};
}

Status FrameConverter::prepare(const AVFrame& frame) {
  const int space = color_space(frame);
  const int range = full_range(frame) ? 1 : 0;
  if (scaler_ && frame.width == source_width_ && frame.height == source_height_ &&
      frame.format == source_format_ && space == source_space_ && range == source_range_) {
    return {};
  }
  scaler_.reset(sws_getContext(frame.width, frame.height, static_cast<AVPixelFormat>(frame.format),
                               width_, height_, AV_PIX_FMT_RGB24, SWS_BILINEAR, nullptr, nullptr,
                               nullptr));
  if (!scaler_) {
    return make_error(ErrorCode::kUnsupported, "the video's pixel format cannot be converted");
  }
  constexpr int kOne = 1 << 16;
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(space), range,
                           sws_getCoefficients(AVCOL_SPC_SMPTE170M), 1, 0, kOne, kOne);
  source_width_ = frame.width;
  source_height_ = frame.height;
  source_format_ = frame.format;
  source_space_ = space;
  source_range_ = range;
  return {};
}

Result<Image> FrameConverter::convert(const AVFrame& frame) {
  MIEN_TRY(prepare(frame));
  if (!padded_) {
    padded_.reset(av_frame_alloc());
    if (!padded_) return make_error(ErrorCode::kInternal, "out of memory");
    padded_->width = width_;
    padded_->height = height_;
    padded_->format = AV_PIX_FMT_RGB24;
    if (av_frame_get_buffer(padded_.get(), 64) < 0) {
      padded_.reset();
      return make_error(ErrorCode::kInternal, "out of memory");
    }
  }
  if (sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, padded_->data,
                padded_->linesize) <= 0) {
    return make_error(ErrorCode::kInternal, "a frame could not be converted");
  }
  const ImageView rgb{width_, height_, static_cast<std::size_t>(padded_->linesize[0]),
                      padded_->data[0]};
  return turn_.identity() ? copy_image(rgb) : turn_image(rgb, turn_);
}

}  // namespace mien::media
