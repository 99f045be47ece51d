// Videos made on the spot.
#pragma once

#include <string>

#include "media/image.h"
#include "mien/result.hpp"

namespace mien::testing {

// A picture of which no detector says that it shows a face: a colour gradient with bars.
media::Image plain_picture(int width, int height, int phase);

// An MP4 of such pictures, `frames` of them, `fps` a second.
Status write_plain_video(const std::string& path, int frames, double fps, int width = 160,
                         int height = 120);

}  // namespace mien::testing
