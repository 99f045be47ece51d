// Frames from memory in, events out: for robots, kiosks and whoever else has a camera of their own.
//
//   auto analyzer = mien::Analyzer::load({});
//   auto stream = mien::Stream::create(*analyzer);
//   while (grab(bytes, time_s)) {
//     auto events = stream->push({.data = bytes, .width = 640, .height = 480, .stride = 3 * 640,
//                                 .format = mien::PixelFormat::kBgr, .time_s = time_s});
//     for (const mien::Event& e : *events) use(e);
//   }
//
// (with the errors looked at: examples/stream).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "mien/analyzer.hpp"
#include "mien/result.hpp"

namespace mien {

// How the bytes of a frame lie: 8 bits a channel, rows from top to bottom.
enum class PixelFormat {
  kRgb,   // R G B for each pixel
  kBgr,   // B G R (OpenCV)
  kRgba,  // R G B A; A is not looked at
  kBgra,  // B G R A
  kGray,  // one byte
  kYuyv,  // Y U Y V for each two pixels: the width is even (most webcams)
  kNv12,  // `height` rows of Y, then height / 2 rows of U V pairs: width and height are even
};

// A frame that somebody else owns. Its bytes are read during the call alone. Those of kYuyv and
// kNv12 are BT.601 in limited range.
struct FrameView {
  const std::uint8_t* data = nullptr;
  int width = 0;              // pixels
  int height = 0;             // pixels
  std::ptrdiff_t stride = 0;  // bytes from one row to the next, in kNv12 of both planes
  PixelFormat format = PixelFormat::kRgb;
  // When it was taken, in seconds of any clock that runs on (the camera's, the time since boot, the
  // Unix time; up to 2^32 either side of 0). Frames need not come evenly; events have this time.
  double time_s = 0;
};

struct StreamOptions {
  bool positions = false;  // kFaceSeen events: where every face is on every frame
};

// One camera. What it gives for the frames of a video is what Analyzer gives for the video: the
// same stages see them, and times alone decide, never the clock.
//
// push() works on the caller's thread and returns when all that the frame decides is decided; the
// recogniser's threads (AnalyzerOptions::threads, by default half of the CPUs) help it meanwhile,
// and nothing runs between calls. Faces are searched for on one frame in 0.13 s (with an .onnx
// detector in 1/15 s), and it is those calls that bring events and take their time; the others copy
// the frame and return. So an expression is told within 0.13 s of the window's last frame, plus
// what the call takes.
//
// Memory is bounded however long the stream: the frames of the last 0.6 s (128 MiB at most, but six
// frames), the crops of one window per face. When the caller is too slow for the camera, push fewer
// frames: nothing is queued here.
//
// Threads: one at a time per stream. Different streams, also of one Analyzer, are independent of
// each other; they share its weights.
class Stream {
 public:
  // Begins a stream with an analyzer's networks and settings, which it keeps alive. Errors: those
  // of the detector that AnalyzerOptions::detector names, kLimit, kInternal.
  static Result<Stream> create(const Analyzer& analyzer, const StreamOptions& options = {});

  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();  // without finish(): what is not decided yet is forgotten

  // The next frame. Returns the events that it decided, mostly of frames before it, in the order in
  // which they became sure: see EventKind for those of one face; those of several faces mix.
  // Event::face has the frame's number, counted from 0 over the frames that were taken.
  //
  // A frame that cannot be is refused, changes nothing, and the stream goes on with the next:
  // kInvalidArgument (no data, a side below 1, an odd side where pairs are wanted, a stride below a
  // row, a time that is not finite, beyond 2^32 or not after the last frame's, another size than
  // the first frame's, a call after finish()), kLimit (a size beyond 16384 a side or 256 million
  // pixels). For another size finish() and create() another stream, which costs little. After any
  // other error (of the detector or the networks: kInternal) every call returns that error.
  Result<std::vector<Event>> push(const FrameView& frame);

  // No frame will follow: the events that were still undecided, and a kFaceLost for every face. A
  // second call gives nothing. Errors as push()'s last.
  Result<std::vector<Event>> finish();

 private:
  struct Impl;
  explicit Stream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mien
