// Finds faces in one picture. Two kinds: Haar cascades (always at hand on Debian) and ONNX
// networks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "media/image.h"

namespace mien::media {

// A face: upper left corner and size in pixels of the frame (may leave the frame a little), and how
// sure the detector is, 0..1 (ONNX: the network's probability; Haar: a squashed stage weight,
// comparable only with other Haar scores).
struct FaceBox {
  float x = 0;
  float y = 0;
  float w = 0;
  float h = 0;
  float score = 0;
};

// Intersection over union, 0..1.
float box_iou(const FaceBox& a, const FaceBox& b);

// Keeps the best-scored of every group of boxes overlapping by more than `max_iou`, or of which one
// holds the centre of a smaller one that it covers by more than 70 %; sorted by falling score.
std::vector<FaceBox> suppress_overlaps(std::vector<FaceBox> boxes, float max_iou);

// Not thread-safe: each thread has its own. Implementations keep scratch memory between calls.
class FaceDetector {
 public:
  virtual ~FaceDetector() = default;
  // Faces of one picture, by falling score; empty when there is none. Error kInvalidArgument for an
  // empty picture, kInternal when the library below fails.
  virtual Result<std::vector<FaceBox>> detect(const ImageView& image) = 0;
  // The faces of `known` (boxes in pixels of this picture) that are still about where they were, as
  // detect() would give them; other faces may come along or not. Worth its while where searching a
  // whole picture is slow; where it is not, this is detect(), and looks_near() is false.
  virtual Result<std::vector<FaceBox>> detect_near(const ImageView& image,
                                                   const std::vector<FaceBox>& known) {
    (void)known;
    return detect(image);
  }
  virtual bool looks_near() const { return false; }
  // For result files: "haar", "RFB-320", "YuNet", ...
  virtual std::string name() const = 0;
  // The least score worth beginning a track with; weaker boxes may still continue one.
  virtual float track_threshold() const = 0;
};

struct HaarOptions {
  std::string cascade;  // an OpenCV cascade .xml; empty: haarcascade_frontalface_alt2.xml, looked
                        // for in the standard places (see haar_cascade_places)
  int working_side = 400;  // pictures are scaled down to this longest side before the search
  float min_face =
      0.10F;  // least face, as a fraction of the shorter side of the frame (20 px at least)
  float scale_step = 1.15F;  // ratio of successive search sizes
};

// Directories searched for OpenCV's cascades, the environment variable MIEN_HAAR_DIR first.
std::vector<std::string> haar_cascade_places();

// Errors: kNotFound (no cascade), kBadFormat (not a cascade).
Result<std::unique_ptr<FaceDetector>> make_haar_detector(const HaarOptions& options = {});

struct OnnxDetectorOptions {
  float threshold = 0.5F;  // least score returned
  float max_iou = 0.3F;    // of two boxes that overlap more, the weaker is dropped
};

// Recognises by inputs and outputs: the "Ultra-Light-Fast" networks (RFB / slim, 320x240 or
// 640x480: scores 1xNx2 and boxes 1xNx4) and YuNet. Errors: kNotFound, kBadFormat (not an ONNX
// file), kUnsupported (another network); context = path.
Result<std::unique_ptr<FaceDetector>> make_onnx_detector(const std::string& path,
                                                         const OnnxDetectorOptions& options = {});

// `spec` as the command line has it: "" or "haar", else the path of an .onnx file (or of a cascade
// .xml).
Result<std::unique_ptr<FaceDetector>> make_detector(const std::string& spec);

}  // namespace mien::media
