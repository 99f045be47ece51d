// Which trainings and evaluations a sweep is made of, and where each leaves what it did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "learn/sweep_config.h"

namespace mien::cli {

// One evaluation of one model.
struct SweepMeasurement {
  std::string evaluation{};
  std::string key{};                     // stands for its settings
  std::string record{};                  // file of what was measured (learn/sweep_record.h)
  std::vector<std::string> arguments{};  // of mien-train
};

// One model: trained or given, and what is measured on it.
struct SweepRun {
  std::string row{};
  std::optional<std::int64_t> seed{};    // none: a given model, the same for all seeds
  bool wanted = true;                    // false: its results count, but nothing is done for it
  std::string problem{};                 // why it cannot be done; the rest is then empty
  std::string model{};                   // its file
  std::string folder{};                  // of the training; empty: a given model
  std::string log{};                     // what its programs say on stderr
  std::vector<std::string> arguments{};  // of mien-train, to train it; empty: a given model
  std::vector<SweepMeasurement> measurements{};

  // "with SDL, seed 1".
  std::string title() const;
};

// All runs in the order in which they are done: every row with the first seed, then with the next,
// so that the table is soon whole if not yet sure. Below `out`: runs/seed<S>-<hash>/ with the
// trainings, results/<hash>.json with the records. A training's hash is that of its whole config
// with the settings applied and of the contents of the models that it starts from; equal ones are
// one training, whatever their rows are called. A record's hash is that of the model (the
// training's hash, or a given model's contents) and the evaluation's options. What data folders
// hold is in neither. "{seed}" in a setting or in a given model's name stands for the seed. `only`
// names the rows that are wanted; empty: all.
std::vector<SweepRun> plan_sweep(const learn::SweepConfig& config, const std::string& out,
                                 const std::vector<std::string>& only);

}  // namespace mien::cli
