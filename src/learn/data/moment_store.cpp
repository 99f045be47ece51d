#include "learn/data/moment_store.h"

#include "media/moment_composer.h"

namespace mien::learn {
namespace {

class MomentStore : public ClipStore {
 public:
  MomentStore(media::MomentComposer composer, std::size_t clips)
      : composer_(std::move(composer)), clips_(clips) {}

  const std::vector<std::string>& classes() const override { return composer_.classes(); }
  int side() const override { return composer_.options().size; }
  std::size_t size() const override { return clips_; }
  const std::string& id(std::size_t) const override { return kNoName; }
  const std::string& group(std::size_t) const override { return kNoName; }
  int label(std::size_t clip) const override { return composer_.label(clip); }
  std::span<const float> soft_target(std::size_t) const override { return {}; }
  std::int64_t frame_count(std::size_t) const override { return composer_.options().frames; }
  std::vector<float> course(std::size_t clip) const override { return composer_.course(clip); }
  Result<std::vector<std::uint8_t>> frames(std::size_t clip,
                                           std::span<const std::int64_t> indices) const override;

 private:
  static inline const std::string kNoName = "moment";

  media::MomentComposer composer_;
  std::size_t clips_;
};

Result<std::vector<std::uint8_t>> MomentStore::frames(std::size_t clip,
                                                      std::span<const std::int64_t> indices) const {
  if (clip >= clips_) return make_error(ErrorCode::kInvalidArgument, "no such moment");
  MIEN_TRY(check_frame_indices(indices, frame_count(clip), id(clip)));
  const media::Moment moment = composer_.compose(clip);
  const std::size_t area = static_cast<std::size_t>(side()) * static_cast<std::size_t>(side());
  std::vector<std::uint8_t> rgb(indices.size() * area * 3);
  std::size_t at = 0;
  for (const std::int64_t frame : indices) {
    const std::uint8_t* grey = moment.frames.data() + static_cast<std::size_t>(frame) * area;
    for (std::size_t i = 0; i < area; ++i, at += 3) {
      rgb[at] = rgb[at + 1] = rgb[at + 2] = grey[i];
    }
  }
  return rgb;
}

}  // namespace

Result<std::unique_ptr<ClipStore>> open_moments(const ClipData& data,
                                                const ClipDataOptions& options) {
  if (data.clips < 1 || options.passes < 1) {
    return make_error(ErrorCode::kInvalidArgument, "moments need 'clips', how many an epoch has",
                      data.source.path);
  }
  const media::MomentSource source{.images = data.source.path,
                                   .labels = data.labels,
                                   .landmarks = data.landmarks,
                                   .exclude = data.exclude};
  const media::MomentOptions moments{
      .seed = data.seed, .frames = options.clip_len, .size = options.side, .span = data.span};
  MIEN_ASSIGN(media::MomentComposer composer, media::MomentComposer::open(source, moments));
  if (composer.classes() != options.classes) {
    return make_error(ErrorCode::kInvalidArgument,
                      "moments show FERPlus's classes, and the model has others", data.labels);
  }
  return std::unique_ptr<ClipStore>(std::make_unique<MomentStore>(
      std::move(composer), static_cast<std::size_t>(data.clips * options.passes)));
}

}  // namespace mien::learn
