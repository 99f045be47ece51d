// Picture files as streams of frames. Inside this folder only.
#pragma once

#include <memory>
#include <string>

#include "media/video_reader.h"

namespace mien::media {

Result<std::unique_ptr<FrameSource>> open_picture(const std::string& path,
                                                  const SourceOptions& options);
Result<std::unique_ptr<FrameSource>> open_picture_folder(const std::string& path,
                                                         const SourceOptions& options);

}  // namespace mien::media
