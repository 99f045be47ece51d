#include "media/synth_faces.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/files.h"
#include "core/rng.h"
#include "media/expression_recipes.h"
#include "media/face_drawing.h"
#include "media/face_surface.h"
#include "media/video_writer.h"

namespace mien::media {
namespace {

namespace fs = std::filesystem;

Status check(const SynthFacesOptions& o) {
  auto bad = [](const char* option, const char* rule) {
    return make_error(ErrorCode::kInvalidArgument, rule, option);
  };
  if (o.out.empty()) return bad("out", "no folder given");
  if (o.clips < 1 || o.clips > 99999) return bad("clips", "1 to 99999");
  if (o.frames < 1 || o.frames > 100000) return bad("frames", "1 to 100000");
  if (!std::isfinite(o.fps) || o.fps < 1 || o.fps > 240) return bad("fps", "1 to 240");
  if (o.size < 64 || o.size > 2048 || o.size % 2 != 0) return bad("size", "even, 64 to 2048");
  return {};
}

// With a point, whatever the locale.
void append_number(std::string& row, double value, int decimals) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, decimals);
  row.append(text.data(), end.ptr);
}

std::string truth_header() {
  std::string row = "clip,frame,time_s,class,intensity";
  for (const ActionUnitField& unit : kActionUnits) row += ",au" + std::to_string(unit.number);
  row += ",au45";
  for (int k = 0; k < 68; ++k) {
    row += ",x" + std::to_string(k);
    row += ",y" + std::to_string(k);
  }
  return row + "\n";
}

std::string truth_row(const std::string& clip, int frame, double time_s, std::string_view label,
                      const Performance::Moment& moment, const Landmarks& points) {
  std::string row = clip + "," + std::to_string(frame) + ",";
  append_number(row, time_s, 4);
  row += ",";
  row += moment.intensity > 0 ? label : expression_names().front();
  row += ",";
  append_number(row, moment.intensity, 4);
  for (const ActionUnitField& unit : kActionUnits) {
    row += ",";
    append_number(row, moment.units.*unit.value, 4);
  }
  row += ",";
  append_number(row, moment.units.blink, 4);
  for (const float v : points.xy) {
    row += ",";
    append_number(row, static_cast<double>(v), 2);
  }
  return row + "\n";
}

// Large enough for every detector, and with room for a dropped jaw below.
HeadPose random_home(core::Rng& rng, int size) {
  HeadPose pose;
  pose.scale = size * rng.uniform(0.17, 0.225);
  pose.x = size * rng.uniform(0.45, 0.55);
  pose.y = size * rng.uniform(0.50, 0.54);
  pose.yaw = rng.uniform(-14, 14);
  pose.pitch = rng.uniform(-6, 6);
  pose.roll = rng.uniform(-6, 6);
  return pose;
}

std::string clip_name(int clip) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "clips/%05d.mp4", clip);
  return name.data();
}

// One clip and its rows of the truth.
Status make_clip(const SynthFacesOptions& options, int clip, std::string_view label,
                 core::AtomicFile& truth) {
  const auto number = static_cast<std::uint64_t>(clip);
  core::Rng rng(core::Rng::mix(options.seed, number, 1));
  const FaceLook look = random_look(rng);
  const Scene scene = random_scene(rng);
  const HeadPose home = random_home(rng, options.size);
  const double length_s = options.frames / options.fps;
  const Performance performance(label, home, length_s, core::Rng::mix(options.seed, number, 2));
  MIEN_ASSIGN(const FaceArtist artist,
              FaceArtist::create(look, scene, options.size, options.size, home.scale));

  const std::string name = clip_name(clip);
  VideoWriterOptions encoding;
  encoding.crf = 18;
  encoding.repeatable = true;
  encoding.nominal_fps = options.fps;
  MIEN_ASSIGN(VideoWriter video, VideoWriter::open((fs::path(options.out) / name).string(),
                                                   options.size, options.size, encoding));
  for (int frame = 0; frame < options.frames; ++frame) {
    // The middle of the frame's time, so that even a single frame shows the expression.
    const Performance::Moment moment = performance.at((frame + 0.5) / options.fps);
    MIEN_ASSIGN(const Image picture,
                artist.draw(moment.units, moment.pose, static_cast<std::uint64_t>(frame)));
    const double time_s = frame / options.fps;
    MIEN_TRY(video.write(picture, time_s));
    const Landmarks points = face_landmarks(look, moment.units, moment.pose);
    MIEN_TRY(truth.write(truth_row(name, frame, time_s, label, moment, points)));
  }
  return video.finish();
}

}  // namespace

Result<SynthReport> synth_faces(const SynthFacesOptions& options,
                                const std::function<bool(int done)>& progress) {
  MIEN_TRY(check(options));
  const fs::path out = options.out;
  std::error_code code;
  fs::create_directories(out / "clips", code);
  if (code) return make_error(ErrorCode::kIo, code.message(), (out / "clips").string());
  MIEN_ASSIGN(core::AtomicFile truth, core::AtomicFile::create((out / "truth.csv").string()));
  MIEN_TRY(truth.write(truth_header()));
  const auto names = expression_names();
  std::string manifest = "path,label\n";
  for (int clip = 0; clip < options.clips; ++clip) {
    const std::string_view label = names[static_cast<std::size_t>(clip) % names.size()];
    MIEN_TRY(make_clip(options, clip, label, truth));
    manifest += clip_name(clip) + "," + std::string(label) + "\n";
    if (progress && !progress(clip + 1)) {
      return make_error(ErrorCode::kCancelled, "stopped", options.out);
    }
  }
  MIEN_TRY(truth.commit());
  SynthReport report{options.clips, (out / "manifest.csv").string()};
  MIEN_TRY(core::write_file_atomically(report.manifest, manifest));
  return report;
}

}  // namespace mien::media
