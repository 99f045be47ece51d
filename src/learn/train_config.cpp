#include "learn/train_config.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <sstream>

#include "core/files.h"
#include "core/labels.h"
#include "core/presets.h"
#include "learn/toml_section.h"
#include "learn/train_config_adatosk.h"
#include "learn/train_config_video.h"

namespace mien::learn {
namespace {

Status read_sources(const toml::table& root, const char* key, std::vector<StillSource>& out) {
  const toml::node_view<const toml::node> list = root["data"][key];
  if (!list) return {};
  if (!list.is_array()) {
    return make_error(ErrorCode::kInvalidArgument,
                      std::string("'data.") + key + "' is not a list of tables");
  }
  for (const toml::node& item : *list.as_array()) {
    StillSource source;
    if (std::string(key) == "valid") source.split = "valid";
    Section s(item.as_table(), std::string("data.") + key);
    s.read("path", source.path);
    s.read("format", source.format);
    s.read("split", source.split);
    s.read("weight", source.weight);
    s.read("labels", source.use_labels);
    s.read("points", source.use_points);
    s.read("tenth", source.tenth);
    s.read_list("drop_classes", source.drop_classes);
    MIEN_TRY(s.finish());
    if (source.tenth != "all" && source.tenth != "keep" && source.tenth != "held") {
      return make_error(ErrorCode::kInvalidArgument,
                        std::string("'data.") + key + ".tenth' is none of all, keep, held");
    }
    out.push_back(source);
  }
  return {};
}

Status read_model(const toml::table& root, TrainConfig& c) {
  std::string preset = "s2d-tiny";
  std::string classes = "ferplus";
  Section s(root["model"].as_table(), "model");
  s.read("preset", preset);
  MIEN_ASSIGN(c.model, core::find_preset(preset));
  core::S2DConfig& m = c.model.s2d;
  m.temporal = c.counts_clips();
  m.with_landmark = true;
  s.read("classes", classes);
  s.read("temporal", m.temporal);
  s.read("depth", m.depth);
  s.read("hidden_dim", m.hidden_dim);
  s.read("num_frames", m.num_frames);
  s.read("dropout", m.head_dropout_ratio);
  s.read("init", c.init);
  s.read("init_trunk", c.init_trunk);
  s.read("freeze_landmark", c.freeze_landmark);
  s.read("drop_path", c.drop_path);
  s.read("layer_drop", c.layer_drop);
  s.read("gray", c.model.input.gray);
  const bool gray = c.model.input.gray;
  c.model.input = {};
  c.model.input.gray = gray;
  if (gray) {  // three equal channels
    c.model.input.mean.fill(c.model.input.mean[0]);
    c.model.input.std.fill(c.model.input.std[0]);
  }
  MIEN_TRY(s.finish());
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set(classes));
  c.model.classes = labels.classes;
  m.num_classes = static_cast<int>(labels.size());
  c.model.videomae.num_classes = m.num_classes;
  c.model.adatosk.vit.num_classes = m.num_classes;
  const auto at_rest = std::find(labels.classes.begin(), labels.classes.end(), "neutral");
  c.model.adatosk.background =
      at_rest == labels.classes.end() ? -1 : static_cast<int>(at_rest - labels.classes.begin());
  if (!c.model.adatosk.stem.empty()) c.model.adatosk.vit.in_chans = gray ? 1 : 3;
  return core::validate(c.model);
}

Status read_augmentation(const toml::table& root, AugmentOptions& o) {
  Section s(root["augment"].as_table(), "augment");
  s.read("rotate_deg", o.rotate_deg);
  s.read("scale", o.scale);
  s.read("shift", o.shift);
  s.read("flip", o.flip);
  s.read("gamma", o.gamma);
  s.read("contrast", o.contrast);
  s.read("brightness", o.brightness);
  s.read("side_light", o.side_light);
  s.read("noise", o.noise);
  s.read("blur", o.blur);
  s.read("erase", o.erase);
  return s.finish();
}

Status read_sections(const toml::table& root, TrainConfig& c) {
  Section run(root["run"].as_table(), "run");
  run.read("name", c.name);
  run.read("seed", c.seed);
  run.read("threads", c.threads);
  run.read("checkpoint_minutes", c.checkpoint_minutes);
  run.read("precision", c.precision);
  run.read("device", c.device);
  MIEN_TRY(run.finish());
  Section data(root["data"].as_table(), "data");
  data.allow("train");
  data.allow("valid");
  data.read("balance", c.balance);
  data.read("fold", c.video.fold);
  MIEN_TRY(data.finish());
  Section t(root["train"].as_table(), "train");
  t.read("task", c.task);
  t.read("epochs", c.epochs);
  t.read("epoch_pictures", c.epoch_pictures);
  t.read("batch", c.batch);
  t.read("accumulate", c.accumulate);
  t.read("size", c.size);
  t.read("lr", c.lr);
  t.read("min_lr", c.min_lr);
  t.read("warmup_epochs", c.warmup_epochs);
  t.read("weight_decay", c.weight_decay);
  t.read("layer_decay", c.layer_decay);
  t.read("trunk_lr_scale", c.trunk_lr_scale);
  t.read("clip_grad", c.clip_grad);
  t.read("ema", c.ema);
  t.read("smoothing", c.smoothing);
  t.read("mixup", c.mixup);
  t.read("aux_weight", c.aux_weight);
  t.read("stem_only", c.stem_only);
  MIEN_TRY(t.finish());
  Section loss(root["loss"].as_table(), "loss");
  loss.read("points", c.points_weight);
  loss.read("expression", c.expression_weight);
  loss.read("sdl", c.video.sdl);
  loss.read("sdl_update_freq", c.video.sdl_update_freq);
  loss.read("sdl_epochs", c.video.sdl_epochs);
  MIEN_TRY(loss.finish());
  if (!c.counts_clips()) MIEN_TRY(read_augmentation(root, c.augment));
  Section output(root["output"].as_table(), "output");
  output.read("model", c.output);
  output.read("half", c.half);
  return output.finish();
}

Status check(const TrainConfig& c) {
  const auto bad = [](const std::string& what) {
    return make_error(ErrorCode::kInvalidArgument, what);
  };
  if (c.task != "expression" && c.task != "landmark" && c.task != "video")
    return bad("'train.task' is none of expression, landmark, video");
  if (c.accumulate < 1 || c.accumulate > 4096) return bad("'train.accumulate' is out of range");
  if (c.batch < 1 || c.batch > 65536) return bad("'train.batch' is out of range");
  if (!(c.epochs > 0.0)) return bad("'train.epochs' must be positive");
  if (c.size < 0 || c.size > 1024 || c.size % 8 != 0)
    return bad("'train.size' must be a multiple of 8 up to 1024");
  if (!(c.lr > 0.0)) return bad("'train.lr' must be positive");
  if (c.stem_only && !(c.aux_weight > 0.0))
    return bad("'train.stem_only' needs 'train.aux_weight'");
  if (!(c.layer_drop >= 0.0 && c.layer_drop < 1.0))
    return bad("'model.layer_drop' is not in [0, 1)");
  if (c.counts_clips() ? c.video.train.empty() : c.train.empty()) return bad("no [[data.train]]");
  if (c.name.empty() || c.name.find('/') != std::string::npos)
    return bad("'run.name' must be a plain name");
  if (c.precision != "auto" && c.precision != "f32" && c.precision != "bf16")
    return bad("'run.precision' is none of auto, f32, bf16");
  if (c.task == "expression" && c.model.arch != core::Arch::kS2D) {
    return bad("the task 'expression' is for S2D");
  }
  if ((c.task == "landmark") != (c.model.arch == core::Arch::kMobileFaceNet)) {
    return bad("the task 'landmark' goes with the preset 'landmark', and no other");
  }
  return {};
}

Error not_a_table(const std::string& key, const std::string& part) {
  return make_error(ErrorCode::kInvalidArgument,
                    "--set " + key + ": what holds '" + part + "' is not a table");
}

// One step down the path of a --set: into a table, which is made where there is none, or to an item
// of a list by its number.
Result<toml::node*> step_into(toml::node& at, const std::string& part, const std::string& key) {
  if (toml::array* list = at.as_array()) {
    std::size_t index = 0;
    const char* end = part.data() + part.size();
    const auto read = std::from_chars(part.data(), end, index);
    if (read.ec != std::errc() || read.ptr != end || index >= list->size()) {
      return make_error(ErrorCode::kInvalidArgument,
                        "--set " + key + ": '" + part + "' is none of the list's " +
                            std::to_string(list->size()) + " items, which count from 0");
    }
    return list->get(index);
  }
  toml::table* table = at.as_table();
  if (table == nullptr) return not_a_table(key, part);
  return &table->insert(part, toml::table{}).first->second;
}

// "train.lr=1e-4" applied to the table; "data.train.0.clips=400" reaches into a list. A value that
// is not TOML is taken as text.
Status apply_set(toml::table& root, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      "--set wants key=value, not '" + assignment + "'");
  }
  const std::string key = assignment.substr(0, equals);
  const std::string value = assignment.substr(equals + 1);
  toml::table parsed;
  try {
    parsed = toml::parse("value = " + value);
  } catch (const toml::parse_error&) {
    parsed.insert_or_assign("value", value);
  }
  toml::node* at = &root;
  std::size_t start = 0;
  for (std::size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', start)) {
    MIEN_ASSIGN(at, step_into(*at, key.substr(start, dot - start), key));
    start = dot + 1;
  }
  const std::string last = key.substr(start);
  toml::table* table = at->as_table();
  if (table == nullptr) return not_a_table(key, last);
  parsed.get("value")->visit([&](auto& node) { table->insert_or_assign(last, node); });
  return {};
}

}  // namespace

Result<TrainConfig> read_train_config(const std::string& path,
                                      const std::vector<std::string>& sets) {
  MIEN_ASSIGN(const std::string text, core::read_text_file(path, 1 << 20));
  try {
    toml::table root = toml::parse(text, path);
    for (const std::string& assignment : sets) MIEN_TRY(apply_set(root, assignment));
    static const std::set<std::string> kSections = {
        "run", "model", "data", "train", "loss", "augment", "output", "video", "mixup", "adatosk"};
    for (const auto& [key, value] : root) {
      if (!kSections.contains(std::string(key.str()))) {
        return make_error(ErrorCode::kInvalidArgument,
                          "'" + std::string(key.str()) + "' is not a known section", path);
      }
    }
    TrainConfig config;
    config.name = std::filesystem::path(path).stem().string();
    config.task = root["train"]["task"].value_or(config.task);  // decides what other keys mean
    Status status = read_model(root, config);
    if (status.ok()) status = read_sections(root, config);
    if (config.counts_clips()) {
      if (status.ok()) status = read_video(root, config);
    } else {
      if (status.ok()) status = read_sources(root, "train", config.train);
      if (status.ok()) status = read_sources(root, "valid", config.valid);
    }
    if (status.ok()) status = read_adatosk(root, config);
    if (status.ok()) status = check(config);
    if (!status.ok()) return status.error().within(path);
    std::ostringstream resolved;
    resolved << root;
    config.source_text = resolved.str();
    return config;
  } catch (const toml::parse_error& e) {
    return make_error(
        ErrorCode::kBadFormat,
        "line " + std::to_string(e.source().begin.line) + ": " + std::string(e.description()),
        path);
  }
}

}  // namespace mien::learn
