#include "media/synth_moments.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <span>

#include "media/image.h"
#include "media/moment_files.h"

namespace mien::media {
namespace {

constexpr int kMostClips = 1'000'000;
constexpr const char* kTruth = "truth.csv";

// "7" with five digits is "00007"; longer numbers stay whole.
std::string padded(int number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

// Four decimals with a point, whatever the locale.
std::string decimals(float value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 4);
  return {text.data(), end.ptr};
}

Result<std::vector<std::uint8_t>> encode_frame(std::span<const std::uint8_t> grey, int size,
                                               FrameStorage storage) {
  if (storage == FrameStorage::kPng) return encode_plain_png(grey, size, size);
  Image image = Image::black(size, size);
  for (std::size_t i = 0; i < grey.size(); ++i) {
    image.rgb[3 * i] = image.rgb[3 * i + 1] = image.rgb[3 * i + 2] = grey[i];
  }
  return encode_jpeg(image);
}

Status write_frames(const WholeFolder& folder, const std::string& clip, const Moment& moment,
                    int size, FrameStorage storage) {
  const std::size_t area = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  const char* ending = storage == FrameStorage::kPng ? ".png" : ".jpg";
  // As many digits for all, so that the names sort by time.
  const std::size_t digits = moment.intensity.size() > 100 ? 3 : 2;
  for (std::size_t t = 0; t < moment.intensity.size(); ++t) {
    const auto grey = std::span(moment.frames).subspan(t * area, area);
    MIEN_ASSIGN(const std::vector<std::uint8_t> bytes, encode_frame(grey, size, storage));
    MIEN_TRY(folder.write(clip + "/" + padded(static_cast<int>(t), digits) + ending,
                          std::span<const std::uint8_t>(bytes)));
  }
  return {};
}

std::string truth_rows(const std::string& clip, const Moment& moment, const std::string& label) {
  std::string out;
  for (std::size_t t = 0; t < moment.intensity.size(); ++t) {
    out += clip + "," + std::to_string(t) + "," + decimals(moment.intensity[t]) + ",";
    out += moment.intensity[t] > 0.0F ? label : std::string("neutral");
    out += moment.occluded[t] != 0 ? ",1," : ",0,";
    out += decimals(moment.distractor[t]) + "\n";
  }
  return out;
}

}  // namespace

Result<SynthMomentsReport> synth_moments(const SynthMomentsOptions& options,
                                         const std::function<bool(int done)>& progress) {
  if (options.clips < 1 || options.clips > kMostClips) {
    return make_error(ErrorCode::kInvalidArgument, std::to_string(options.clips) + " clips");
  }
  MIEN_ASSIGN(WholeFolder folder, WholeFolder::create(options.out, kTruth));
  MIEN_ASSIGN(const MomentComposer composer, MomentComposer::open(options.source, options.moments));
  SynthMomentsReport report;
  report.classes = composer.classes();
  report.per_class.assign(report.classes.size(), 0);
  std::string manifest = "path,label,group\n";
  std::string truth = "clip,frame,intensity,class,occluded,distractor\n";
  for (int k = 0; k < options.clips; ++k) {
    const Moment moment = composer.compose(static_cast<std::uint64_t>(k));
    const auto label = static_cast<std::size_t>(moment.label);
    const std::string number = padded(k, 5);
    const std::string clip = "clips/" + number;
    MIEN_TRY(write_frames(folder, clip, moment, options.moments.size, options.storage));
    manifest += clip + "," + report.classes[label] + "," + csv_field(moment.person) + "\n";
    truth += truth_rows(clip, moment, report.classes[label]);
    ++report.per_class[label];
    ++report.clips;
    if (progress && !progress(report.clips)) {
      return make_error(ErrorCode::kCancelled, "stopped", options.out);
    }
  }
  MIEN_TRY(folder.write(kTruth, truth));
  MIEN_TRY(folder.write("manifest.csv", manifest));
  MIEN_TRY(folder.commit());
  report.manifest = (std::filesystem::path(options.out) / "manifest.csv").string();
  return report;
}

}  // namespace mien::media
