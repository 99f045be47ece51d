// `mien synth`: clips whose truth is known, drawn by the program or composed from stills.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "media/synth_faces.h"
#include "media/synth_moments.h"

namespace mien::cli {
namespace {

// Shows how far the work is and asks whether Ctrl-C was pressed. Must not outlive `line`.
std::function<bool(int)> progress_on(ProgressLine& line, int clips) {
  return [&line, clips](int done) {
    line.show(std::to_string(done) + " of " + std::to_string(clips) + " clips");
    return !interrupted();
  };
}

int run_faces(const media::SynthFacesOptions& options) {
  catch_interrupts();
  ProgressLine line;
  const auto report = media::synth_faces(options, progress_on(line, options.clips));
  line.clear();
  if (!report.ok()) return failed(report.error());
  std::printf("%s: %d clips\n", report->manifest.c_str(), report->clips);
  return kExitDone;
}

int run_moments(const media::SynthMomentsOptions& options) {
  catch_interrupts();
  ProgressLine line;
  const auto report = media::synth_moments(options, progress_on(line, options.clips));
  line.clear();
  if (!report.ok()) return failed(report.error());
  std::string classes;
  for (std::size_t i = 0; i < report->classes.size(); ++i) {
    if (report->per_class[i] == 0) continue;
    classes += (classes.empty() ? "" : ", ") + report->classes[i] + " " +
               std::to_string(report->per_class[i]);
  }
  std::printf("%s: %d clips (%s)\n", report->manifest.c_str(), report->clips, classes.c_str());
  return kExitDone;
}

void add_faces(CLI::App& synth, int& exit_code) {
  auto options = std::make_shared<media::SynthFacesOptions>();
  CLI::App* command = synth.add_subcommand("faces", "Videos of drawn faces, with action units");
  command->add_option("--out", options->out, "folder to write")->required();
  command->add_option("--clips", options->clips, "how many")
      ->check(CLI::Range(1, 99'999))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "same seed, same clips")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--frames", options->frames, "frames of a clip")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--fps", options->fps, "frames per second")
      ->check(CLI::Range(1.0, 240.0))
      ->capture_default_str();
  command->add_option("--size", options->size, "width and height in pixels")
      ->check(CLI::Range(64, 2048))
      ->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run_faces(*options); });
}

void add_moments(CLI::App& synth, int& exit_code) {
  auto options = std::make_shared<media::SynthMomentsOptions>();
  CLI::App* command =
      synth.add_subcommand("moments", "Clips in which an expression arises, composed from stills");
  command->add_option("--out", options->out, "folder to write")->required();
  command
      ->add_option("--images", options->source.images, "folder, .tar or .tar.gz of face pictures")
      ->required();
  command
      ->add_option("--labels", options->source.labels,
                   "CSV: image,label, or votes per expression with their majority")
      ->required();
  command->add_option("--landmarks", options->source.landmarks,
                      "CSV of 68 points (default: <labels>_landmarks.csv.gz where there is one)");
  command->add_option("--exclude", options->source.exclude,
                      "CSV with a column 'image': pictures to leave out");
  command
      ->add_option("--clear-share", options->source.clear_share,
                   "least share of the votes that a picture's label must have")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--clips", options->clips, "how many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--seed", options->moments.seed, "same seed, same clips")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--frames", options->moments.frames, "frames of a clip")
      ->check(CLI::Range(8, 256))
      ->capture_default_str();
  command
      ->add_option(
          "--span", options->moments.span,
          "frames in which a moment arises and fades, of which a clip shows a part with the "
          "peak (default: the clip's)")
      ->check(CLI::Range(8, 256));
  command->add_option("--size", options->moments.size, "width and height in pixels")
      ->check(CLI::Range(16, 512))
      ->capture_default_str();
  command
      ->add_option("--even-share", options->moments.even_share,
                   "share of clips with evenly drawn classes; the rest as often as the pictures")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  static const std::map<std::string, media::FrameStorage> kStorages = {
      {"png", media::FrameStorage::kPng}, {"jpeg", media::FrameStorage::kJpeg}};
  command->add_option("--storage", options->storage, "png or jpeg (default: png)")
      ->transform(CLI::CheckedTransformer(kStorages, CLI::ignore_case));
  command->callback([options, &exit_code] { exit_code = run_moments(*options); });
}

}  // namespace

void add_synth(CLI::App& root, int& exit_code) {
  CLI::App* synth = root.add_subcommand("synth", "Make clips whose truth is known");
  synth->require_subcommand(1);
  add_faces(*synth, exit_code);
  add_moments(*synth, exit_code);
}

}  // namespace mien::cli
