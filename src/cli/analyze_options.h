// The options of `mien analyze`, and what follows from them alone.
#pragma once

#include <string>
#include <vector>

#include "mien/analyzer.hpp"

namespace CLI {
class App;
}

namespace mien::cli {

struct AnalyzeOptions {
  std::vector<std::string> inputs;
  AnalyzerOptions analyzer;
  std::string out;  // empty: "<input stem>_mien"
  std::string precision = "auto";
  std::string shard;  // "I/N"
  int jobs = 0;       // inputs at once; 0: as many as CPUs
  bool no_video = false;
  bool json = false;
  bool events = false;
};

// Declares them on the subcommand. `options` must outlive the parsing.
void declare(CLI::App& command, AnalyzeOptions& options);

// How many inputs are worked on at once: events come from one at a time, so that their order does
// not depend on the machine.
std::size_t inputs_at_once(const AnalyzeOptions& options);

// The options that analyze and predict share: models, detector, precision, threads.
void declare_networks(CLI::App& command, AnalyzerOptions& options, std::string& precision);

// Error kInvalidArgument for a name that is none.
Result<Precision> parse_precision(const std::string& name);

// Part I of N parts, I from 1. "" is 1/1. Error kInvalidArgument.
struct Shard {
  int part = 1;
  int parts = 1;
  bool has(std::size_t index) const { return static_cast<int>(index % parts) == part - 1; }
};
Result<Shard> parse_shard(const std::string& text);

// Where each input's files go: `out` itself for a single input, else one folder per input beneath
// it, named after the input; no two alike.
std::vector<std::string> output_folders(const std::vector<std::string>& inputs,
                                        const std::string& out);

}  // namespace mien::cli
