// Small models of every kind that can be exported.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "model_on_disk.h"

namespace mien::test {

struct ExportCase {
  std::string name;
  core::ModelConfig config;
  double budget = 0.0;  // as of OnnxOptions
};

inline void PrintTo(const ExportCase& c, std::ostream* out) {
  *out << c.name;
}

inline core::ModelConfig stem_adatosk_config() {
  core::ModelConfig config = small_adatosk_config();
  config.input.gray = true;
  config.adatosk.vit.in_chans = 1;
  config.adatosk.background = 0;
  config.adatosk.stem = {{8, 2}, {8, 2}, {12, 2}, {16, 2}};
  return config;
}

inline core::ModelConfig stem_s2d_config() {
  core::ModelConfig config = small_config(true);
  config.s2d.stem = {{8, 2}, {8, 2}, {12, 2}, {16, 2}};
  return config;
}

inline std::vector<ExportCase> export_cases() {
  std::vector<ExportCase> cases = {
      {"s2d_video", small_config(true)},
      {"s2d_stem", stem_s2d_config()},
      {"s2d_still", small_config(false)},
      {"s2d_without_trunk", small_config(true)},
      {"s2d_shallow", small_config(true)},
      {"videomae", small_videomae_config()},
      {"adatosk", small_adatosk_config()},
      {"adatosk_all", small_adatosk_config(), 1.0},
      {"adatosk_little", small_adatosk_config(), 0.2},
      {"adatosk_stem", stem_adatosk_config()},
      {"adatosk_agnostic", small_adatosk_config()},
      {"adatosk_semantic", small_adatosk_config()},
      {"adatosk_plain", small_adatosk_config()},
      {"adatosk_one_slot", small_adatosk_config()},
      {"adatosk_slotwise", small_adatosk_config()},
      {"landmark", landmark_config()},
  };
  for (ExportCase& c : cases) {
    if (c.name == "s2d_without_trunk") c.config.s2d.with_landmark = false;
    if (c.name == "s2d_shallow") c.config.s2d.deep_prompt = false;
    if (c.name == "adatosk_agnostic" || c.name == "adatosk_plain")
      c.config.adatosk.semantic = false;
    if (c.name == "adatosk_semantic" || c.name == "adatosk_plain")
      c.config.adatosk.agnostic = false;
    if (c.name == "adatosk_slotwise") {
      c.config.adatosk.slotwise = true;
      c.config.adatosk.agnostic_hidden = 6;
    }
    if (c.name == "adatosk_one_slot") c.config.adatosk.vit.num_frames = 2;
  }
  return cases;
}

}  // namespace mien::test
