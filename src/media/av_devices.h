// Cameras through FFmpeg's libavdevice, which is loaded when one is asked for: it brings 68 further
// libraries (sound servers, window systems), and every start of the program would wait for them.
#pragma once

#include "mien/result.hpp"

namespace mien::media {

// Makes FFmpeg's capture devices known to av_find_input_format(). Cheap to call again; threads may.
// Error kUnsupported where libavdevice of the version that this was built with is not installed.
Status register_av_devices();

}  // namespace mien::media
