// A video in, who felt what and when out: the whole of mien behind one class. Decoding, finding and
// following faces, aligning them, recognising expressions, and the files that `mien analyze`
// writes.
//
//   auto analyzer = mien::Analyzer::load({});
//   if (!analyzer) return fail(analyzer.error());
//   auto done = analyzer->analyze("talk.mp4", {.on_window = [](const mien::ExpressionWindow& w) {
//     use(w.track, w.start_s, w.label, w.confidence);
//   }});
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mien/recognizer.hpp"
#include "mien/result.hpp"

namespace mien {

class Stream;

struct AnalyzerOptions {
  std::string model{};     // recogniser file; empty: the bundled one (see find_default_model)
  std::string landmark{};  // landmark network file; empty: the bundled one
  std::string detector{};  // "" or "haar", the path of an .onnx detector or of a cascade .xml
  int window = 0;          // samples per window; 0: what the model reads, 16 for an image model
  int stride = 4;          // samples from one window to the next, >= 1
  Precision precision = Precision::kAuto;
  int threads = 0;          // of the recogniser; 0: half of the CPUs, the rest decodes and draws
  double image_fps = 25.0;  // how fast the pictures of a folder follow each other
  double budget = 0;        // of a model with a soft mask, see ClipOptions; 0: the model's own
  bool mask = false;        // windows bring the model's soft mask, and the drawings show it
  bool stills = false;      // the bundled model for predict() rather than the one for videos
};

// Samples are taken at this rate whatever the video's own is, so a window of 16 lasts 0.53 s.
inline constexpr double kSampleRateHz = 30.0;

// One face on one frame. The box is in pixels of the upright frame (pixel (0,0) covers 0..1) and
// may leave it a little.
struct FaceObservation {
  std::int64_t frame = 0;  // counted from 0 in the order of decoding
  double time_s = 0;       // the frame's timestamp less the stream's start
  int track = 0;           // 1, 2, 3 ... in the order in which faces were found
  float x = 0, y = 0, w = 0, h = 0;
  float score = 0;  // of the detector, 0..1; between two detections that of the first
};

// One face during one window of time.
struct ExpressionWindow {
  int track = 0;
  double start_s = 0;
  double end_s = 0;
  float x = 0, y = 0, w = 0, h = 0;  // mean box of the window's frames
  int label = 0;                     // index into classes()
  float confidence = 0;              // its probability
  std::vector<float> probabilities;  // by class, sum 1
  // With AnalyzerOptions::mask: how much each token counted, see ClipOptions::mask of one clip;
  // else empty. Slot s begins s * num_frames / mask_slots samples behind start_s.
  std::vector<float> mask{};
};

// What happens to a face. Those of one face come in this order: kFaceFound, then kFaceSeen and
// kExpression as they become sure, then kFaceLost.
enum class EventKind {
  kFaceFound,   // a face is new; its number is not used again
  kFaceSeen,    // where a face is on one frame
  kExpression,  // what a face expressed during one window of time
  kFaceLost,    // a face has been gone for half a second, or the input is over
};

struct Event {
  EventKind kind = EventKind::kFaceFound;
  int track = 0;      // which face
  double time_s = 0;  // of `face`; the end of the window of an expression
  // kFaceFound: the first frame with it; kFaceSeen: that frame; kFaceLost: the last frame with it.
  FaceObservation face{};
  ExpressionWindow expression{};  // of kExpression
};

struct AnalyzerProgress {
  std::int64_t frames = 0;  // read so far
  double time_s = 0;        // of the last one
  double duration_s = 0;    // by the file's header; 0 when unknown
};

// All but `cancelled` are called from the thread that called analyze; any may be empty.
struct AnalyzerCallbacks {
  std::function<void(const FaceObservation&)> on_face{};     // by frame, then track
  std::function<void(const ExpressionWindow&)> on_window{};  // by end of window within a track
  std::function<void(const AnalyzerProgress&)> on_progress{};
  // Faces and expressions as soon as they are sure, without kFaceSeen; see Event for the order.
  std::function<void(const Event&)> on_event{};
  // Asked at least once a frame, also while reading blocks and then from another thread; true stops
  // with kCancelled. A live input (a device, a stream address, standard input) ends there instead,
  // once its first frame has come: the call returns what it has found, as at the end of a file.
  std::function<bool()> cancelled{};
};

struct TrackSummary {
  int id = 0;
  double first_s = 0;  // first and last frame with the face
  double last_s = 0;
  std::int64_t frames = 0;
  std::int64_t windows = 0;
};

// Seconds that one stage was busy; stages overlap in time, so they may sum to more than the wall
// clock. Decoding a live input includes the wait for it.
struct StageTime {
  std::string stage;  // "decode", "detect", "landmarks", "align", "recognise", "draw", "write"
  double seconds = 0;
};

struct AnalysisSummary {
  std::string input;
  std::string container;  // "images" for pictures
  std::string codec;
  std::string detector;
  int width = 0;
  int height = 0;
  double fps = 0;                // by the header
  double duration_s = 0;         // time of the last frame plus the mean time between frames
  std::int64_t frames = 0;       // decoded and looked at
  std::int64_t dropped = 0;      // of a camera: frames that came while analysis was too far behind
  std::int64_t face_frames = 0;  // those with at least one face
  std::int64_t faces = 0;        // rows of faces.csv
  std::int64_t windows = 0;      // rows of expressions.csv
  std::vector<TrackSummary> tracks;
  std::vector<StageTime> timings;
  double wall_s = 0;
  std::string note;  // why there is nothing, when there is nothing ("no face was found in ...")
};

// Where the files of one input go.
struct OutputOptions {
  std::string folder;  // made when missing, with its parents
  bool video = true;   // annotated.mp4 too
};

// A face of a still picture.
struct StillFace {
  float x = 0, y = 0, w = 0, h = 0;
  float score = 0;
  int label = 0;
  std::vector<float> probabilities;
};

// Loaded networks and settings. Const use from several threads is safe; each call has its own
// scratch memory. The memory of a call does not grow with the video's length.
class Analyzer {
 public:
  // Errors: those of Recognizer::load and LandmarkLocator::load, kNotFound when a bundled model is
  // asked for and there is none, kInvalidArgument for options that cannot be (stride < 1, a window
  // that the model cannot read, a budget outside (0, 1], a budget or a mask of a model without).
  static Result<Analyzer> load(const AnalyzerOptions& options);

  const Recognizer& recognizer() const;
  const std::vector<std::string>& classes() const { return recognizer().classes(); }
  const std::string& model_path() const;
  int window() const;  // samples

  // Analyses a video file, picture, folder of pictures, device, stream address or standard input
  // ("-": a video container; from a pipe one that needs no seeking) and hands out rows as they are
  // sure. A camera (/dev/video0) is never kept waiting: when analysis is slower, frames are dropped
  // and counted in `dropped`, and the numbers of frames have gaps. Without any face the summary
  // says so in `note`. Errors: those of opening and decoding `input` (kNotFound, kIo, kBadFormat,
  // kLimit, kUnsupported, kInvalidArgument for a folder without pictures), also when the file ends
  // in the middle; those of the detector; kCancelled; kInternal.
  Result<AnalysisSummary> analyze(const std::string& input,
                                  const AnalyzerCallbacks& callbacks = {}) const;

  // The same, and writes expressions.csv, faces.csv, result.json, timeline.svg and annotated.mp4
  // into the folder (see DESIGN.md). With AnalyzerOptions::mask the timeline has a strip under each
  // face of how much its moments counted (the mean mask of a slot over that of its window, averaged
  // over the windows that show it; a line at 1), the video a tint over the parts of the face that
  // did, and the rows of result.json the mean mask of their slots. All or nothing: files appear
  // under their names only at the end, on an error nothing is left behind, and other files of the
  // folder are not touched. Further errors: kIo (context: what could not be written).
  Result<AnalysisSummary> analyze_to(const std::string& input, const OutputOptions& output,
                                     const AnalyzerCallbacks& callbacks = {}) const;

  // The faces of a still, by falling detector score; a video model sees the still as a clip in
  // which nothing moves. Errors: those of reading the image and of the detector.
  Result<std::vector<StillFace>> predict(const std::string& image) const;

 private:
  struct Impl;
  explicit Analyzer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
  friend class Stream;  // runs the same networks on frames from memory
};

// Path of a model that ships with mien: "landmark", "s2d" or "adatosk" (recognisers,
// models/s2d-*.safetensors and models/adatosk-*.safetensors). Looked for in $MIEN_MODELS, then
// models/ one or two folders above the program's own, then share/mien/models where it is installed.
// Error kNotFound lists those places.
Result<std::string> find_bundled_model(const std::string& kind);

// Path of the recogniser that is used where none is named: AdaTosk for videos; S2D for stills,
// whose image model was taught by stills. A folder that has only one of them gives that.
Result<std::string> find_default_model(bool stills);

// Version of this library, e.g. "0.1.0".
const char* version();

}  // namespace mien
