// What a sweep keeps of one evaluation: the document that `mien eval --json` printed, and under
// which settings, so that a later start knows whether it still holds.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mien/result.hpp"

namespace mien::learn {

using SweepFigures = std::vector<std::pair<std::string, double>>;

struct SweepRecord {
  double seconds = 0;  // that the evaluation took, its start included
  SweepFigures figures{};
};

// The numbers of an evaluation's document, in its order. Those within objects have dotted names
// ("mask.rho"). Of lists, only objects with a `name` or a `budget` count: "budgets[0.5].war". Left
// out: `protocol`, `ci`, `std` and `pooled`, which say how sure the others are. Errors kBadFormat
// (context: `context`): no JSON, or no object.
Result<SweepFigures> sweep_figures(const std::string& json, const std::string& context);

// Writes a record as a whole. `key` stands for the settings. Errors as of sweep_figures and
// core::write_file_atomically.
Status write_sweep_record(const std::string& path, const std::string& key, double seconds,
                          const std::string& json);

// Errors: kNotFound when there is none, or one of other settings; those of sweep_figures.
Result<SweepRecord> read_sweep_record(const std::string& path, const std::string& key);

}  // namespace mien::learn
