#include "learn/models/hard_mask.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace mien::learn {
namespace {

// What is drawn as a whole: a place through all slots, a token, or a slot.
std::int64_t units_of(HardMaskKind kind, const core::VideoMaeConfig& c) {
  switch (kind) {
    case HardMaskKind::kTube: return static_cast<std::int64_t>(c.grid()) * c.grid();
    case HardMaskKind::kRandom: return c.tokens();
    case HardMaskKind::kFrame: return c.slots();
  }
  return c.tokens();
}

std::int64_t hidden_units(double ratio, std::int64_t units) {
  const auto hidden = static_cast<std::int64_t>(ratio * static_cast<double>(units));
  return std::clamp<std::int64_t>(hidden, 0, units - 1);
}

// true for `hidden` of `units`, every choice equally likely.
std::vector<bool> choose(std::int64_t hidden, std::int64_t units, core::Rng& rng) {
  std::vector<std::size_t> order(static_cast<std::size_t>(units));
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<bool> chosen(order.size(), false);
  for (std::size_t i = 0; i < static_cast<std::size_t>(hidden); ++i) {
    std::swap(order[i], order[i + rng.below(order.size() - i)]);
    chosen[order[i]] = true;
  }
  return chosen;
}

}  // namespace

Result<HardMaskKind> hard_mask_kind(const std::string& name) {
  if (name == "tube") return HardMaskKind::kTube;
  if (name == "random") return HardMaskKind::kRandom;
  if (name == "frame") return HardMaskKind::kFrame;
  return make_error(ErrorCode::kInvalidArgument,
                    "a hard mask is none of tube, random, frame: '" + name + "'");
}

std::int64_t hidden_tokens(HardMaskKind kind, double ratio, const core::VideoMaeConfig& config) {
  const std::int64_t units = units_of(kind, config);
  return hidden_units(ratio, units) * (config.tokens() / units);
}

HardMask draw_hard_mask(HardMaskKind kind, double ratio, const core::VideoMaeConfig& config,
                        std::int64_t clips, std::uint64_t seed) {
  const std::int64_t tokens = config.tokens();
  const std::int64_t places = static_cast<std::int64_t>(config.grid()) * config.grid();
  const std::int64_t units = units_of(kind, config);
  const std::int64_t hidden = hidden_tokens(kind, ratio, config);
  HardMask mask{torch::empty({clips, tokens - hidden}, torch::kLong),
                torch::empty({clips, hidden}, torch::kLong)};
  auto* visible_at = mask.visible.data_ptr<std::int64_t>();
  auto* hidden_at = mask.hidden.data_ptr<std::int64_t>();
  for (std::int64_t clip = 0; clip < clips; ++clip) {
    core::Rng rng(core::Rng::mix(seed, static_cast<std::uint64_t>(clip)));
    const std::vector<bool> chosen = choose(hidden_units(ratio, units), units, rng);
    for (std::int64_t token = 0; token < tokens; ++token) {
      std::int64_t unit = token;
      if (kind == HardMaskKind::kTube) unit = token % places;
      if (kind == HardMaskKind::kFrame) unit = token / places;
      auto& at = chosen[static_cast<std::size_t>(unit)] ? hidden_at : visible_at;
      *at++ = token;
    }
  }
  return mask;
}

torch::Tensor take_tokens(const torch::Tensor& tokens, const torch::Tensor& numbers) {
  if (tokens.dim() == 2) return tokens.index({numbers});
  return tokens.gather(1, numbers.unsqueeze(2).expand({-1, -1, tokens.size(2)}));
}

}  // namespace mien::learn
