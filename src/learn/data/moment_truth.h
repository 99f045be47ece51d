// The truth about composed clips (`mien synth moments`): how strongly each frame shows the clip's
// expression.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "learn/data/clip_lists.h"
#include "mien/result.hpp"

namespace mien::learn {

// By the clip's id: the intensity of each frame, 0..1, at least one frame.
using MomentTruth = std::map<std::string, std::vector<double>>;

// The class of clips in which nothing arises.
inline constexpr const char* kNoMoment = "neutral";

// Reads truth.csv (clip,frame,intensity,class,occluded,distractor; media/synth_moments.h) beside
// the manifest that `list` was read from; rows of clips that the list does not have are passed
// over. Nothing when there is no such file or it is of another kind, when the list is no manifest,
// and for one named by source.annotation. Errors, with the file as context: kBadFormat (frames that
// do not count 0, 1, 2 ..., an intensity outside 0..1, another class than neutral or the
// manifest's, an intensity above 0 without that class, a clip of the list without rows), kIo,
// kLimit, and those of core/csv.h.
Result<std::optional<MomentTruth>> find_moment_truth(const ClipSource& source,
                                                     const ClipList& list);

}  // namespace mien::learn
