// Clips with known truth, composed from still faces: an expression arises on a neutral face, peaks
// and fades, while other faces shine through for a frame or two, hands pass, and camera and light
// move. The expression can be seen during its moment only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "media/moment_stills.h"
#include "media/moment_warp.h"
#include "mien/result.hpp"

namespace mien::media {

struct MomentOptions {
  std::uint64_t seed = 1;
  int frames = 16;  // of a clip, 8..256
  int size = 112;   // 16..512 pixels, both ways
  // Frames in which the moment arises and fades; a clip is `frames` of them in a row, among them
  // one at least that shows the peak. 0: as many as `frames`. More, up to 256: a clip is what a
  // window over a longer video sees: the moment may have begun before it, outlast it, or fill it.
  int span = 0;
  // Share of clips whose class is drawn evenly from the classes that have pictures; the others take
  // the class of a picture drawn at random, so that frequent expressions stay frequent. 0..1.
  double even_share = 0.5;
};

struct Moment {
  std::vector<std::uint8_t> frames;    // [T, S, S] grey levels
  int label = 0;                       // index into MomentComposer::classes()
  std::vector<float> intensity;        // [T], 0..1, of the clip's expression; all 0 when neutral
  std::vector<std::uint8_t> occluded;  // [T], 1 where something is before the face
  std::vector<float> distractor;       // [T], share of a face that is not part of the moment
  std::string person;                  // whose expression it is (MomentStill::person)
};

// Draws moments for ever. Clip k is a pure function of the pictures, the options and k: the same on
// every machine and whatever the other clips. Const calls are safe from any number of threads.
class MomentComposer {
 public:
  // Reads the pictures. Errors: those of read_moment_stills and create.
  static Result<MomentComposer> open(const MomentSource& source, const MomentOptions& options);

  // Takes pictures that are in memory already. Errors: kInvalidArgument (an option outside its
  // range; fewer than two neutral pictures; none of any other class; a label, size or offset that
  // does not fit).
  static Result<MomentComposer> create(MomentStills stills, const MomentOptions& options);

  Moment compose(std::uint64_t index) const;
  // compose(index).label and .intensity, without drawing a frame.
  int label(std::uint64_t index) const;
  std::vector<float> course(std::uint64_t index) const;

  const std::vector<std::string>& classes() const { return stills_.classes; }
  int neutral() const { return neutral_; }  // its index in classes()
  const MomentOptions& options() const { return options_; }
  const MomentStills& stills() const { return stills_; }

 private:
  struct Plan;

  MomentComposer() = default;
  Plan plan(std::uint64_t index) const;
  std::size_t draw_target(core::Rng& rng) const;
  std::size_t draw_base(std::size_t target, core::Rng& rng) const;
  std::size_t draw_distractor(int label, core::Rng& rng) const;

  MomentOptions options_;
  MomentStills stills_;
  std::vector<FaceMap> maps_;
  std::vector<std::vector<std::size_t>> by_class_;  // pictures of each class
  std::vector<int> present_;                        // classes that have pictures
  std::vector<std::size_t> neutrals_by_person_;     // neutral pictures, sorted by person
  int neutral_ = 0;
};

}  // namespace mien::media
