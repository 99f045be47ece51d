#include "pipeline/result_json.h"

#include <filesystem>
#include <fstream>

#include "report/json_writer.h"

namespace mien::pipeline {
namespace {

using report::JsonWriter;
constexpr auto kInline = JsonWriter::Layout::kInline;

void write_model(JsonWriter& json, const ResultFacts& facts) {
  const Recognizer& model = facts.recognizer;
  const auto file = [&](const std::string& path) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    json.key("name").string(std::filesystem::path(path).stem().string());
    json.key("bytes").integer(error ? 0 : static_cast<std::int64_t>(bytes));
  };
  json.key("model").begin_object();
  file(facts.model_path);
  json.key("classes").strings(model.classes());
  json.key("input_size").integer(model.input_size());
  json.key("frames").integer(model.num_frames());
  json.key("precision").string(precision_name(model.precision()));
  json.end_object();
  json.key("landmark_model").begin_object(kInline);
  file(facts.landmark_path);
  json.end_object();
}

void write_video(JsonWriter& json, const AnalysisSummary& s) {
  json.key("video").begin_object();
  json.key("container").string(s.container).key("codec").string(s.codec);
  json.key("width").integer(s.width).key("height").integer(s.height);
  json.key("fps").number(s.fps, 3).key("duration_s").number(s.duration_s, 3);
  json.key("frames").integer(s.frames).key("frames_with_face").integer(s.face_frames);
  if (s.dropped > 0) json.key("frames_dropped").integer(s.dropped);
  json.end_object();
}

void write_settings(JsonWriter& json, const ResultFacts& facts) {
  json.key("settings").begin_object();
  json.key("detector").string(facts.summary.detector);
  json.key("window").integer(facts.window).key("stride").integer(facts.options.stride);
  json.key("samples_per_s").number(kSampleRateHz, 3);
  json.key("precision").string(precision_name(facts.options.precision));
  if (facts.recognizer.has_mask()) {
    const double asked = facts.options.budget;
    json.key("budget").number(asked > 0 ? asked : facts.recognizer.budget(), 6);
  }
  json.key("threads").integer(facts.options.threads);
  json.end_object();
  json.key("versions").begin_object(kInline).key("mien").string(version());
  json.key("compiler").string(__VERSION__).end_object();
}

void write_timings(JsonWriter& json, const AnalysisSummary& s) {
  json.key("timings").begin_object();
  json.key("wall_s").number(s.wall_s, 4);
  for (const StageTime& stage : s.timings) json.key(stage.stage + "_s").number(stage.seconds, 4);
  json.end_object();
}

void write_tracks(JsonWriter& json, const AnalysisSummary& s) {
  json.key("tracks").begin_array();
  for (const TrackSummary& track : s.tracks) {
    json.begin_object(kInline).key("track").integer(track.id);
    json.key("first_s").number(track.first_s, 4).key("last_s").number(track.last_s, 4);
    json.key("frames").integer(track.frames).key("windows").integer(track.windows).end_object();
  }
  json.end_array();
}

Status copy_rows(core::AtomicFile& out, JsonWriter& json, const std::string& key,
                 const std::string& path) {
  json.key(key).begin_array();
  std::ifstream rows(path);
  std::string line;
  while (std::getline(rows, line)) {
    json.raw(line);
    MIEN_TRY(out.write(json.take()));
  }
  if (rows.bad()) return make_error(ErrorCode::kIo, "cannot read back", path);
  json.end_array();
  return out.write(json.take());
}

const char* event_name(EventKind kind) {
  switch (kind) {
    case EventKind::kFaceFound: return "found";
    case EventKind::kFaceSeen: return "seen";
    case EventKind::kExpression: return "expression";
    case EventKind::kFaceLost: break;
  }
  return "lost";
}

void put_face(JsonWriter& json, const FaceObservation& face) {
  json.key("frame").integer(face.frame).key("time_s").number(face.time_s, 4);
  json.key("track").integer(face.track);
  json.key("x").number(face.x, 1).key("y").number(face.y, 1);
  json.key("w").number(face.w, 1).key("h").number(face.h, 1);
  json.key("score").number(face.score, 3);
}

void put_window(JsonWriter& json, const ExpressionWindow& window,
                const std::vector<std::string>& classes) {
  json.key("track").integer(window.track);
  json.key("start_s").number(window.start_s, 4).key("end_s").number(window.end_s, 4);
  json.key("x").number(window.x, 1).key("y").number(window.y, 1);
  json.key("w").number(window.w, 1).key("h").number(window.h, 1);
  json.key("confidence").number(window.confidence, 4);
  json.key("label").string(classes[static_cast<std::size_t>(window.label)]);
  json.key("probabilities").begin_object(kInline);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    json.key(classes[i]).number(window.probabilities[i], 5);
  }
  json.end_object();
}

// The object that is open, closed, without the line end.
std::string line_of(JsonWriter& json) {
  std::string text = json.end_object().take();
  text.pop_back();
  return text;
}

}  // namespace

std::string face_json(const FaceObservation& face) {
  JsonWriter json;
  json.begin_object(kInline);
  put_face(json, face);
  return line_of(json);
}

std::string window_json(const WindowRow& row, const std::vector<std::string>& classes) {
  JsonWriter json;
  json.begin_object(kInline);
  put_window(json, row.window, classes);
  if (row.has_mask()) {
    json.key("mask").begin_array();
    for (int slot = 0; slot < row.slots; ++slot) {
      json.number(static_cast<double>(row.slot_mean(slot)), 4);
    }
    json.end_array();
  }
  return line_of(json);
}

std::string event_json(const Event& event, const std::string& input,
                       const std::vector<std::string>& classes) {
  JsonWriter json;
  json.begin_object(kInline).key("event").string(event_name(event.kind));
  json.key("input").string(input);
  if (event.kind == EventKind::kExpression) {
    put_window(json, event.expression, classes);
  } else {
    put_face(json, event.face);
  }
  return line_of(json);
}

Status write_result_json(core::AtomicFile& out, const ResultFacts& facts,
                         const std::string& window_rows, const std::string& face_rows) {
  JsonWriter json;
  json.begin_object();
  json.key("input").string(facts.summary.input);
  if (!facts.summary.note.empty()) json.key("note").string(facts.summary.note);
  write_video(json, facts.summary);
  write_model(json, facts);
  write_settings(json, facts);
  write_timings(json, facts.summary);
  write_tracks(json, facts.summary);
  MIEN_TRY(copy_rows(out, json, "expressions", window_rows));
  MIEN_TRY(copy_rows(out, json, "faces", face_rows));
  json.end_object();
  return out.write(json.take());
}

}  // namespace mien::pipeline
