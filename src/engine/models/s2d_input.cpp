#include <cstring>

#include "engine/kernels/image.h"
#include "engine/models/s2d_parts.h"

namespace mien::engine {
namespace {

std::size_t patch_values(const S2DWeights& w) {
  return w.patch_proj->in();
}

}  // namespace

S2DInput S2DInput::from_frame(const S2DWeights& w, std::size_t frame) const {
  const std::size_t pixels = frame * w.side() * w.side();
  S2DInput part = *this;
  if (part.rgb != nullptr) part.rgb += pixels * 3;
  if (part.planar != nullptr) part.planar += pixels;
  if (part.map != nullptr) {
    part.map += frame * w.patches() * static_cast<std::size_t>(w.sizes().in_chans_l);
  }
  if (part.tokens != nullptr) part.tokens += frame * 2 * w.patches() * w.width();
  return part;
}

S2DInputPart::S2DInputPart(const S2DWeights& w, std::size_t chunk, Arena& arena)
    : weights_(&w),
      chunk_(chunk),
      patch_proj_(w.patch_proj, chunk * w.patches(), Epilogue::kNone, LinearOut::kF32),
      prompt_proj_(w.prompt_proj, chunk * w.patches(), Epilogue::kNone, LinearOut::kF32) {
  const std::size_t pixels = chunk * w.side() * w.side() * w.channels();
  const auto landmark_side = static_cast<std::size_t>(w.sizes().landmark_size);
  const std::size_t map = chunk * w.patches() * static_cast<std::size_t>(w.sizes().in_chans_l);
  pictures_ = arena.reserve_for<float>(pixels);
  map_ = arena.reserve_for<float>(map);
  map_act_ = arena.reserve_for<float>(map);
  if (w.landmark || w.channels() == 3) {
    resized_ = arena.reserve_for<float>(chunk * landmark_side * landmark_side * w.channels());
  }
  if (w.landmark) {
    landmark_.emplace(*w.landmark, chunk, landmark_side, arena);
    scratch_bytes_ = landmark_->scratch_bytes();
  }
  if (w.stem) {
    stem_.emplace(*w.stem, chunk, w.side(), arena);
    scratch_bytes_ = std::max(scratch_bytes_, stem_->scratch_bytes());
  } else {
    patches_ = arena.reserve_for<float>(chunk * w.patches() * patch_values(w));
  }
  scratch_bytes_ =
      std::max({scratch_bytes_, patch_proj_.scratch_bytes(), prompt_proj_.scratch_bytes()});
}

void S2DInputPart::load_pictures(const S2DInput& input, float* pictures) const {
  const S2DWeights& w = *weights_;
  if (input.rgb != nullptr) {
    normalize_pixels(input.rgb, chunk_, w.side(), w.config.input, w.channels(), pictures);
  } else {
    planar_to_frames(input.planar, input.channel_stride, w.side() * w.side(), chunk_, w.side(),
                     w.channels(), pictures);
  }
}

// The landmark features as activations [chunk, N, in_chans_l]: the caller's, or our own network's.
const void* S2DInputPart::landmark_map(const Pass& pass, const S2DInput& input,
                                       const float* pictures) {
  const S2DWeights& w = *weights_;
  const auto channels = static_cast<std::size_t>(w.sizes().in_chans_l);
  const auto landmark_side = static_cast<std::size_t>(w.sizes().landmark_size);
  auto* resized = pass.arena->at<float>(resized_);
  const bool own = input.map == nullptr;
  if (own || (pass.tap != nullptr && w.channels() == 3)) {
    resize_aligned(pictures, chunk_, w.side(), w.channels(), landmark_side, resized);
  }
  if (pass.tap != nullptr && w.channels() == 3) {
    put_planar(*pass.tap, "landmark_in.f0", resized, w.channels(), landmark_side);
  }
  if (own) return landmark_->run(*pass.stream, *pass.arena, resized, pass.scratch, nullptr);
  auto* map = pass.arena->at<float>(map_);
  const auto grid = static_cast<std::size_t>(w.sizes().grid());
  planar_to_frames(input.map, w.patches(), channels * w.patches(), chunk_, grid, channels, map);
  void* act = pass.arena->at(map_act_);
  store_act(map, chunk_ * w.patches() * channels, w.context->act(), act);
  return act;
}

const void* S2DInputPart::patches(const Pass& pass, float* pictures) {
  const S2DWeights& w = *weights_;
  if (stem_) return stem_->run(*pass.stream, *pass.arena, pictures, pass.scratch, nullptr);
  void* out = pass.arena->at(patches_);
  gather_patches(pictures, chunk_, w.side(), w.channels(),
                 static_cast<std::size_t>(w.sizes().patch_size), sizeof(float), out);
  return out;
}

void S2DInputPart::run(const Pass& pass, const S2DInput& input, float* patch_tokens,
                       float* map_tokens) {
  auto* pictures = pass.arena->at<float>(pictures_);
  load_pictures(input, pictures);
  const void* map = landmark_map(pass, input, pictures);
  prompt_proj_.run(*pass.stream, map, map_tokens, pass.scratch);
  patch_proj_.run(*pass.stream, patches(pass, pictures), patch_tokens, pass.scratch);
}

void put_planar(Tap& tap, const std::string& name, const float* tokens, std::size_t channels,
                std::size_t grid) {
  const std::size_t places = grid * grid;
  std::vector<float> planar(channels * places);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t p = 0; p < places; ++p) planar[c * places + p] = tokens[p * channels + c];
  }
  const auto g = static_cast<std::int64_t>(grid);
  tap.put(name, planar, {static_cast<std::int64_t>(channels), g, g});
}

}  // namespace mien::engine
