#include "report/score_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "core/csv.h"
#include "core/files.h"
#include "report/csv_writer.h"

namespace mien::report {
namespace {

constexpr std::array<std::string_view, 6> kScoreColumns = {"id",        "fold",       "truth",
                                                           "predicted", "confidence", "views"};
// Views are averaged in f32 precision; other writers may round to a few digits.
constexpr double kSumTolerance = 1e-3;
constexpr double kConfidenceTolerance = 1e-5;
// More than any test has; keeps `fold` and `views` of a hostile file far from overflow.
constexpr std::int64_t kMaxCount = 1'000'000;

// The shortest digits that read back as the same float.
std::string exact_digits(float value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), end.ptr};
}

std::string name_of_clip(const ClipScore& clip) {
  return "clip '" + clip.id + "' of fold " + std::to_string(clip.fold);
}

Error bad_scores(const std::string& what) {
  return make_error(ErrorCode::kBadFormat, what);
}

Status check_class_names(const std::vector<std::string>& classes) {
  if (classes.empty()) return bad_scores("has no classes");
  std::set<std::string_view> seen;
  for (const std::string& name : classes) {
    if (name.empty()) return bad_scores("a class has an empty name");
    if (!seen.insert(name).second) return bad_scores("class '" + name + "' appears twice");
  }
  return {};
}

Status check_clip(const ClipScore& clip, std::size_t classes) {
  if (clip.id.empty()) return bad_scores("a clip has no id");
  if (clip.fold < 1) return bad_scores(name_of_clip(clip) + ": folds count from 1");
  if (clip.views < 1) return bad_scores(name_of_clip(clip) + ": has no views");
  if (clip.truth < 0 || static_cast<std::size_t>(clip.truth) >= classes) {
    return bad_scores(name_of_clip(clip) + ": its class " + std::to_string(clip.truth) +
                      " is none of the " + std::to_string(classes));
  }
  if (clip.probabilities.size() != classes) {
    return bad_scores(name_of_clip(clip) + ": " + std::to_string(clip.probabilities.size()) +
                      " probabilities for " + std::to_string(classes) + " classes");
  }
  double sum = 0.0;
  for (const float value : clip.probabilities) {
    // Written so that NaN fails too.
    if (!(value >= 0.0F && value <= 1.0F)) {
      return bad_scores(name_of_clip(clip) + ": a probability is not within 0..1");
    }
    sum += static_cast<double>(value);
  }
  if (std::abs(sum - 1.0) > kSumTolerance) {
    return bad_scores(name_of_clip(clip) + ": the probabilities do not sum to 1");
  }
  return {};
}

Result<int> class_by_name(const std::vector<std::string>& classes, const std::string& name) {
  const auto at = std::find(classes.begin(), classes.end(), name);
  if (at == classes.end()) return bad_scores("'" + name + "' is none of the classes");
  return static_cast<int>(at - classes.begin());
}

Result<std::vector<std::string>> classes_of_header(const std::vector<std::string>& header) {
  if (header.size() <= kScoreColumns.size() ||
      !std::equal(kScoreColumns.begin(), kScoreColumns.end(), header.begin())) {
    return bad_scores(
        "the header is not id,fold,truth,predicted,confidence,views and the class names");
  }
  return std::vector<std::string>(
      header.begin() + static_cast<std::ptrdiff_t>(kScoreColumns.size()), header.end());
}

// `fields` are as many as the header's.
Result<ClipScore> clip_of_row(const std::vector<std::string>& fields,
                              const std::vector<std::string>& classes) {
  ClipScore clip;
  clip.id = fields[0];
  const auto fold = core::integer_in(fields[1], 1, kMaxCount);
  const auto views = core::integer_in(fields[5], 1, kMaxCount);
  if (!fold) return bad_scores("'" + fields[1] + "' is no fold");
  if (!views) return bad_scores("'" + fields[5] + "' is no number of views");
  clip.fold = static_cast<int>(*fold);
  clip.views = static_cast<int>(*views);
  MIEN_ASSIGN(clip.truth, class_by_name(classes, fields[2]));
  MIEN_ASSIGN(const int predicted, class_by_name(classes, fields[3]));
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::string& field = fields[kScoreColumns.size() + i];
    const auto value = core::float_in(field);
    if (!value || !(*value >= 0.0F && *value <= 1.0F)) {
      return bad_scores("'" + field + "' is no probability");
    }
    clip.probabilities.push_back(*value);
  }
  MIEN_TRY(check_clip(clip, classes.size()));
  const std::size_t best = argmax(clip.probabilities);
  if (best != static_cast<std::size_t>(predicted)) {
    return bad_scores("predicted is '" + fields[3] + "', but the probabilities say '" +
                      classes[best] + "'");
  }
  const auto confidence = core::number_in(fields[4]);
  const double expected = static_cast<double>(clip.probabilities[best]);
  if (!confidence || !(std::abs(*confidence - expected) <= kConfidenceTolerance)) {
    return bad_scores("the confidence '" + fields[4] + "' is not the answer's probability");
  }
  return clip;
}

// Errors without a context.
Result<ScoreTable> read_table(std::string_view text) {
  MIEN_ASSIGN(core::CsvReader reader, core::CsvReader::open(text, {}));
  ScoreTable table;
  MIEN_ASSIGN(table.classes, classes_of_header(reader.header().names()));
  MIEN_TRY(check_class_names(table.classes));
  core::CsvRecord row;
  while (true) {
    MIEN_ASSIGN(const bool more, reader.next(row));
    if (!more) break;
    auto clip = clip_of_row(row.fields, table.classes);
    if (!clip) return reader.header().error(row, clip.error().message);
    table.clips.push_back(*std::move(clip));
  }
  MIEN_TRY(check_scores(table));
  return table;
}

}  // namespace

std::vector<float> softmax(std::span<const float> logits) {
  std::vector<float> out(logits.size());
  if (logits.empty()) return out;
  const double top = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - top);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(std::exp(static_cast<double>(logits[i]) - top) / sum);
  }
  return out;
}

Result<bool> ViewScores::add(const View& view, std::span<const float> logits) {
  const auto refuse = [&](const std::string& what) {
    return make_error(ErrorCode::kInvalidArgument, what, view.id);
  };
  if (logits.size() != classes_) {
    return refuse(std::to_string(logits.size()) + " logits for " + std::to_string(classes_) +
                  " classes");
  }
  if (!std::all_of(logits.begin(), logits.end(), [](float v) { return std::isfinite(v); })) {
    return refuse("a logit is not finite");
  }
  if (view.truth < 0 || static_cast<std::size_t>(view.truth) >= classes_) {
    return refuse("class " + std::to_string(view.truth) + " is none of the " +
                  std::to_string(classes_));
  }
  const auto [at, fresh] = index_.try_emplace({view.fold, view.id}, clips_.size());
  if (fresh) clips_.push_back({view.id, view.fold, view.truth, {}});
  Clip& clip = clips_[at->second];
  if (clip.truth != view.truth) {
    return refuse("two views of the clip name different classes");
  }
  const auto [place, is_new] = clip.views.try_emplace({view.segment, view.crop});
  if (is_new) place->second = softmax(logits);
  return is_new;
}

std::vector<ClipScore> ViewScores::scores() const {
  std::vector<ClipScore> out;
  out.reserve(clips_.size());
  for (const Clip& clip : clips_) {
    std::vector<double> sums(classes_, 0.0);
    for (const auto& [place, probabilities] : clip.views) {
      for (std::size_t i = 0; i < classes_; ++i) sums[i] += static_cast<double>(probabilities[i]);
    }
    ClipScore score{.id = clip.id, .fold = clip.fold, .truth = clip.truth};
    score.views = static_cast<int>(clip.views.size());
    for (const double sum : sums) {
      score.probabilities.push_back(static_cast<float>(sum / score.views));
    }
    out.push_back(std::move(score));
  }
  return out;
}

Status check_scores(const ScoreTable& table) {
  MIEN_TRY(check_class_names(table.classes));
  std::set<std::pair<int, std::string_view>> seen;
  for (const ClipScore& clip : table.clips) {
    MIEN_TRY(check_clip(clip, table.classes.size()));
    if (!seen.emplace(clip.fold, clip.id).second) {
      return bad_scores(name_of_clip(clip) + " appears twice");
    }
  }
  return {};
}

Result<ConfusionMatrix> confusion_of(std::span<const ClipScore> clips, std::size_t classes) {
  ConfusionMatrix matrix(classes);
  for (const ClipScore& clip : clips) {
    if (clip.truth < 0 || clip.probabilities.size() != classes) {
      return make_error(ErrorCode::kInvalidArgument,
                        "does not fit " + std::to_string(classes) + " classes", clip.id);
    }
    MIEN_TRY(matrix.add(static_cast<std::size_t>(clip.truth), argmax(clip.probabilities)));
  }
  return matrix;
}

Result<std::string> scores_csv(const ScoreTable& table) {
  MIEN_TRY(check_scores(table));
  std::vector<std::string> columns(kScoreColumns.begin(), kScoreColumns.end());
  columns.insert(columns.end(), table.classes.begin(), table.classes.end());
  std::string out = csv_header(columns);
  for (const ClipScore& clip : table.clips) {
    const std::size_t best = argmax(clip.probabilities);
    CsvRow row;
    row.text(clip.id).integer(clip.fold).text(table.classes[static_cast<std::size_t>(clip.truth)]);
    row.text(table.classes[best]).text(exact_digits(clip.probabilities[best])).integer(clip.views);
    for (const float value : clip.probabilities) row.text(exact_digits(value));
    out += row.line();
  }
  return out;
}

Result<ScoreTable> parse_scores_csv(std::string_view text, const std::string& context) {
  auto table = read_table(text);
  if (!table) return table.error().within(context);
  return table;
}

Status write_scores(const std::string& path, const ScoreTable& table) {
  const auto text = scores_csv(table);
  if (!text) return text.error().within(path);
  return core::write_file_atomically(path, *text);
}

Result<ScoreTable> read_scores(const std::string& path) {
  MIEN_ASSIGN(const std::string text, core::read_text_file(path, core::kMaxCsvBytes));
  return parse_scores_csv(text, path);
}

}  // namespace mien::report
