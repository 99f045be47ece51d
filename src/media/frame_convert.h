// Decoded frames into upright RGB pictures.
#pragma once

#include "media/av_handles.h"
#include "media/image.h"
#include "media/image_probe.h"

namespace mien::media {

// The turn that a stream's display matrix asks for; the identity when there is none or it is no
// turn by quarters.
Orientation stream_turn(const AVStream& stream);

// Converts frames of one stream, whatever their pixel format, to RGB pictures of one size. Colours
// follow the frame's own matrix and range; where it says nothing, BT.601 below 720 lines and BT.709
// above, as players do.
class FrameConverter {
 public:
  // `width` and `height` before turning.
  FrameConverter(int width, int height, const Orientation& turn)
      : width_(width), height_(height), turn_(turn) {}

  // Error kInternal when swscale cannot convert the format.
  Result<Image> convert(const AVFrame& frame);

 private:
  Status prepare(const AVFrame& frame);

  int width_;
  int height_;
  Orientation turn_;
  AvScaler scaler_;
  AvFrame padded_;  // rows with room behind them: swscale's vector code writes past short rows
  int source_width_ = 0;
  int source_height_ = 0;
  int source_format_ = -1;
  int source_space_ = -1;
  int source_range_ = -1;
};

}  // namespace mien::media
