#include "report/metrics.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "report/text.h"

namespace mien::report {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// `text` in a column of `width`; names to the left, numbers to the right.
std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string percent(double rate) {
  return fixed(100.0 * rate, 2);
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::size_t classes)
    : classes_(std::max<std::size_t>(classes, 1)), counts_(classes_ * classes_, 0) {}

Status ConfusionMatrix::add(std::size_t truth, std::size_t predicted, std::int64_t times) {
  if (truth >= classes_ || predicted >= classes_) {
    return make_error(ErrorCode::kInvalidArgument,
                      "class " + std::to_string(std::max(truth, predicted)) + " of a matrix of " +
                          std::to_string(classes_));
  }
  if (times < 0) return make_error(ErrorCode::kInvalidArgument, "a count is negative");
  counts_[truth * classes_ + predicted] += times;
  return {};
}

Status ConfusionMatrix::merge(const ConfusionMatrix& other) {
  if (other.classes_ != classes_) {
    return make_error(ErrorCode::kInvalidArgument, "matrices of " + std::to_string(classes_) +
                                                       " and " + std::to_string(other.classes_) +
                                                       " classes cannot be added");
  }
  std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(),
                 std::plus<>());
  return {};
}

std::int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

double ConfusionMatrix::war() const {
  std::int64_t right_answers = 0;
  for (std::size_t i = 0; i < classes_; ++i) right_answers += count(i, i);
  return ratio(right_answers, total());
}

double ConfusionMatrix::uar() const {
  double sum = 0;
  std::int64_t present = 0;
  for (const ClassMetrics& c : per_class()) {
    if (c.support == 0) continue;
    sum += c.recall;
    ++present;
  }
  return present == 0 ? 0.0 : sum / static_cast<double>(present);
}

double ConfusionMatrix::macro_f1() const {
  double sum = 0;
  std::int64_t seen = 0;
  for (const ClassMetrics& c : per_class()) {
    if (c.support == 0 && c.predicted == 0) continue;
    sum += c.f1;
    ++seen;
  }
  return seen == 0 ? 0.0 : sum / static_cast<double>(seen);
}

std::vector<ClassMetrics> ConfusionMatrix::per_class() const {
  std::vector<ClassMetrics> out(classes_);
  for (std::size_t i = 0; i < classes_; ++i) {
    ClassMetrics& c = out[i];
    for (std::size_t j = 0; j < classes_; ++j) {
      c.support += count(i, j);
      c.predicted += count(j, i);
    }
    c.recall = ratio(count(i, i), c.support);
    c.precision = ratio(count(i, i), c.predicted);
    c.f1 = ratio(2 * count(i, i), c.support + c.predicted);
  }
  return out;
}

std::size_t argmax(std::span<const float> values) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    // The second half lets the first number win over a NaN before it.
    if (values[i] > values[best] || (values[best] != values[best] && values[i] == values[i])) {
      best = i;
    }
  }
  return best;
}

std::string class_name(const std::vector<std::string>& classes, std::size_t index) {
  return index < classes.size() ? classes[index] : std::to_string(index);
}

std::string metrics_table(const ConfusionMatrix& matrix, const std::vector<std::string>& classes) {
  std::size_t width = 8;
  for (const std::string& name : classes) width = std::max(width, name.size());
  constexpr std::size_t kColumn = 11;
  std::string out = left("class", width) + right("recall %", kColumn) +
                    right("precision %", kColumn + 2) + right("F1 %", kColumn) +
                    right("samples", kColumn) + "\n";
  const auto rows = matrix.per_class();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out += left(class_name(classes, i), width) + right(percent(rows[i].recall), kColumn) +
           right(percent(rows[i].precision), kColumn + 2) + right(percent(rows[i].f1), kColumn) +
           right(std::to_string(rows[i].support), kColumn) + "\n";
  }
  return out + "WAR " + percent(matrix.war()) + " %, UAR " + percent(matrix.uar()) +
         " %, macro F1 " + percent(matrix.macro_f1()) + " %, " + std::to_string(matrix.total()) +
         " samples\n";
}

}  // namespace mien::report
