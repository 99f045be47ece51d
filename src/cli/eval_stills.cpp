#include "cli/eval_stills.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/files.h"
#include "learn/data/eval_set.h"
#include "learn/data/face_geometry.h"
#include "media/image.h"
#include "report/eval_report.h"
#include "report/html.h"
#include "report/json_writer.h"
#include "report/metrics.h"

namespace mien::cli {
namespace {

constexpr int kPictureSide = 168;  // of the report's pictures, pixels; as on the sheet
constexpr int kPictureQuality = 85;

// What the model said about one picture.
struct StillAnswer {
  std::size_t still = 0;     // index into the set
  learn::CropFrame frame{};  // what the model saw of it
  std::size_t truth = 0;
  std::size_t predicted = 0;
  bool duplicate = false;  // nearly the same picture is in the training part
  std::vector<float> logits{};
};

struct Answers {
  learn::StillSet set;
  std::vector<std::string> classes;
  std::string precision;
  std::vector<StillAnswer> stills;  // those with a label
};

Result<Answers> answer_stills(const StillEvalArguments& arguments) {
  MIEN_ASSIGN(const Recognizer model,
              Recognizer::load(arguments.model, {arguments.precision, arguments.threads}));
  MIEN_ASSIGN(Recognizer::Session session, model.session());
  Answers answers;
  answers.classes = model.classes();
  answers.precision = precision_name(model.precision());
  MIEN_ASSIGN(answers.set, learn::read_stills(arguments.source, answers.classes));
  std::set<std::string> duplicates;
  if (const std::string list = learn::duplicates_list_of(arguments.source); !list.empty()) {
    MIEN_ASSIGN(duplicates, learn::read_name_list(list));
  }
  for (std::size_t index = 0; index < answers.set.stills.size(); ++index) {
    const learn::Still& still = answers.set.stills[index];
    if (still.majority < 0) continue;
    StillAnswer answer;
    answer.still = index;
    answer.frame = evaluated_frame(still, model.face_template());
    const auto crop = learn::crop_rgb(answers.set, still, answer.frame, model.input_size());
    answer.logits.resize(answers.classes.size());
    MIEN_TRY(session.still_logits(crop, 1, answer.logits));
    answer.truth = static_cast<std::size_t>(still.majority);
    answer.predicted = report::argmax(answer.logits);
    answer.duplicate = duplicates.contains(still.name);
    answers.stills.push_back(std::move(answer));
  }
  return answers;
}

// Wrong answers are worse the surer they are; among the right ones the unsure are worse.
SheetTile tile_of(const StillAnswer& answer, const std::vector<std::string>& classes) {
  float sum = 0.0F;
  for (const float logit : answer.logits) sum += std::exp(logit - answer.logits[answer.predicted]);
  const float confidence = 1.0F / sum;
  char said[64];
  std::snprintf(said, sizeof(said), "said %s %.2f", classes[answer.predicted].c_str(),
                static_cast<double>(confidence));
  const double badness = answer.truth == answer.predicted ? -static_cast<double>(confidence)
                                                          : static_cast<double>(confidence);
  return {answer.still, answer.frame, badness, {"is " + classes[answer.truth], said}, {}};
}

Status write_tiles(const StillEvalArguments& arguments, const Answers& answers) {
  std::vector<SheetTile> tiles;
  for (const StillAnswer& answer : answers.stills) {
    tiles.push_back(tile_of(answer, answers.classes));
  }
  return write_sheet(arguments.sheet, answers.set, std::move(tiles), arguments.sheet_order);
}

Result<report::ConfusionMatrix> count_answers(const Answers& answers, bool with_duplicates) {
  report::ConfusionMatrix matrix(answers.classes.size());
  for (const StillAnswer& answer : answers.stills) {
    if (answer.duplicate && !with_duplicates) continue;
    MIEN_TRY(matrix.add(answer.truth, answer.predicted));
  }
  return matrix;
}

// ---- eval.json and the table

void write_summary(report::JsonWriter& json, const report::ConfusionMatrix& m) {
  json.key("n").integer(m.total());
  json.key("war").number(m.war(), 6);
  json.key("uar").number(m.uar(), 6);
  json.key("macro_f1").number(m.macro_f1(), 6);
}

// `m` has the pictures that count, `all` the near-duplicates of training pictures too.
std::string stills_json(const StillEvalArguments& arguments, const Answers& answers,
                        const report::ConfusionMatrix& m, const report::ConfusionMatrix& all) {
  report::JsonWriter json;
  json.begin_object();
  json.key("model").string(arguments.model);
  json.key("data").string(arguments.source.path);
  json.key("split").string(arguments.source.split);
  json.key("precision").string(answers.precision);
  write_summary(json, m);
  json.key("classes").strings(answers.classes);
  json.key("per_class").begin_array();
  const auto per_class = m.per_class();
  for (std::size_t i = 0; i < per_class.size(); ++i) {
    json.begin_object(report::JsonWriter::Layout::kInline);
    json.key("class").string(answers.classes[i]);
    json.key("support").integer(per_class[i].support);
    json.key("recall").number(per_class[i].recall, 6);
    json.key("precision").number(per_class[i].precision, 6);
    json.key("f1").number(per_class[i].f1, 6);
    json.end_object();
  }
  json.end_array();
  json.key("confusion").begin_array();
  for (std::size_t t = 0; t < m.classes(); ++t) {
    json.begin_array(report::JsonWriter::Layout::kInline);
    for (std::size_t p = 0; p < m.classes(); ++p) json.integer(m.count(t, p));
    json.end_array();
  }
  json.end_array();
  json.key("with_duplicates").begin_object(report::JsonWriter::Layout::kInline);
  write_summary(json, all);
  json.end_object();
  json.end_object();
  return json.take() + "\n";
}

std::string stills_text(const Answers& answers, const report::ConfusionMatrix& m,
                        const report::ConfusionMatrix& all) {
  char line[160];
  std::snprintf(line, sizeof(line),
                "with near-duplicates of training pictures: n %ld, WAR %.2f %%, UAR %.2f %%\n",
                static_cast<long>(all.total()), 100.0 * all.war(), 100.0 * all.uar());
  return report::metrics_table(m, answers.classes) + line;
}

// ---- the report

using AnswersById = std::map<std::string, const StillAnswer*>;

// Pictures of several folders may share a name, and some have none; ids must differ.
std::string free_id(const learn::Still& still, std::size_t index, const AnswersById& taken) {
  const std::string place = "#" + std::to_string(index);
  std::string id = still.name.empty() ? place : still.name;
  if (taken.contains(id)) id += " " + place;
  while (taken.contains(id)) id += "'";  // somebody named a picture like that
  return id;
}

std::vector<std::uint8_t> picture_of(const Answers& answers, const StillAnswer& answer) {
  media::Image picture;
  picture.width = kPictureSide;
  picture.height = kPictureSide;
  picture.rgb =
      learn::crop_rgb(answers.set, answers.set.stills[answer.still], answer.frame, kPictureSide);
  auto jpeg = media::encode_jpeg(picture, kPictureQuality);
  return jpeg ? std::move(*jpeg) : std::vector<std::uint8_t>{};
}

void describe(const StillEvalArguments& arguments, const Answers& answers, std::size_t duplicates,
              report::EvalReport& report) {
  report.item = "picture";
  report.title = "Stills: " + std::filesystem::path(arguments.model).filename().string();
  report.dataset = arguments.source.path + " (" + arguments.source.split + ")";
  report.model = arguments.model;
  report.settings = {
      {"computed by", "engine, " + answers.precision},
      {"near-duplicates of training pictures",
       std::to_string(duplicates) + (arguments.keep_duplicates ? ", counted" : ", left out")}};
  report.repeat = arguments.repeat;
}

// Writes the report of the pictures that count, of which there is at least one.
Status write_still_report(const StillEvalArguments& arguments, const Answers& answers) {
  report::ScoreTable table;
  table.classes = answers.classes;
  AnswersById by_id;
  std::size_t duplicates = 0;
  for (const StillAnswer& answer : answers.stills) {
    if (answer.duplicate) ++duplicates;
    if (answer.duplicate && !arguments.keep_duplicates) continue;
    const std::string id = free_id(answers.set.stills[answer.still], answer.still, by_id);
    by_id[id] = &answer;
    report::ClipScore score{.id = id, .truth = static_cast<int>(answer.truth)};
    score.probabilities = report::softmax(answer.logits);
    score.views = 1;
    table.clips.push_back(std::move(score));
  }
  MIEN_ASSIGN(const report::Protocol protocol, report::find_protocol("single"));
  MIEN_ASSIGN(report::EvalReport report, report::make_report(std::move(table), protocol));
  describe(arguments, answers, duplicates, report);
  for (report::Mistake& mistake : report.mistakes) {
    mistake.strip = picture_of(answers, *by_id.at(mistake.id));
  }
  return report::write_report(arguments.out, report);
}

}  // namespace

learn::CropFrame evaluated_frame(const learn::Still& still,
                                 const std::vector<float>& face_template) {
  const bool templated = !still.framed && !still.points.empty() && face_template.size() == 10;
  return templated ? learn::frame_on_template(still.points, face_template)
                   : learn::frame_on_picture(still);
}

Result<std::string> evaluate_stills(const StillEvalArguments& arguments) {
  MIEN_ASSIGN(const Answers answers, answer_stills(arguments));
  if (!arguments.sheet.empty()) MIEN_TRY(write_tiles(arguments, answers));
  MIEN_ASSIGN(const report::ConfusionMatrix all, count_answers(answers, true));
  MIEN_ASSIGN(const report::ConfusionMatrix counted,
              count_answers(answers, arguments.keep_duplicates));
  const std::string json = stills_json(arguments, answers, counted, all);
  std::string text = stills_text(answers, counted, all);
  if (!arguments.out.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(arguments.out, ignored);
    MIEN_TRY(core::write_file_atomically(arguments.out + "/eval.json", json));
    if (counted.total() > 0) {
      MIEN_TRY(write_still_report(arguments, answers));
      text += "report: " + arguments.out + "/report.html\n";
    }
  }
  return arguments.json ? json : text;
}

}  // namespace mien::cli
