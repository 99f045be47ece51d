// `mien synth faces`: clips of drawn faces whose truth is known to the last point.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "mien/result.hpp"

namespace mien::media {

struct SynthFacesOptions {
  std::string out;         // folder, made where it is missing
  int clips = 10;          // 1 .. 99,999
  std::uint64_t seed = 1;  // same options, same pictures and truth
  int frames = 48;         // per clip, 1 .. 100,000
  double fps = 25;         // 1 .. 240
  int size = 256;          // pixels of a side, even, 64 .. 2048
};

struct SynthReport {
  int clips = 0;
  std::string manifest;  // path of manifest.csv
};

// Writes into `out`:
//   clips/00000.mp4 ...  one face each, expressions in turn (media/expression_recipes.h)
//   manifest.csv         path,label: paths relative to `out`
//   truth.csv            clip,frame,time_s,class,intensity,au1..au26,au45,x0,y0,...,x67,y67, one
//   row
//                        per frame: `clip` is the path in the manifest, `intensity` (0..1) how much
//                        of the clip's expression the frame shows, `class` that expression (neutral
//                        where the intensity is 0), the action units' strengths 0..1 (au45: blink;
//                        the au12 of contempt acts on one side), and the 68 points in pixels
// Clip k depends on the options and k alone: more clips leave the first ones as they are. Tables
// appear only when all is done; a clip only when it is whole. `progress` (may be empty) is called
// after each clip with their number and stops the work by returning false. Errors: kInvalidArgument
// (an option, context its name), kIo (context = path), kCancelled, kUnsupported (FFmpeg without
// H.264), kInternal.
Result<SynthReport> synth_faces(const SynthFacesOptions& options,
                                const std::function<bool(int done)>& progress = {});

}  // namespace mien::media
