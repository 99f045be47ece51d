// Draws a face made of nothing but numbers: who it is, what its muscles do, how the head stands and
// under what light.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/rng.h"
#include "media/face_model.h"
#include "media/image.h"
#include "media/landmarks.h"

namespace mien::media {

// All but the face itself. Colours are RGB, 0..255.
struct Scene {
  std::uint64_t seed = 1;  // of the grain of skin and hair, the blobs and the camera's noise
  std::array<double, 3> background_top{150, 160, 170};
  std::array<double, 3> background_bottom{110, 112, 118};
  int blobs = 5;  // blurred things behind
  std::array<double, 3> clothes{60, 70, 95};
  std::array<double, 3> light_colour{1, 1, 1};  // factors near 1
  double light_x = 0.3;                         // where the light comes from: -1 left .. 1 right,
  double light_y = -0.5;                        // -1 above .. 1 below
  double light_contrast = 0.5;                  // 0 even light .. 1 hard
  double brightness = 1.0;
  double noise = 3.0;    // standard deviation in grey levels
  double blur_px = 0.6;  // of the lens, in pixels of the frame
};

// Draws one person in one scene, frame by frame. Keeps a few pictures of skin and hair. The
// same arguments always give the same bytes. One thread at a time.
class FaceArtist {
 public:
  // Frames of width x height pixels. `scale` is the size at which faces will be drawn, in pixels
  // per face unit (HeadPose::scale may differ a little from it). Errors: kInvalidArgument (a side
  // outside 16..4096, a scale outside 4..1024), kInternal.
  static Result<FaceArtist> create(const FaceLook& look, const Scene& scene, int width, int height,
                                   double scale);
  FaceArtist(FaceArtist&&) noexcept;
  FaceArtist& operator=(FaceArtist&&) noexcept;
  ~FaceArtist();

  // The frame; `frame` only sets the camera's noise. Errors: kInvalidArgument (a pose or unit that
  // is not finite, a pose more than 10,000 pixels away, a scale outside 1..1024), kInternal
  // (OpenCV).
  Result<Image> draw(const ActionUnits& units, const HeadPose& pose, std::uint64_t frame = 0) const;

 private:
  struct Impl;
  explicit FaceArtist(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A person and a scene by chance: skins over the whole range with hair and eyes that go with them.
FaceLook random_look(core::Rng& rng);
Scene random_scene(core::Rng& rng);

}  // namespace mien::media
