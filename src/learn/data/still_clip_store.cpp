#include "learn/data/still_clip_store.h"

#include <cmath>
#include <numeric>

#include "learn/data/augment.h"
#include "learn/data/loader.h"
#include "learn/data/rng.h"
#include "learn/data/still_set.h"

namespace mien::learn {
namespace {

enum Purpose : std::uint64_t { kOrder = 0x57111, kView = 0x57112 };

// How far the camera moves while the clip lasts: what a hand-held one does in half a second.
const AugmentOptions kDrift = {.rotate_deg = 2.0, .scale = 0.02, .shift = 0.015, .flip = 0.0};

AugmentOptions still_augmentation() {
  AugmentOptions options;
  options.flip = 0.0;  // the loader mirrors clips
  return options;
}

double between(double a, double b, double at) {
  return a + (b - a) * at;
}

CropFrame between(const CropFrame& a, const CropFrame& b, double at) {
  CropFrame out = a;
  out.cx = between(a.cx, b.cx, at);
  out.cy = between(a.cy, b.cy, at);
  out.side = between(a.side, b.side, at);
  out.angle = between(a.angle, b.angle, at);
  return out;
}

class StillClipStore : public ClipStore {
 public:
  StillClipStore(StillSet set, std::vector<std::size_t> usable, const ClipData& data,
                 const ClipDataOptions& options)
      : set_(std::move(set)), options_(options), seed_(data.seed), moving_(data.clips > 0) {
    const std::size_t clips =
        moving_ ? static_cast<std::size_t>(data.clips * options.passes) : usable.size();
    for (std::uint64_t round = 0; order_.size() < clips; ++round) {
      Rng rng(Rng::mix(seed_, kOrder, round));
      if (moving_) {
        for (std::size_t i = usable.size(); i > 1; --i)
          std::swap(usable[i - 1], usable[rng.below(i)]);
      }
      const std::size_t wanted = std::min(usable.size(), clips - order_.size());
      order_.insert(order_.end(), usable.begin(),
                    usable.begin() + static_cast<std::ptrdiff_t>(wanted));
    }
  }

  const std::vector<std::string>& classes() const override { return set_.classes; }
  int side() const override { return options_.side; }
  std::size_t size() const override { return order_.size(); }
  const std::string& id(std::size_t clip) const override { return still(clip).name; }
  const std::string& group(std::size_t clip) const override { return still(clip).group; }
  int label(std::size_t clip) const override { return still(clip).majority; }
  std::span<const float> soft_target(std::size_t clip) const override { return still(clip).target; }
  std::int64_t frame_count(std::size_t) const override { return options_.clip_len; }
  Result<std::vector<std::uint8_t>> frames(std::size_t clip,
                                           std::span<const std::int64_t> indices) const override;

 private:
  const Still& still(std::size_t clip) const { return set_.stills[order_[clip]]; }

  StillSet set_;
  ClipDataOptions options_;
  std::uint64_t seed_;
  bool moving_;
  std::vector<std::size_t> order_;  // clip -> still
};

Result<std::vector<std::uint8_t>> StillClipStore::frames(
    std::size_t clip, std::span<const std::int64_t> indices) const {
  if (clip >= size()) return make_error(ErrorCode::kInvalidArgument, "no such still");
  MIEN_TRY(check_frame_indices(indices, frame_count(clip), id(clip)));
  const AugmentOptions augment = still_augmentation();
  CropFrame first = base_frame(still(clip), Framing::kExpression, options_.face_template);
  Rng rng(Rng::mix(seed_, kView, clip));
  if (moving_) first = jitter(first, augment, rng);
  const CropFrame last = moving_ ? jitter(first, kDrift, rng) : first;
  const std::size_t area = static_cast<std::size_t>(side()) * static_cast<std::size_t>(side());
  std::vector<float> luma(area);
  std::vector<std::uint8_t> rgb;
  rgb.reserve(indices.size() * area * 3);
  for (const std::int64_t frame : indices) {
    const double at = options_.clip_len > 1
                          ? static_cast<double>(frame) / static_cast<double>(options_.clip_len - 1)
                          : 0.0;
    render_crop(set_, still(clip), between(first, last, at), side(), luma);
    if (moving_) {
      Rng same = rng;  // the light stays, and so does what hides the face
      photometric(luma, side(), augment, same);
    }
    for (const float value : luma)
      rgb.insert(rgb.end(), 3, static_cast<std::uint8_t>(std::lround(255.0F * value)));
  }
  return rgb;
}

}  // namespace

Result<std::unique_ptr<ClipStore>> open_stills(const ClipData& data, const ClipDataOptions& options,
                                               std::string& said) {
  if (data.clips < 0 || options.passes < 1 || options.clip_len < 1 || options.side < 1) {
    return make_error(ErrorCode::kInvalidArgument, "a count or size of the stills is out of range",
                      data.source.path);
  }
  StillSource source;
  source.path = data.source.path;
  source.format = data.source.format;
  source.split = data.source.split;
  source.tenth = data.tenth;
  source.drop_classes = data.drop_classes;
  StillReport report;
  MIEN_ASSIGN(StillSet set, read_stills(source, options.classes, &report));
  LoaderOptions rules;
  rules.framing = Framing::kExpression;
  std::vector<std::size_t> usable;
  for (std::size_t i = 0; i < set.stills.size(); ++i) {
    if (is_usable(set.stills[i], rules)) usable.push_back(i);
  }
  if (usable.empty()) {
    return make_error(ErrorCode::kNotFound, "has no picture with a label", data.source.path);
  }
  said = std::to_string(usable.size()) + " stills from " + data.source.path + " (" +
         data.source.split + ")";
  if (data.clips > 0) said += ", " + std::to_string(data.clips) + " of them per epoch";
  if (report.skipped > 0) {
    said += ", " + std::to_string(report.skipped) + " unreadable, e.g. " + report.examples.front();
  }
  return std::unique_ptr<ClipStore>(
      std::make_unique<StillClipStore>(std::move(set), std::move(usable), data, options));
}

}  // namespace mien::learn
