// People and scenes by chance.
#include <algorithm>

#include "media/face_drawing.h"

namespace mien::media {
namespace {

using Colour = std::array<double, 3>;

// Around 1, within +-reach.
double around_one(core::Rng& rng, double reach) {
  return std::clamp(1 + reach * 0.5 * rng.normal(), 1 - reach, 1 + reach);
}

Colour shaken(core::Rng& rng, const Colour& colour, double by) {
  const double all = rng.uniform(-by, by);
  Colour out{};
  for (std::size_t c = 0; c < 3; ++c) {
    out[c] = std::clamp(colour[c] + all + rng.uniform(-by, by) / 3, 4.0, 250.0);
  }
  return out;
}

template <std::size_t N>
const Colour& one_of(core::Rng& rng, const std::array<Colour, N>& colours) {
  return colours[rng.below(N)];
}

}  // namespace

FaceLook random_look(core::Rng& rng) {
  static constexpr std::array<Colour, 6> kLightHair = {
      {{34, 26, 22}, {62, 44, 32}, {92, 66, 44}, {150, 118, 78}, {120, 62, 36}, {22, 18, 18}}};
  static constexpr std::array<Colour, 2> kDarkHair = {{{24, 20, 19}, {36, 28, 24}}};
  static constexpr std::array<Colour, 4> kLightEyes = {
      {{86, 60, 40}, {92, 124, 150}, {98, 116, 84}, {120, 96, 60}}};
  static constexpr std::array<Colour, 2> kDarkEyes = {{{70, 46, 32}, {54, 36, 28}}};
  FaceLook look;
  look.skin_tone = rng.uniform();
  const bool dark = look.skin_tone > 0.45;
  look.face_width = around_one(rng, 0.08);
  look.jaw_width = around_one(rng, 0.09);
  look.chin_length = around_one(rng, 0.12);
  look.eye_size = around_one(rng, 0.14);
  look.eye_spacing = around_one(rng, 0.06);
  look.brow_height = 0.03 * std::clamp(rng.normal(), -1.5, 1.5);
  look.brow_thickness = rng.uniform(0.65, 1.3);
  look.nose_length = around_one(rng, 0.07);
  look.nose_width = around_one(rng, 0.12) + 0.15 * look.skin_tone;
  look.mouth_width = around_one(rng, 0.10);
  look.lip_thickness = around_one(rng, 0.2) + 0.25 * look.skin_tone;
  look.age = rng.uniform();
  look.eye_colour = shaken(rng, dark ? one_of(rng, kDarkEyes) : one_of(rng, kLightEyes), 10);
  look.hair_colour = dark ? one_of(rng, kDarkHair) : one_of(rng, kLightHair);
  if (look.age > 0.7 && rng.chance(0.6)) look.hair_colour = {150, 146, 142};
  look.hair_colour = shaken(rng, look.hair_colour, 6);
  const double style = rng.uniform();
  look.hair = style < 0.12   ? HairStyle::kBald
              : style < 0.50 ? HairStyle::kShort
              : style < 0.68 ? HairStyle::kFringe
                             : HairStyle::kLong;
  const bool can_have_beard = look.hair != HairStyle::kLong;
  const double beard = rng.uniform();
  look.beard = !can_have_beard || beard < 0.6 ? 0 : beard < 0.85 ? 0.25 : rng.uniform(0.6, 0.9);
  look.glasses = rng.chance(0.12);
  return look;
}

Scene random_scene(core::Rng& rng) {
  static constexpr std::array<Colour, 7> kWalls = {{{196, 192, 184},
                                                    {150, 162, 176},
                                                    {120, 132, 118},
                                                    {176, 150, 128},
                                                    {98, 104, 116},
                                                    {210, 208, 204},
                                                    {132, 116, 128}}};
  static constexpr std::array<Colour, 7> kCloth = {{{40, 48, 70},
                                                    {120, 30, 36},
                                                    {210, 208, 200},
                                                    {44, 44, 46},
                                                    {70, 98, 80},
                                                    {130, 140, 160},
                                                    {170, 140, 90}}};
  Scene scene;
  scene.seed = rng.next();
  scene.background_top = shaken(rng, one_of(rng, kWalls), 20);
  const double fall = rng.uniform(0.6, 1.0);
  for (std::size_t c = 0; c < 3; ++c) scene.background_bottom[c] = scene.background_top[c] * fall;
  scene.blobs = static_cast<int>(rng.below(8));
  scene.clothes = shaken(rng, one_of(rng, kCloth), 14);
  const double warm = rng.uniform(-0.05, 0.07);
  scene.light_colour = {1 + warm, 1.0, 1 - warm};
  scene.light_x = rng.uniform(-0.8, 0.8);
  scene.light_y = rng.uniform(-0.75, -0.2);
  scene.light_contrast = rng.uniform(0.3, 0.75);
  scene.brightness = rng.uniform(0.85, 1.12);
  scene.noise = rng.uniform(1.0, 5.0);
  scene.blur_px = rng.uniform(0.35, 0.8);
  return scene;
}

}  // namespace mien::media
