#include "learn/losses/cube_targets.h"

#include <array>
#include <vector>

#include "learn/models/hard_mask.h"
#include "learn/models/videomae.h"

namespace mien::learn {

using torch::Tensor;

namespace {

constexpr double kDeviationFloor = 1e-6;  // official: added to the deviation

// A number per channel as [1, C, 1, 1, 1].
Tensor per_channel(const std::array<float, 3>& values, const Tensor& clips) {
  return torch::tensor(std::vector<float>(values.begin(), values.end()))
      .narrow(0, 0, clips.size(1))
      .view({1, -1, 1, 1, 1})
      .to(clips.device());
}

}  // namespace

Result<CubeTarget> cube_target(const std::string& name) {
  if (name == "norm_pix") return CubeTarget::kNormPix;
  if (name == "raw") return CubeTarget::kRaw;
  if (name == "frame_diff") return CubeTarget::kFrameDiff;
  return make_error(ErrorCode::kInvalidArgument,
                    "a target is none of norm_pix, raw, frame_diff: '" + name + "'");
}

Tensor cube_targets(const Tensor& clips, const Tensor& numbers, const core::VideoMaeConfig& c,
                    const core::InputNorm& input, CubeTarget kind) {
  const torch::NoGradGuard no_grad;
  const Tensor pixels =
      clips.to(torch::kFloat) * per_channel(input.std, clips) + per_channel(input.mean, clips);
  const std::int64_t clip_count = clips.size(0);
  const std::int64_t channels = clips.size(1);
  // Rows of (channel, position in the cube); as (position, channel) from here on.
  Tensor cubes = take_tokens(cube_rows(pixels, c), numbers)
                     .view({clip_count, numbers.size(1), channels, -1})
                     .transpose(2, 3);
  if (kind != CubeTarget::kRaw) {
    const Tensor centred = cubes - cubes.mean(2, true);
    const auto count = static_cast<double>(cubes.size(2));
    const Tensor variance = centred.square().sum(2, true) / (count - 1.0);
    cubes = centred / (variance.sqrt() + kDeviationFloor);
  }
  if (kind == CubeTarget::kFrameDiff) {
    const Tensor frames =
        cubes.reshape({clip_count, numbers.size(1), c.tubelet_size, -1, channels});
    const Tensor first = frames.narrow(2, 0, 1);
    const Tensor change =
        frames.narrow(2, 1, c.tubelet_size - 1) - frames.narrow(2, 0, c.tubelet_size - 1);
    cubes = torch::cat({first, change}, 2);
  }
  return cubes.reshape({clip_count, numbers.size(1), -1});
}

Tensor cube_loss(const Tensor& rebuilt, const Tensor& targets) {
  return (rebuilt.to(torch::kFloat) - targets).square().mean();
}

}  // namespace mien::learn
