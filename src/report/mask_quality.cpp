#include "report/mask_quality.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "report/rank_correlation.h"

namespace mien::report {
namespace {

// Intensities come as decimals, and 0.9 times one of them is not exact.
constexpr double kRounding = 1e-9;

Error refused(const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, "a mask's view: " + what);
}

Status check_view(const MaskView& view, std::size_t slots) {
  if (slots < 2) return refused("fewer than two slots");
  if (view.mask.empty() || view.mask.size() % slots != 0) {
    return refused(std::to_string(view.mask.size()) + " values for " + std::to_string(slots) +
                   " slots");
  }
  if (view.kept.size() != view.mask.size()) return refused("other tokens are kept than it has");
  if (view.intensity.empty() || view.intensity.size() % slots != 0) {
    return refused(std::to_string(view.intensity.size()) + " frames for " + std::to_string(slots) +
                   " slots");
  }
  return {};
}

template <typename Value>
std::vector<double> means_of_slots(std::span<const Value> values, std::size_t slots) {
  const std::size_t each = values.size() / slots;
  std::vector<double> means(slots);
  for (std::size_t s = 0; s < slots; ++s) {
    double sum = 0.0;
    for (const Value value : values.subspan(s * each, each)) sum += static_cast<double>(value);
    means[s] = sum / static_cast<double>(each);
  }
  return means;
}

// How many tokens of each slot are kept.
std::vector<std::int64_t> kept_of_slots(std::span<const std::uint8_t> kept, std::size_t slots) {
  const std::size_t each = kept.size() / slots;
  std::vector<std::int64_t> counts(slots, 0);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] != 0) ++counts[i / each];
  }
  return counts;
}

// What a view adds to the count of apex frames.
struct Apex {
  std::int64_t frames = 0;
  std::int64_t kept = 0;
  double chance = 0.0;  // that random dropping keeps a slot's share
};

Result<Apex> look_at_apex(const MaskView& view, std::size_t slots, double peak) {
  const std::vector<std::int64_t> kept = kept_of_slots(view.kept, slots);
  std::int64_t all = 0;
  for (const std::int64_t count : kept) all += count;
  if (all == 0) return refused("no token is kept");
  const auto tokens = static_cast<std::int64_t>(view.kept.size());
  const auto parts = static_cast<std::int64_t>(slots);
  const std::int64_t even_share = (all + parts - 1) / parts;  // of whole tokens
  Apex apex;
  apex.chance = chance_of_keeping(tokens, all, tokens / parts, even_share);
  const std::size_t frames_each = view.intensity.size() / slots;
  for (std::size_t t = 0; t < view.intensity.size(); ++t) {
    if (view.intensity[t] < kApexShare * peak - kRounding) continue;
    ++apex.frames;
    if (kept[t / frames_each] >= even_share) ++apex.kept;
  }
  return apex;
}

}  // namespace

double chance_of_keeping(std::int64_t tokens, std::int64_t kept, std::int64_t places,
                         std::int64_t least) {
  const std::int64_t others = tokens - places;
  const std::int64_t low = std::max(std::int64_t{0}, kept - others);
  const std::int64_t high = std::min(kept, places);
  // Odds of x kept tokens in the slot against those of the likeliest number, so that none
  // overflows: C(places, x) C(others, kept - x), each from its neighbour's.
  const std::int64_t likeliest = std::clamp((kept + 1) * (places + 1) / (tokens + 2), low, high);
  double all = 0.0;
  double enough = 0.0;
  const auto count = [&](std::int64_t x, double odds) {
    all += odds;
    if (x >= least) enough += odds;
  };
  double odds = 1.0;
  for (std::int64_t x = likeliest; x <= high; ++x) {
    count(x, odds);
    odds *= static_cast<double>((places - x) * (kept - x)) /
            static_cast<double>((x + 1) * (others - kept + x + 1));
  }
  odds = 1.0;
  for (std::int64_t x = likeliest; x > low; --x) {
    odds *= static_cast<double>(x * (others - kept + x)) /
            static_cast<double>((places - x + 1) * (kept - x + 1));
    count(x - 1, odds);
  }
  return enough / all;
}

Status MaskScores::add(std::span<const MaskView> views, std::size_t slots, double peak) {
  if (!mask_sum_.empty() && mask_sum_.size() != slots) return refused("other slots than before");
  double rhos = 0.0;
  std::vector<double> mask_sum(slots, 0.0);
  std::vector<std::vector<double>> truths;
  Apex clip;
  double chances = 0.0;
  for (const MaskView& view : views) {
    MIEN_TRY(check_view(view, slots));
    const std::vector<double> truth = means_of_slots(view.intensity, slots);
    const std::vector<double> mask = means_of_slots(view.mask, slots);
    MIEN_ASSIGN(const double rho, spearman_rho(mask, truth));
    if (std::equal(truth.begin() + 1, truth.end(), truth.begin())) continue;
    MIEN_ASSIGN(const Apex apex, look_at_apex(view, slots, peak));
    rhos += std::isnan(rho) ? 0.0 : rho;
    for (std::size_t s = 0; s < slots; ++s) mask_sum[s] += mask[s];
    truths.push_back(truth);
    clip.frames += apex.frames;
    clip.kept += apex.kept;
    chances += apex.chance * static_cast<double>(apex.frames);
  }
  if (truths.empty()) return {};
  ++clips_;
  rho_sum_ += rhos / static_cast<double>(truths.size());
  mask_sum_.resize(slots, 0.0);
  for (std::size_t s = 0; s < slots; ++s) mask_sum_[s] += mask_sum[s];
  truths_.push_back(std::move(truths));
  apex_frames_ += clip.frames;
  kept_frames_ += clip.kept;
  chance_sum_ += chances;
  return {};
}

double MaskScores::place_correlation() const {
  double sum = 0.0;
  for (const auto& views : truths_) {
    double rhos = 0.0;
    for (const std::vector<double>& truth : views) {
      const auto rho = spearman_rho(mask_sum_, truth);
      rhos += rho.ok() && !std::isnan(*rho) ? *rho : 0.0;
    }
    sum += rhos / static_cast<double>(views.size());
  }
  return sum / static_cast<double>(truths_.size());
}

MaskQuality MaskScores::quality() const {
  MaskQuality quality{.clips = clips_, .apex_frames = apex_frames_};
  if (clips_ > 0) {
    quality.rank_correlation = rho_sum_ / static_cast<double>(clips_);
    quality.rank_correlation_place = place_correlation();
  }
  if (apex_frames_ > 0) {
    const auto frames = static_cast<double>(apex_frames_);
    quality.apex_kept = static_cast<double>(kept_frames_) / frames;
    quality.apex_kept_random = chance_sum_ / frames;
  }
  return quality;
}

}  // namespace mien::report
