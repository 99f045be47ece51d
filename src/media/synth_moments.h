// `mien synth moments`: composed clips as a data set on disk, with their truth beside them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "media/moment_composer.h"

namespace mien::media {

// How frames are stored: PNG is the composer's pixels, JPEG (quality 90) takes a third of the room
// and its bytes depend on the version of the JPEG library.
enum class FrameStorage { kPng, kJpeg };

struct SynthMomentsOptions {
  std::string out;  // folder; must not exist, be empty, or be of an earlier run (it is replaced)
  int clips = 100;  // 1..1,000,000
  FrameStorage storage = FrameStorage::kPng;
  MomentSource source;
  MomentOptions moments;
};

struct SynthMomentsReport {
  int clips = 0;
  std::string manifest;              // path of manifest.csv
  std::vector<std::string> classes;  // all of them, by index
  std::vector<int> per_class;        // clips of each
};

// Writes into `out`, which appears whole or not at all:
//   clips/NNNNN/FF.png   frame FF (from 00) of clip NNNNN (from 00000), grey
//   manifest.csv         path,label,group: folder of the frames relative to `out`, class name,
//                        and whose expression it is
//   truth.csv            clip,frame,intensity,class,occluded,distractor, one row per frame:
//                        intensity 0..1 of the clip's expression, the class seen in this frame
//                        (neutral where the intensity is 0), 1 where something hides the face, and
//                        the share of a face that does not belong to the moment
// Clip k depends on the pictures, the options and k alone: more clips leave the first ones as they
// are, byte for byte. `progress` (may be empty) is called after each clip and stops the work by
// returning false. Errors: those of MomentComposer::open; kInvalidArgument (number of clips), kIo
// (context = the file), kCancelled.
Result<SynthMomentsReport> synth_moments(const SynthMomentsOptions& options,
                                         const std::function<bool(int done)>& progress);

}  // namespace mien::media
