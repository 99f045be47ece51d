// Videos, devices and network streams through FFmpeg. Inside this folder only.
#pragma once

#include <memory>
#include <string>

#include "media/video_reader.h"

namespace mien::media {

// What kind of thing `input` names.
enum class AvKind { kFile, kDevice, kNetwork, kPipe };

Result<std::unique_ptr<FrameSource>> open_av_source(const std::string& input, AvKind kind,
                                                    const SourceOptions& options);

}  // namespace mien::media
