#include "media/moment_composer.h"

#include <algorithm>
#include <span>

#include "media/moment_render.h"
#include "media/moment_script.h"

namespace mien::media {
namespace {

// Neutral clips in which one neutral face turns into another: without them any change at all would
// give an expression away.
constexpr double kChangingNeutral = 0.7;
// Distractors that are neutral themselves.
constexpr double kNeutralDistractor = 0.3;
// Where the collection has one, the neutral picture of the same person is taken so often.
constexpr double kSamePerson = 0.8;
// Keeps this use of a seed apart from others of the same number.
constexpr std::uint64_t kStream = 0x6D6F6D656E74;
constexpr std::uint64_t kCutStream = 0x637574;
constexpr int kMostFrames = 256;

Error refused(const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, what);
}

Status check_options(const MomentOptions& options) {
  if (options.frames < kLeastMomentFrames || options.frames > kMostFrames) {
    return refused("a moment of " + std::to_string(options.frames) + " frames (8..256)");
  }
  if (options.span != 0 && (options.span < options.frames || options.span > kMostFrames)) {
    return refused("clips of " + std::to_string(options.frames) + " frames out of moments of " +
                   std::to_string(options.span) + " (at most 256, and not fewer than the clip's)");
  }
  if (options.size < 16 || options.size > 512) {
    return refused("moments of " + std::to_string(options.size) + " pixels (16..512)");
  }
  if (!(options.even_share >= 0.0 && options.even_share <= 1.0)) {
    return refused("the even share is outside 0..1");
  }
  return {};
}

Status check_stills(const MomentStills& stills) {
  for (const MomentStill& still : stills.stills) {
    const bool label_fits =
        still.label >= 0 && still.label < static_cast<int>(stills.classes.size());
    const bool size_fits =
        still.width >= 8 && still.height >= 8 && still.offset <= stills.luma.size() &&
        static_cast<std::size_t>(still.width) * static_cast<std::size_t>(still.height) <=
            stills.luma.size() - still.offset;
    if (!label_fits || !size_fits) {
      return make_error(ErrorCode::kInvalidArgument, "a label or size that does not fit",
                        still.name);
    }
  }
  return {};
}

std::size_t pick(const std::vector<std::size_t>& from, core::Rng& rng) {
  return from[rng.below(from.size())];
}

// The distraction of a frame; nothing when there is none.
const Distraction* distraction_at(const MomentScript& script, int frame, std::size_t& index) {
  for (index = 0; index < script.distractions.size(); ++index) {
    const Distraction& d = script.distractions[index];
    if (frame >= d.first && frame <= d.last) return &d;
  }
  return nullptr;
}

// The first of `frames` frames in a row: around a frame of the apex with nothing before the face,
// anywhere when nothing arises.
int cut_at(const MomentScript& script, int frames, core::Rng& rng) {
  const int last_start = static_cast<int>(script.curve.size()) - frames;
  std::vector<int> seen;
  for (int t = script.apex_first; t <= script.apex_last; ++t) {
    if (!script.occluded(t)) seen.push_back(t);
  }
  int from = 0;
  int to = last_start;
  if (!seen.empty()) {
    const int shown = seen[rng.below(seen.size())];
    from = std::max(0, shown - frames + 1);
    to = std::min(shown, last_start);
  }
  return from + static_cast<int>(rng.below(static_cast<std::uint64_t>(to - from + 1)));
}

}  // namespace

Result<MomentComposer> MomentComposer::open(const MomentSource& source,
                                            const MomentOptions& options) {
  MIEN_TRY(check_options(options));
  // Twice the clip's own resolution is all that can be seen of a picture.
  MIEN_ASSIGN(MomentStills stills, read_moment_stills(source, 2 * options.size));
  auto composer = create(std::move(stills), options);
  if (!composer.ok()) return composer.error().within(source.labels);
  return composer;
}

Result<MomentComposer> MomentComposer::create(MomentStills stills, const MomentOptions& options) {
  MIEN_TRY(check_options(options));
  MIEN_TRY(check_stills(stills));
  const auto neutral = std::find(stills.classes.begin(), stills.classes.end(), "neutral");
  if (neutral == stills.classes.end()) return refused("has no class 'neutral'");
  MomentComposer out;
  out.options_ = options;
  out.neutral_ = static_cast<int>(neutral - stills.classes.begin());
  out.by_class_.resize(stills.classes.size());
  for (std::size_t i = 0; i < stills.stills.size(); ++i) {
    out.by_class_[static_cast<std::size_t>(stills.stills[i].label)].push_back(i);
  }
  for (std::size_t c = 0; c < out.by_class_.size(); ++c) {
    if (!out.by_class_[c].empty()) out.present_.push_back(static_cast<int>(c));
  }
  out.neutrals_by_person_ = out.by_class_[static_cast<std::size_t>(out.neutral_)];
  if (out.neutrals_by_person_.size() < 2) {
    return refused("gives fewer than two clearly neutral pictures");
  }
  if (out.present_.size() < 2) return refused("gives no clear expression besides neutral");
  std::stable_sort(out.neutrals_by_person_.begin(), out.neutrals_by_person_.end(),
                   [&](std::size_t a, std::size_t b) {
                     return stills.stills[a].person < stills.stills[b].person;
                   });
  out.maps_ = map_faces(stills);
  out.stills_ = std::move(stills);
  return out;
}

std::size_t MomentComposer::draw_target(core::Rng& rng) const {
  if (rng.chance(options_.even_share)) {
    const int label = present_[rng.below(present_.size())];
    return pick(by_class_[static_cast<std::size_t>(label)], rng);
  }
  return static_cast<std::size_t>(rng.below(stills_.stills.size()));
}

std::size_t MomentComposer::draw_base(std::size_t target, core::Rng& rng) const {
  const std::string& person = stills_.stills[target].person;
  const auto range = std::ranges::equal_range(
      neutrals_by_person_, person, {},
      [&](std::size_t i) -> const std::string& { return stills_.stills[i].person; });
  if (!range.empty() && rng.chance(kSamePerson)) {
    const auto offset = static_cast<std::ptrdiff_t>(
        rng.below(static_cast<std::uint64_t>(range.end() - range.begin())));
    const std::size_t same = *(range.begin() + offset);
    if (same != target) return same;
  }
  const std::size_t count = neutrals_by_person_.size();
  const auto at = static_cast<std::size_t>(rng.below(count));
  const std::size_t base = neutrals_by_person_[at];
  return base != target ? base : neutrals_by_person_[(at + 1) % count];
}

std::size_t MomentComposer::draw_distractor(int label, core::Rng& rng) const {
  const auto& neutrals = by_class_[static_cast<std::size_t>(neutral_)];
  if (rng.chance(kNeutralDistractor)) return pick(neutrals, rng);
  const auto at = static_cast<std::size_t>(rng.below(present_.size()));
  for (std::size_t n = 0; n < present_.size(); ++n) {
    const int other = present_[(at + n) % present_.size()];
    if (other != label && other != neutral_) {
      return pick(by_class_[static_cast<std::size_t>(other)], rng);
    }
  }
  return pick(neutrals, rng);  // there is only one expression
}

int MomentComposer::label(std::uint64_t index) const {
  core::Rng rng(core::Rng::mix(options_.seed, index, kStream));
  return stills_.stills[draw_target(rng)].label;
}

// All that is drawn at random of a clip, but for its frames' noise.
struct MomentComposer::Plan {
  std::uint64_t seed = 0;
  std::size_t target = 0;  // pictures
  std::size_t base = 0;
  std::vector<std::size_t> distractors;  // of the script's distractions
  int label = 0;
  MomentScript script;
  int first = 0;  // the script's frame that the clip begins with
};

MomentComposer::Plan MomentComposer::plan(std::uint64_t index) const {
  Plan plan;
  plan.seed = core::Rng::mix(options_.seed, index, kStream);
  core::Rng rng(plan.seed);
  plan.target = draw_target(rng);
  plan.label = stills_.stills[plan.target].label;
  plan.base = draw_base(plan.target, rng);
  const bool arises = plan.label != neutral_ || rng.chance(kChangingNeutral);
  plan.script = draw_script(std::max(options_.span, options_.frames), arises, rng);
  for (std::size_t i = 0; i < plan.script.distractions.size(); ++i) {
    plan.distractors.push_back(draw_distractor(plan.label, rng));
  }
  // Of a generator of its own: clips that are not cut stay what they are.
  core::Rng cut_rng(core::Rng::mix(plan.seed, kCutStream));
  plan.first = cut_at(plan.script, options_.frames, cut_rng);
  return plan;
}

std::vector<float> MomentComposer::course(std::uint64_t index) const {
  const Plan plan = this->plan(index);
  if (plan.label == neutral_) return std::vector<float>(static_cast<std::size_t>(options_.frames));
  const auto begin = plan.script.curve.begin() + plan.first;
  return {begin, begin + options_.frames};
}

Moment MomentComposer::compose(std::uint64_t index) const {
  const Plan plan = this->plan(index);
  const MomentScript& script = plan.script;
  Moment out;
  out.label = plan.label;
  out.person = stills_.stills[plan.target].person;
  const std::size_t area =
      static_cast<std::size_t>(options_.size) * static_cast<std::size_t>(options_.size);
  out.frames.resize(static_cast<std::size_t>(options_.frames) * area);
  MomentRenderer renderer(stills_, maps_, options_.size);
  for (int t = plan.first; t < plan.first + options_.frames; ++t) {
    const float weight = script.curve[static_cast<std::size_t>(t)];
    std::vector<SeenFace> faces = {{plan.base, 1.0}};
    std::size_t which = 0;
    const Distraction* distraction = distraction_at(script, t, which);
    if (weight > 0.0F) {
      faces = {{plan.base, 1.0 - static_cast<double>(weight)},
               {plan.target, static_cast<double>(weight)}};
    } else if (distraction != nullptr) {
      faces = {{plan.base, 1.0 - distraction->weight},
               {plan.distractors[which], distraction->weight}};
    }
    renderer.draw(
        script, t, faces, core::Rng::mix(plan.seed, static_cast<std::uint64_t>(t)),
        std::span(out.frames).subspan(static_cast<std::size_t>(t - plan.first) * area, area));
    out.intensity.push_back(plan.label == neutral_ ? 0.0F : weight);
    out.occluded.push_back(script.occluded(t) ? 1 : 0);
    out.distractor.push_back(distraction != nullptr && !(weight > 0.0F)
                                 ? static_cast<float>(distraction->weight)
                                 : 0.0F);
  }
  return out;
}

}  // namespace mien::media
