#include "cli/sweep_plan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "core/files.h"
#include "learn/train_config.h"

namespace mien::cli {
namespace {

// FNV-1a, 64 bits.
class Hash {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
      value_ = (value_ ^ std::to_integer<std::uint64_t>(byte)) * 1099511628211ULL;
    }
  }
  // With its length, so that two texts are not the same as one that is both together.
  void add(std::string_view words) {
    const std::string length = std::to_string(words.size()) + ":";
    add(std::as_bytes(std::span(length.data(), length.size())));
    add(std::as_bytes(std::span(words.data(), words.size())));
  }
  std::string text() const {
    std::array<char, 24> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(value_));
    return digits.data();
  }

 private:
  std::uint64_t value_ = 14695981039346656037ULL;
};

// The contents of a model file; a word of its own where there is none to read.
void add_file(Hash& hash, const std::string& path) {
  const auto file = core::MappedFile::open(path);
  if (file.ok()) {
    hash.add(file->bytes());
  } else {
    hash.add(std::string_view("absent"));
  }
}

std::string with_seed(std::string text, std::int64_t seed) {
  constexpr std::string_view kPlace = "{seed}";
  for (std::size_t at = text.find(kPlace); at != std::string::npos; at = text.find(kPlace, at)) {
    const std::string digits = std::to_string(seed);
    text.replace(at, kPlace.size(), digits);
    at += digits.size();
  }
  return text;
}

// Fills in the training of a run and returns what stands for it.
std::string plan_training(const learn::SweepRow& row, std::int64_t seed, const std::string& out,
                          SweepRun& run) {
  std::vector<std::string> sets;
  for (const std::string& assignment : row.sets) sets.push_back(with_seed(assignment, seed));
  sets.push_back("run.seed=" + std::to_string(seed));
  sets.emplace_back("output.model=\"\"");  // it goes to the run's folder
  const auto config = learn::read_train_config(row.base, sets);
  if (!config.ok()) {
    run.problem = config.error().to_string();
    return {};
  }
  Hash hash;
  hash.add(config->source_text);
  for (const std::string& start : {config->init, config->init_trunk}) {
    if (!start.empty()) add_file(hash, start);
  }
  const std::string name = "seed" + std::to_string(seed) + "-" + hash.text();
  const std::string runs = out + "/runs";
  run.folder = runs + "/" + name;
  run.model = run.folder + "/model.safetensors";
  run.log = run.folder + "/log.txt";
  run.arguments = {"train", row.base, "--runs", runs, "--resume"};
  sets.push_back("run.name=\"" + name + "\"");
  for (const std::string& assignment : sets) {
    run.arguments.insert(run.arguments.end(), {"--set", assignment});
  }
  return hash.text();
}

std::string identity_of_file(const std::string& path) {
  Hash hash;
  hash.add(path);
  add_file(hash, path);
  return hash.text();
}

void plan_measurements(const learn::SweepConfig& config, const learn::SweepRow& row,
                       const std::string& out, const std::string& model_identity, SweepRun& run) {
  for (const learn::SweepEvaluation& evaluation : config.evaluations) {
    if (!row.is_for(evaluation.name)) continue;
    std::vector<std::string> options = evaluation.options;
    options.insert(options.end(), row.options.begin(), row.options.end());
    Hash hash;
    hash.add(model_identity);
    for (const std::string& option : options) hash.add(option);
    SweepMeasurement measurement;
    measurement.evaluation = evaluation.name;
    measurement.key = hash.text();
    measurement.record = out + "/results/" + measurement.key + ".json";
    measurement.arguments = {"eval", "--model", run.model, "--json"};
    measurement.arguments.insert(measurement.arguments.end(), options.begin(), options.end());
    run.measurements.push_back(std::move(measurement));
  }
}

SweepRun plan_run(const learn::SweepConfig& config, const learn::SweepRow& row, std::int64_t seed,
                  const std::string& out) {
  SweepRun run;
  run.row = row.name;
  std::string identity;
  if (row.model.empty()) {
    run.seed = seed;
    identity = plan_training(row, seed, out, run);
  } else {
    if (row.model.find("{seed}") != std::string::npos) run.seed = seed;
    run.model = with_seed(row.model, seed);
    run.log = out + "/results/log.txt";
    std::error_code ignored;
    if (!std::filesystem::exists(run.model, ignored)) {
      run.problem = run.model + ": no such file";
    } else {
      identity = identity_of_file(run.model);
    }
  }
  if (run.problem.empty()) plan_measurements(config, row, out, identity, run);
  return run;
}

}  // namespace

std::string SweepRun::title() const {
  return seed ? row + ", seed " + std::to_string(*seed) : row;
}

std::vector<SweepRun> plan_sweep(const learn::SweepConfig& config, const std::string& out,
                                 const std::vector<std::string>& only) {
  std::vector<SweepRun> runs;
  for (const std::int64_t seed : config.seeds) {
    for (const learn::SweepRow& row : config.rows) {
      const bool same_for_all = !row.model.empty() && row.model.find("{seed}") == std::string::npos;
      if (same_for_all && seed != config.seeds.front()) continue;
      runs.push_back(plan_run(config, row, seed, out));
      runs.back().wanted =
          only.empty() || std::find(only.begin(), only.end(), row.name) != only.end();
    }
  }
  return runs;
}

}  // namespace mien::cli
