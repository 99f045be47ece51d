// Data sets of a few drawn clips in the official layouts, for whole trainings in seconds.
#pragma once

#include <string>

#include "mien/result.hpp"

namespace mien::testing {

// DFEW as S2D reads it: Clip/clip_224x224_16f/ID/*.jpg and five folds of lists. `clips` drawn clips
// of 16 frames with the seven classes in turn; fold k tests on every fifth clip from the k-th on.
Status write_mini_dfew(const std::string& folder, int clips);

// The same clips as FERV39k: 2_ClipsforFaceCrop/Scene/Emotion/NNNN/*.jpg, 4_setups/All_scenes.
Status write_mini_ferv39k(const std::string& folder, int clips);

// The same with MAFW's first seven single labels: frames_crop_align_224/ID/*.png, set_k lists.
Status write_mini_mafw(const std::string& folder, int clips);

// RAVDESS: three takes each of the actors 02 (who tests in fold 1), 03 and 04, with a face in a
// wide frame; and one of actor 02, an angry one by its name, in which nobody is to be seen.
Status write_mini_ravdess(const std::string& folder);

}  // namespace mien::testing
