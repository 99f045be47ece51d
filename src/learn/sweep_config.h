// A table of experiments, as a TOML file in configs/sweeps/ says it: rows of settings, each trained
// with several seeds and measured in the same ways. Unknown keys are errors, as in a training's
// config.
//
//   title = "What the mask is worth"
//   base = "configs/adatosk-moments-tiny.toml"   # what rows train, unless they name another
//   seeds = [1, 2, 3]
//   set = ["train.epochs=4"]                     # of every row, as train's --set
//   baseline = "no mask"                         # the row that differences are taken to
//   figure = "war"                               # what the drawing shows
//   figures = ["mask.rho"]                       # further columns of table.md
//   [[prepare]]                                  # a mien command, run while `out` is absent
//   out = "cache/fresh/manifest.csv"
//   command = ["synth", "moments", "--out", "cache/fresh", ...]
//   [[eval]]                                     # options of mien eval but --model and --json
//   name = "fresh moments"
//   options = ["--data", "cache/fresh", "--format", "clips"]
//   [[row]]
//   name = "no mask"
//   set = ["adatosk.agnostic=false"]
//   [[row]]
//   name = "frame average"
//   model = "runs/s2d-tiny/model.safetensors"    # trains nothing; {seed} stands for the seed
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::learn {

struct SweepPreparation {
  std::string out{};                   // file or folder that the command makes
  std::vector<std::string> command{};  // of mien, without the program's name
};

struct SweepEvaluation {
  std::string name{};
  std::vector<std::string> options{};
};

struct SweepRow {
  std::string name{};
  std::string base{};                      // config that is trained; empty for a given model
  std::vector<std::string> sets{};         // key=value, those of the whole sweep first
  std::string model{};                     // given model; empty: the row trains one
  std::vector<std::string> evaluations{};  // names; empty: all
  std::vector<std::string> options{};      // further options of its evaluations

  // Whether this evaluation is made of it.
  bool is_for(const std::string& evaluation) const {
    return evaluations.empty() ||
           std::find(evaluations.begin(), evaluations.end(), evaluation) != evaluations.end();
  }
};

struct SweepConfig {
  std::string title{};
  std::string baseline{};  // empty: no differences
  std::string figure = "war";
  std::vector<std::string> figures{};
  std::vector<std::int64_t> seeds{};  // all different, 0..1e9
  std::vector<SweepPreparation> preparations{};
  std::vector<SweepEvaluation> evaluations{};  // at least one
  std::vector<SweepRow> rows{};                // at least one
};

// Reads a sweep file. Paths in it are relative to the folder that the program runs in, as those of
// a training's config. The training configs that it names are not read here. Errors name the file,
// the key and, for syntax, the line: those of core::read_text_file, kBadFormat, kInvalidArgument (a
// name twice or unknown, no seed, a row with both a model and settings, or with neither a model nor
// a base, settings that the sweep gives itself: run.name, run.seed, output.model).
Result<SweepConfig> read_sweep_config(const std::string& path);

}  // namespace mien::learn
