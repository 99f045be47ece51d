#include "cli/analyze_options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <set>
#include <thread>

namespace mien::cli {
namespace {

namespace fs = std::filesystem;

// A folder name from whatever the input is: a path, a URL, a device, "-".
std::string stem_of(const std::string& input) {
  if (input == "-") return "stdin";
  fs::path path(input);
  if (!path.has_filename()) path = path.parent_path();  // "clips/"
  std::string stem = path.stem().string();
  for (char& c : stem) {
    if (c == ':' || c == '?' || c == '&' || c == '=' || static_cast<unsigned char>(c) < 0x20) {
      c = '_';
    }
  }
  return stem.empty() || stem == "." || stem == ".." ? "input" : stem;
}

bool parse_whole(std::string_view text, int& value) {
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

}  // namespace

void declare_networks(CLI::App& command, AnalyzerOptions& options, std::string& precision) {
  command.add_option("--model", options.model, "recogniser file (default: the bundled one)");
  command.add_option("--landmark", options.landmark,
                     "landmark network file (default: the bundled one)");
  command.add_option("--detector", options.detector, "'haar' (default), or an .onnx face detector");
  command.add_option("--precision", precision, "auto, f32, bf16 or int8 (default: auto)")
      ->check(CLI::IsMember({"auto", "f32", "bf16", "int8"}));
  command
      .add_option("--threads", options.threads,
                  "threads of the recogniser (default: half of the CPUs; decoding, finding faces "
                  "and drawing have their own)")
      ->check(CLI::Range(1, 1024));
}

void declare(CLI::App& command, AnalyzeOptions& options) {
  command
      .add_option("INPUT", options.inputs,
                  "videos, pictures, folders of pictures, cameras (/dev/video0), stream addresses; "
                  "- reads a video from standard input")
      ->required();
  command.add_option("--out", options.out,
                     "output folder (default: <input stem>_mien, stdin_mien for -); with several "
                     "inputs one folder each beneath it");
  declare_networks(command, options.analyzer, options.precision);
  command
      .add_option("--window", options.analyzer.window,
                  "samples (of 1/30 s) per window (default: what the model reads, else 16)")
      ->check(CLI::Range(1, 900));
  command
      .add_option("--stride", options.analyzer.stride,
                  "samples from one window to the next (default: 4)")
      ->check(CLI::Range(1, 900));
  command
      .add_option(
          "--budget", options.analyzer.budget,
          "AdaTosk models: share of the tokens that is computed to the end, above 0 up to 1 "
          "(default: the model's)")
      ->check(CLI::Range(1e-6, 1.0));
  command.add_flag("--show-mask", options.analyzer.mask,
                   "AdaTosk models: draw which moments counted beneath the timeline, and which "
                   "parts of the face on the video");
  command.add_option("--shard", options.shard, "I/N: only every N-th input, from the I-th on");
  command
      .add_option("--jobs", options.jobs,
                  "inputs worked on at once, each with one thread of the recogniser unless "
                  "--threads says otherwise (default: as many as CPUs; with --events always 1)")
      ->check(CLI::Range(1, 1024));
  command.add_flag("--no-video", options.no_video, "do not write annotated.mp4");
  auto* json =
      command.add_flag("--json", options.json, "print result.json (a list for several inputs)");
  command
      .add_flag("--events", options.events,
                "print a line of JSON for every face found or lost and every expression, at once")
      ->excludes(json);
}

std::size_t inputs_at_once(const AnalyzeOptions& options) {
  const std::size_t inputs = options.inputs.size();
  if (options.events || inputs < 2) return 1;
  const unsigned cpus = std::max(1U, std::thread::hardware_concurrency());
  return std::min(inputs, static_cast<std::size_t>(options.jobs > 0 ? options.jobs : cpus));
}

Result<Precision> parse_precision(const std::string& name) {
  if (name == "auto") return Precision::kAuto;
  if (name == "f32") return Precision::kF32;
  if (name == "bf16") return Precision::kBf16;
  if (name == "int8") return Precision::kInt8;
  return make_error(ErrorCode::kInvalidArgument, "'" + name + "' is no precision", "--precision");
}

Result<Shard> parse_shard(const std::string& text) {
  if (text.empty()) return Shard{};
  const auto slash = text.find('/');
  Shard shard;
  const bool whole = slash != std::string::npos &&
                     parse_whole(std::string_view(text).substr(0, slash), shard.part) &&
                     parse_whole(std::string_view(text).substr(slash + 1), shard.parts);
  if (!whole || shard.parts < 1 || shard.part < 1 || shard.part > shard.parts) {
    return make_error(ErrorCode::kInvalidArgument, "'" + text + "' is not I/N with 1 <= I <= N",
                      "--shard");
  }
  return shard;
}

std::vector<std::string> output_folders(const std::vector<std::string>& inputs,
                                        const std::string& out) {
  if (inputs.size() == 1) return {out.empty() ? stem_of(inputs[0]) + "_mien" : out};
  std::vector<std::string> folders;
  std::set<std::string> taken;
  for (const std::string& input : inputs) {
    const std::string stem = stem_of(input);
    std::string name = stem;
    for (int n = 2; !taken.insert(name).second; ++n) name = stem + "_" + std::to_string(n);
    folders.push_back(out.empty() ? name + "_mien" : (fs::path(out) / name).string());
  }
  return folders;
}

}  // namespace mien::cli
