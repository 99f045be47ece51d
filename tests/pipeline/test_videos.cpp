#include "pipeline/test_videos.h"

#include "media/video_writer.h"

namespace mien::testing {

media::Image plain_picture(int width, int height, int phase) {
  media::Image image = media::Image::black(width, height);
  for (int y = 0; y < height; ++y) {
    std::uint8_t* row = image.row(y);
    for (int x = 0; x < width; ++x) {
      row[3 * x] = static_cast<std::uint8_t>(255 * x / width);
      row[3 * x + 1] = static_cast<std::uint8_t>(255 * y / height);
      row[3 * x + 2] = (x + 4 * phase) / 16 % 2 == 0 ? 40 : 90;
    }
  }
  return image;
}

Status write_plain_video(const std::string& path, int frames, double fps, int width, int height) {
  media::VideoWriterOptions options;
  options.nominal_fps = fps;
  MIEN_ASSIGN(media::VideoWriter writer, media::VideoWriter::open(path, width, height, options));
  for (int i = 0; i < frames; ++i) {
    MIEN_TRY(writer.write(plain_picture(width, height, i), i / fps));
  }
  return writer.finish();
}

}  // namespace mien::testing
