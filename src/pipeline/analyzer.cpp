#include "mien/analyzer.hpp"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "media/face_detector.h"
#include "pipeline/analyzer_impl.h"
#include "pipeline/result_files.h"
#include "pipeline/run.h"

namespace mien {
namespace {

using pipeline::Clocks;

constexpr int kImageModelWindow = 16;  // samples: half a second, as long as a video model's clip
constexpr int kMaxWindow = 900;        // half a minute of crops per face is kept at most

// Passes rows to callbacks and nothing else.
class CallbackSink : public pipeline::RowSink {
 public:
  explicit CallbackSink(const AnalyzerCallbacks& callbacks) : callbacks_(callbacks) {}

  Status face(const FaceObservation& face) override {
    if (callbacks_.on_face) callbacks_.on_face(face);
    return {};
  }
  Status window(const pipeline::WindowRow& row) override {
    if (callbacks_.on_window) callbacks_.on_window(row.window);
    return {};
  }

 private:
  const AnalyzerCallbacks& callbacks_;
};

// Decoding, finding faces and drawing have threads of their own. Where a network's threads have to
// share a CPU with those, they spend their time waiting for each other (on a busy two-CPU machine:
// 8 times slower with two than with one), so by default it gets half of the CPUs.
int network_threads(int asked) {
  if (asked > 0) return asked;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

Result<std::string> recogniser_file(const AnalyzerOptions& options) {
  if (!options.model.empty()) return options.model;
  return find_default_model(options.stills);
}

Result<std::string> landmark_file(const AnalyzerOptions& options) {
  if (!options.landmark.empty()) return options.landmark;
  return find_bundled_model("landmark");
}

Result<int> window_for(const AnalyzerOptions& options, const Recognizer& recognizer) {
  const auto wrong = [](const std::string& what) {
    return make_error(ErrorCode::kInvalidArgument, what);
  };
  if (options.stride < 1) return wrong("the stride must be at least 1 sample");
  if (options.window < 0 || options.window > kMaxWindow) {
    return wrong("the window must be 1 to " + std::to_string(kMaxWindow) + " samples");
  }
  if (!recognizer.is_temporal()) {
    return options.window == 0 ? kImageModelWindow : options.window;
  }
  if (options.window != 0 && options.window != recognizer.num_frames()) {
    return wrong("this video model reads windows of " + std::to_string(recognizer.num_frames()) +
                 " samples, not " + std::to_string(options.window));
  }
  return recognizer.num_frames();
}

Status check_mask(const AnalyzerOptions& options, const Recognizer& recognizer) {
  const auto wrong = [](const std::string& what) {
    return make_error(ErrorCode::kInvalidArgument, what);
  };
  if (options.budget == 0 && !options.mask) return {};
  if (!recognizer.has_mask()) {
    return wrong("is no AdaTosk model: it has no soft mask to show and no budget");
  }
  if (options.budget != 0 && !(options.budget > 0 && options.budget <= 1)) {
    return wrong("the budget must be above 0 and at most 1");
  }
  return {};
}

// `files`: what is written, nullptr when nothing is.
void fill_timings(AnalysisSummary& summary, const Clocks& clocks, const OutputOptions* files) {
  summary.timings = {{"decode", clocks.decode.seconds()},
                     {"detect", clocks.detect.seconds()},
                     {"landmarks", clocks.landmarks.seconds()},
                     {"align", clocks.align.seconds()},
                     {"recognise", clocks.recognise.seconds()}};
  if (files == nullptr) return;
  if (files->video) summary.timings.push_back({"draw", clocks.draw.seconds()});
  summary.timings.push_back({"write", clocks.write.seconds()});
}

// What a start needs beside the expression model. Errors: those of LandmarkLocator::load and
// make_detector, kUnsupported for a network of other points.
Result<LandmarkLocator> load_face_parts(const AnalyzerOptions& options,
                                        const std::string& landmark) {
  // One face at a time is too little work to divide.
  MIEN_ASSIGN(LandmarkLocator locator, LandmarkLocator::load(landmark, {options.precision, 1}));
  if (locator.num_points() != 68) {
    return make_error(ErrorCode::kUnsupported, "the network does not give 68 points", landmark);
  }
  // Each run makes its own detector; this one only finds out early whether that works.
  MIEN_ASSIGN(const auto detector, media::make_detector(options.detector));
  return locator;
}

}  // namespace

Result<Analyzer> Analyzer::load(const AnalyzerOptions& options) {
  MIEN_ASSIGN(const std::string model, recogniser_file(options));
  MIEN_ASSIGN(const std::string landmark, landmark_file(options));
  // On a thread of its own where the system gives one, else when it is asked for.
  auto face_parts =
      std::async(std::launch::async | std::launch::deferred, load_face_parts, options, landmark);
  MIEN_ASSIGN(Recognizer recognizer,
              Recognizer::load(model, {options.precision, network_threads(options.threads)}));
  if (!recognizer.reads_faces()) {
    return make_error(ErrorCode::kUnsupported,
                      "the model file lacks the landmark network that its prompts need", model);
  }
  MIEN_ASSIGN(const int window, window_for(options, recognizer));
  if (auto status = check_mask(options, recognizer); !status) return status.error().within(model);
  MIEN_ASSIGN(LandmarkLocator locator, face_parts.get());
  return Analyzer(std::make_shared<const Impl>(
      Impl{options, model, landmark, std::move(recognizer), std::move(locator), window}));
}

const Recognizer& Analyzer::recognizer() const {
  return impl_->recognizer;
}
const std::string& Analyzer::model_path() const {
  return impl_->model_path;
}
int Analyzer::window() const {
  return impl_->window;
}

Result<AnalysisSummary> Analyzer::analyze(const std::string& input,
                                          const AnalyzerCallbacks& callbacks) const {
  Clocks clocks;
  CallbackSink sink(callbacks);
  MIEN_ASSIGN(AnalysisSummary summary,
              pipeline::run_input(impl_->context(), input, callbacks, sink, clocks));
  fill_timings(summary, clocks, nullptr);
  return summary;
}

Result<AnalysisSummary> Analyzer::analyze_to(const std::string& input, const OutputOptions& output,
                                             const AnalyzerCallbacks& callbacks) const {
  Clocks clocks;
  pipeline::ResultFiles files(output, classes(), callbacks, clocks);
  MIEN_ASSIGN(AnalysisSummary summary,
              pipeline::run_input(impl_->context(), input, callbacks, files, clocks));
  fill_timings(summary, clocks, &output);
  MIEN_TRY(files.finish({summary, impl_->options, impl_->recognizer, impl_->model_path,
                         impl_->landmark_path, impl_->window}));
  return summary;
}

}  // namespace mien
