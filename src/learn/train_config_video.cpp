#include "learn/train_config_video.h"

#include "learn/toml_section.h"

namespace mien::learn {
namespace {

Error bad(const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, what);
}

Status read_clips(const toml::table& root, const char* key, std::vector<ClipData>& out) {
  const toml::node_view<const toml::node> list = root["data"][key];
  if (!list) return {};
  if (!list.is_array()) return bad(std::string("'data.") + key + "' is not a list of tables");
  for (const toml::node& item : *list.as_array()) {
    ClipData data;
    data.source.split = key;
    Section s(item.as_table(), std::string("data.") + key);
    s.read("path", data.source.path);
    s.read("format", data.source.format);
    s.read("split", data.source.split);
    s.read("fold", data.source.fold);
    s.read("annotation", data.source.annotation);
    s.read("labels", data.labels);
    s.read("landmarks", data.landmarks);
    s.read("exclude", data.exclude);
    s.read("clips", data.clips);
    s.read("seed", data.seed);
    s.read("span", data.span);
    s.read("tenth", data.tenth);
    s.read_list("drop_classes", data.drop_classes);
    MIEN_TRY(s.finish());
    if (data.source.path.empty()) return bad(std::string("'data.") + key + "' lacks a path");
    if (data.moments() && data.clips < 1) {
      return bad(std::string("'data.") + key + ".clips' is missing: how many an epoch has");
    }
    if (data.clips < 0 || data.clips > 100'000'000) {
      return bad(std::string("'data.") + key + ".clips' is out of range");
    }
    if (data.span < 0 || data.span > 256 || (data.span > 0 && !data.moments())) {
      return bad(std::string("'data.") + key + ".span' is for moments, up to 256 frames");
    }
    if (data.moments() && data.labels.empty()) {
      return bad(std::string("'data.") + key +
                 ".labels' is missing: moments are made of labelled"
                 " stills");
    }
    out.push_back(std::move(data));
  }
  return {};
}

Status read_clip_augmentation(const toml::table& root, ClipAugmentOptions& o) {
  Section a(root["augment"].as_table(), "augment");
  a.read("rand_ops", o.rand_augment.ops);
  a.read("rand_magnitude", o.rand_augment.magnitude);
  a.read("rand_magnitude_std", o.rand_augment.magnitude_std);
  a.read("rand_probability", o.rand_augment.probability);
  a.read("crop_scale_low", o.crop_scale_low);
  a.read("crop_scale_high", o.crop_scale_high);
  a.read("crop_ratio", o.crop_ratio);
  a.read("flip", o.flip);
  a.read("erase", o.erase);
  MIEN_TRY(a.finish());
  const auto share = [](double value) { return value >= 0.0 && value <= 1.0; };
  if (!share(o.crop_scale_low) || !share(o.crop_scale_high) ||
      o.crop_scale_low > o.crop_scale_high) {
    return bad("'augment.crop_scale_low' and '..._high' are not 0 <= low <= high <= 1");
  }
  if (!share(o.flip) || !share(o.erase) || !share(o.rand_augment.probability)) {
    return bad("'augment.flip', 'erase' and 'rand_probability' are probabilities");
  }
  if (o.rand_augment.ops < 0 || o.rand_augment.ops > 100 || !(o.crop_ratio >= 1.0)) {
    return bad("'augment.rand_ops' or 'augment.crop_ratio' is out of range");
  }
  return {};
}

Status check(const VideoConfig& v) {
  if (v.rate < 1 || v.rate > 1000) return bad("'video.rate' is out of range");
  if (v.side < 0 || v.side > 1024) return bad("'video.side' is out of range");
  if (!cuts_to_faces(v.faces, "").ok()) return bad("'video.faces' is none of auto, whole, detect");
  if (v.detector.empty()) return bad("'video.detector' is empty");
  if (v.workers < 0 || v.workers > 256) return bad("'video.workers' is out of range");
  if (v.mix.mixup_alpha < 0.0 || v.mix.cutmix_alpha < 0.0)
    return bad("'mixup' alphas are negative");
  if (v.sdl_update_freq < 1) return bad("'loss.sdl_update_freq' must be positive");
  if (!(v.sdl_epochs >= 0.0 && v.sdl_epochs <= 1e6))
    return bad("'loss.sdl_epochs' is out of range");
  return {};
}

}  // namespace

bool ClipData::stills() const {
  for (const char* format : {"ferplus", "faces", "rafdb", "affectnet"}) {
    if (source.format == format) return true;
  }
  return false;
}

Status read_video(const toml::table& root, TrainConfig& config) {
  VideoConfig& v = config.video;
  MIEN_TRY(read_clips(root, "train", v.train));
  MIEN_TRY(read_clips(root, "valid", v.valid));
  if (v.fold != 0) {
    for (ClipData& data : v.train) data.source.fold = v.fold;
    for (ClipData& data : v.valid) data.source.fold = v.fold;
  }
  Section s(root["video"].as_table(), "video");
  s.read("rate", v.rate);
  s.read("side", v.side);
  s.read("storage", v.storage);
  s.read("cache", v.cache);
  s.read("faces", v.faces);
  s.read("detector", v.detector);
  s.read("workers", v.workers);
  s.read("strict", v.strict);
  s.read("recompute", v.recompute);
  s.read_list("trainable", v.trainable);
  MIEN_TRY(s.finish());
  Section m(root["mixup"].as_table(), "mixup");
  m.read("mixup", v.mix.mixup_alpha);
  m.read("cutmix", v.mix.cutmix_alpha);
  m.read("probability", v.mix.probability);
  m.read("cutmix_share", v.mix.cutmix_share);
  MIEN_TRY(m.finish());
  MIEN_TRY(read_clip_augmentation(root, v.clips));
  return check(v);
}

}  // namespace mien::learn
