#include "learn/train_config_adatosk.h"

#include <utility>

#include "learn/toml_section.h"

namespace mien::learn {
namespace {

Error bad(const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, "'adatosk." + what);
}

// What says which of the model's blocks and masks there are.
void read_model_keys(Section& s, core::AdaToskConfig& model) {
  s.read("budget", model.budget);
  s.read("agnostic", model.agnostic);
  s.read("semantic", model.semantic);
  s.read("agnostic_hidden", model.agnostic_hidden);
  s.read("depth", model.vit.depth);
  s.read("slotwise", model.slotwise);
  s.read("gate", model.gate);
  s.read("decoder_dim", model.decoder_dim);
  s.read("decoder_depth", model.decoder_depth);
  s.read("decoder_heads", model.decoder_heads);
}

Status check_weights(const AdaToskTraining& t) {
  for (const auto& [name, weight] :
       {std::pair{"rec_weight", t.rec_weight}, std::pair{"cls_weight", t.cls_weight},
        std::pair{"aux_weight", t.aux_weight}, std::pair{"budget_weight", t.budget_weight},
        std::pair{"course_weight", t.course_weight}, std::pair{"mask_lr_scale", t.mask_lr_scale}}) {
    if (!(weight >= 0.0 && weight <= 1e6)) {
      return bad(std::string(name) + "' is not 0 or more");
    }
  }
  if (t.cls_weight <= 0.0 && t.rec_weight <= 0.0) {
    return bad("cls_weight' and 'adatosk.rec_weight' are both 0: there is nothing to learn");
  }
  return {};
}

// Sizes are bounded as in a model file (core/model_config.cpp).
Status check_sizes(const core::AdaToskConfig& model) {
  const auto outside = [](int value, int high) { return value < 1 || value > high; };
  if (outside(model.vit.depth, 64)) return bad("depth' is not in 1..64");
  if (model.agnostic_hidden < 0 || model.agnostic_hidden > 4096) {
    return bad("agnostic_hidden' is not in 0..4096");
  }
  if (outside(model.decoder_dim, 4096)) return bad("decoder_dim' is not in 1..4096");
  if (outside(model.decoder_depth, 64)) return bad("decoder_depth' is not in 1..64");
  if (outside(model.decoder_heads, 64)) return bad("decoder_heads' is not in 1..64");
  if (!(model.budget > 0.0 && model.budget <= 1.0)) return bad("budget' is not in (0, 1]");
  return {};
}

Status check(const TrainConfig& config) {
  const AdaToskTraining& t = config.adatosk;
  const core::AdaToskConfig& model = config.model.adatosk;
  MIEN_TRY(check_weights(t));
  MIEN_TRY(check_sizes(model));
  if (!(t.hard_ratio >= 0.0 && t.hard_ratio < 1.0)) return bad("hard_ratio' is not in [0, 1)");
  if (!(t.train_budget > 0.0 && t.train_budget <= 1.0)) {
    return bad("train_budget' is not in (0, 1]");
  }
  if (!(t.train_budget_low >= 0.0 && t.train_budget_low <= t.train_budget)) {
    return bad("train_budget_low' is not in [0, train_budget]");
  }
  if (t.hard_ratio > 0.0 && hidden_tokens(t.hard_mask, t.hard_ratio, model.vit) == 0) {
    return bad("hard_ratio' hides nothing of this model's clips");
  }
  if (t.rec_weight > 0.0 && t.hard_ratio <= 0.0) {
    return bad("rec_weight' needs 'adatosk.hard_ratio': what is hidden is rebuilt");
  }
  const bool shared = t.branches == AdaToskTraining::Branches::kShared;
  const bool drops = t.train_budget < 1.0 || t.train_budget_low > 0.0;
  if (shared && t.rec_weight > 0.0 && drops) {
    return bad(
        "branches' are shared: 'adatosk.train_budget' must be 1 and train_budget_low 0, or "
        "nothing is rebuilt from");
  }
  if (t.course_weight > 0.0 && !model.agnostic && !model.semantic) {
    return bad("course_weight' is for models with a soft mask");
  }
  if (shared && t.hard_ratio > 0.0 && t.course_weight > 0.0) {
    return bad(
        "course_weight' is for 'adatosk.branches' \"parallel\": a slot's mean is that of all");
  }
  if (!shared && t.hard_ratio > 0.0 && t.rec_weight <= 0.0) {
    return bad("hard_ratio' without 'adatosk.rec_weight' is for 'adatosk.branches' \"shared\"");
  }
  if (config.video.sdl) {
    return make_error(ErrorCode::kInvalidArgument, "'loss.sdl' is not for AdaTosk");
  }
  return core::validate(config.model);
}

}  // namespace

Status read_adatosk(const toml::table& root, TrainConfig& config) {
  if (config.model.arch != core::Arch::kAdaTosk) {
    if (!root.contains("adatosk")) return {};
    return make_error(ErrorCode::kInvalidArgument, "[adatosk] is for AdaTosk's presets only");
  }
  AdaToskTraining& t = config.adatosk;
  std::string hard_mask = "tube";
  std::string target = "norm_pix";
  std::string branches = "parallel";
  Section s(root["adatosk"].as_table(), "adatosk");
  s.read("branches", branches);
  s.read("hard_mask", hard_mask);
  s.read("hard_ratio", t.hard_ratio);
  s.read("blank_hidden", t.blank_hidden);
  s.read("target", target);
  s.read("rec_weight", t.rec_weight);
  s.read("cls_weight", t.cls_weight);
  s.read("aux_weight", t.aux_weight);
  s.read("budget_weight", t.budget_weight);
  s.read("course_weight", t.course_weight);
  s.read("mask_lr_scale", t.mask_lr_scale);
  s.read("train_budget", t.train_budget);
  s.read("train_budget_low", t.train_budget_low);
  read_model_keys(s, config.model.adatosk);
  MIEN_TRY(s.finish());
  const auto kind = hard_mask_kind(hard_mask);
  if (!kind) return bad("hard_mask': " + kind.error().message);
  const auto rebuilt = cube_target(target);
  if (!rebuilt) return bad("target': " + rebuilt.error().message);
  if (branches != "parallel" && branches != "shared") {
    return bad("branches' is neither \"parallel\" nor \"shared\"");
  }
  t.branches = branches == "shared" ? AdaToskTraining::Branches::kShared
                                    : AdaToskTraining::Branches::kParallel;
  t.hard_mask = *kind;
  t.target = *rebuilt;
  return check(config);
}

}  // namespace mien::learn
