// Face networks in ONNX form through OpenCV's dnn module.
#include <algorithm>
#include <filesystem>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include "core/files.h"
#include "media/face_detector.h"
#include "media/onnx_peek.h"

namespace mien::media {
namespace {

constexpr std::uint64_t kMaxModelBytes = 256ULL << 20;

// OpenCV prints what it dislikes in a model; we return it.
class QuietOpenCv {
 public:
  QuietOpenCv() : before_(cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT)) {}
  ~QuietOpenCv() { cv::utils::logging::setLogLevel(before_); }
  QuietOpenCv(const QuietOpenCv&) = delete;
  QuietOpenCv& operator=(const QuietOpenCv&) = delete;

 private:
  cv::utils::logging::LogLevel before_;
};

// A frame fitted into a fixed size with black to the right and below, and the way back.
class Letterbox {
 public:
  const cv::Mat& fit(const ImageView& image, int width, int height) {
    const cv::Mat rgb(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb),
                      image.stride);
    scale_ = std::min(static_cast<double>(width) / image.width,
                      static_cast<double>(height) / image.height);
    const int w = std::clamp(static_cast<int>(image.width * scale_ + 0.5), 1, width);
    const int h = std::clamp(static_cast<int>(image.height * scale_ + 0.5), 1, height);
    left_ = (width - w) / 2;
    top_ = (height - h) / 2;
    canvas_.create(height, width, CV_8UC3);
    canvas_.setTo(cv::Scalar::all(0));
    cv::Mat target = canvas_(cv::Rect(left_, top_, w, h));
    // Averaging over the area when shrinking: without it fine patterns alias into what looks like
    // faces.
    cv::resize(rgb, target, target.size(), 0, 0, scale_ < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    return canvas_;
  }
  FaceBox back(double x, double y, double w, double h, float score) const {
    auto px = [](double v) { return static_cast<float>(v); };
    return {px((x - left_) / scale_), px((y - top_) / scale_), px(w / scale_), px(h / scale_),
            score};
  }

 private:
  cv::Mat canvas_;
  double scale_ = 1;
  int left_ = 0;
  int top_ = 0;
};

// "Ultra-Light-Fast-Generic-Face-Detector-1MB" (Linzaer): scores 1xNx2, already a softmax, and
// boxes 1xNx4, corners as fractions of the input.
class UltraLightDetector final : public FaceDetector {
 public:
  UltraLightDetector(cv::dnn::Net net, int width, int height, std::string name,
                     OnnxDetectorOptions options)
      : net_(std::move(net)),
        width_(width),
        height_(height),
        name_(std::move(name)),
        options_(options) {}

  std::string name() const override { return name_; }
  float track_threshold() const override { return 0.7F; }  // the threshold its authors recommend

  Result<std::vector<FaceBox>> detect(const ImageView& image) override {
    if (image.empty()) return make_error(ErrorCode::kInvalidArgument, "an empty picture");
    try {
      const cv::Mat& fitted = letterbox_.fit(image, width_, height_);
      cv::dnn::blobFromImage(fitted, blob_, 1.0 / 128, {}, cv::Scalar::all(127), false, false);
      net_.setInput(blob_);
      std::vector<cv::Mat> out;
      net_.forward(out, std::vector<cv::String>{"scores", "boxes"});
      return read_boxes(out);
    } catch (const std::exception& e) {
      return make_error(ErrorCode::kInternal, e.what(), name_);
    }
  }

 private:
  Result<std::vector<FaceBox>> read_boxes(const std::vector<cv::Mat>& out) const {
    const bool fits = out.size() == 2 && out[0].dims == 3 && out[1].dims == 3 &&
                      out[0].size[2] == 2 && out[1].size[2] == 4 &&
                      out[0].size[1] == out[1].size[1];
    if (!fits) return make_error(ErrorCode::kInternal, "unexpected output shapes", name_);
    const auto* scores = out[0].ptr<float>();
    const auto* corners = out[1].ptr<float>();
    std::vector<FaceBox> boxes;
    for (int i = 0; i < out[0].size[1]; ++i, scores += 2, corners += 4) {
      if (!(scores[1] >= options_.threshold)) continue;
      const double x = static_cast<double>(corners[0]) * width_;
      const double y = static_cast<double>(corners[1]) * height_;
      boxes.push_back(letterbox_.back(x, y, static_cast<double>(corners[2]) * width_ - x,
                                      static_cast<double>(corners[3]) * height_ - y,
                                      std::min(scores[1], 1.0F)));
    }
    return suppress_overlaps(std::move(boxes), options_.max_iou);
  }

  cv::dnn::Net net_;
  int width_;
  int height_;
  std::string name_;
  OnnxDetectorOptions options_;
  Letterbox letterbox_;
  cv::Mat blob_;
};

// OpenCV's own class does YuNet's decoding; it takes BGR of any size, which we bound for speed.
class YuNetDetector final : public FaceDetector {
 public:
  YuNetDetector(cv::Ptr<cv::FaceDetectorYN> net, OnnxDetectorOptions options)
      : net_(std::move(net)), options_(options) {}

  std::string name() const override { return "YuNet"; }
  float track_threshold() const override { return 0.8F; }

  Result<std::vector<FaceBox>> detect(const ImageView& image) override {
    if (image.empty()) return make_error(ErrorCode::kInvalidArgument, "an empty picture");
    try {
      const double shrink =
          std::min(1.0, static_cast<double>(kSide) / std::max(image.width, image.height));
      // Sizes that divide by 32 need no padding inside the network.
      auto fit = [&](int side) {
        return std::max(static_cast<int>(side * shrink + 31) / 32 * 32, 32);
      };
      cv::cvtColor(letterbox_.fit(image, fit(image.width), fit(image.height)), bgr_,
                   cv::COLOR_RGB2BGR);
      net_->setInputSize(bgr_.size());
      cv::Mat faces;
      net_->detect(bgr_, faces);
      std::vector<FaceBox> boxes;
      for (int i = 0; i < faces.rows; ++i) {
        const float* f = faces.ptr<float>(i);  // x, y, w, h, five points, score
        boxes.push_back(letterbox_.back(static_cast<double>(f[0]), static_cast<double>(f[1]),
                                        static_cast<double>(f[2]), static_cast<double>(f[3]),
                                        f[14]));
      }
      return suppress_overlaps(std::move(boxes), options_.max_iou);
    } catch (const std::exception& e) {
      return make_error(ErrorCode::kInternal, e.what(), "YuNet");
    }
  }

 private:
  static constexpr int kSide = 320;
  cv::Ptr<cv::FaceDetectorYN> net_;
  OnnxDetectorOptions options_;
  Letterbox letterbox_;
  cv::Mat bgr_;
};

const OnnxValue* find(const std::vector<OnnxValue>& values, const std::string& name) {
  for (const OnnxValue& v : values) {
    if (v.name == name) return &v;
  }
  return nullptr;
}

bool is_ultra_light(const OnnxSummary& net) {
  const OnnxValue* scores = find(net.outputs, "scores");
  const OnnxValue* boxes = find(net.outputs, "boxes");
  if (net.inputs.size() != 1 || net.outputs.size() != 2 || scores == nullptr || boxes == nullptr)
    return false;
  const std::vector<std::int64_t>& in = net.inputs[0].dims;
  constexpr std::int64_t kMostPx = 4096;
  return in.size() == 4 && in[1] == 3 && in[2] >= 32 && in[3] >= 32 && in[2] <= kMostPx &&
         in[3] <= kMostPx && scores->dims.size() == 3 && scores->dims[2] == 2 &&
         boxes->dims.size() == 3 && boxes->dims[2] == 4;
}

// The file of March 2022, which OpenCV 4.6 decodes; later ones (outputs cls_8, obj_8, ...) need
// OpenCV 4.8.
bool is_yunet(const OnnxSummary& net) {
  const bool old = find(net.outputs, "loc") != nullptr && find(net.outputs, "conf") != nullptr &&
                   find(net.outputs, "iou") != nullptr;
#if CV_VERSION_MAJOR > 4 || (CV_VERSION_MAJOR == 4 && CV_VERSION_MINOR >= 8)
  return find(net.outputs, "cls_8") != nullptr;
#else
  return old;
#endif
}

Result<std::unique_ptr<FaceDetector>> load(const std::string& path,
                                           const std::vector<std::byte>& bytes,
                                           const OnnxSummary& summary,
                                           const OnnxDetectorOptions& options) {
  if (is_yunet(summary)) {
    constexpr int kTopK = 200;
    auto net =
        cv::FaceDetectorYN::create(path, "", {320, 320}, options.threshold, options.max_iou, kTopK);
    return std::unique_ptr<FaceDetector>(std::make_unique<YuNetDetector>(std::move(net), options));
  }
  const int height = static_cast<int>(summary.inputs[0].dims[2]);
  const int width = static_cast<int>(summary.inputs[0].dims[3]);
  cv::dnn::Net net =
      cv::dnn::readNetFromONNX(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto detector = std::make_unique<UltraLightDetector>(
      std::move(net), width, height, std::filesystem::path(path).stem().string(), options);
  // A graph that cannot run is found out here, not on the first frame.
  const Image blank = Image::black(width, height);
  const Result<std::vector<FaceBox>> trial = detector->detect(blank);
  if (!trial.ok()) return make_error(ErrorCode::kUnsupported, "the network does not run", path);
  return std::unique_ptr<FaceDetector>(std::move(detector));
}

}  // namespace

Result<std::unique_ptr<FaceDetector>> make_onnx_detector(const std::string& path,
                                                         const OnnxDetectorOptions& options) {
  MIEN_ASSIGN(const std::vector<std::byte> bytes, core::read_file(path, kMaxModelBytes));
  const Result<OnnxSummary> summary =
      peek_onnx({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!summary.ok()) return summary.error().within(path);
  if (!is_ultra_light(*summary) && !is_yunet(*summary)) {
    return make_error(ErrorCode::kUnsupported,
                      "an ONNX network, but none of the face detectors known (RFB / slim, YuNet)",
                      path);
  }
  const QuietOpenCv quiet;
  try {
    return load(path, bytes, *summary, options);
  } catch (const std::exception&) {
    return make_error(ErrorCode::kBadFormat, "a damaged or unsupported ONNX network", path);
  }
}

Result<std::unique_ptr<FaceDetector>> make_detector(const std::string& spec) {
  if (spec.empty() || spec == "haar") return make_haar_detector();
  if (std::filesystem::path(spec).extension() == ".xml") {
    HaarOptions options;
    options.cascade = spec;
    return make_haar_detector(options);
  }
  return make_onnx_detector(spec);
}

}  // namespace mien::media
