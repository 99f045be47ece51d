#include "cli/eval_output.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "report/html.h"
#include "report/text.h"

namespace mien::cli {
namespace {

constexpr std::string_view kFoldMark = "{fold}";

// What every shell passes on as it is. "{fold}" is among it: braces are only taken apart when a
// comma or two dots stand in them.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-+./:=@%{}").find(c) != std::string_view::npos;
}

std::string percent(double rate) {
  return report::fixed(100.0 * rate, 2) + " %";
}

// What is said about a soft mask; "" when nothing is known.
std::string mask_line(const report::EvalReport& report) {
  if (!report.mask) return "";
  const report::MaskQuality& mask = *report.mask;
  return "mask against the truth of " + std::to_string(mask.clips) + " " + report.item +
         "s: rank correlation " + report::fixed(mask.rank_correlation, 3) +
         " (by the place in the clip alone " + report::fixed(mask.rank_correlation_place, 3) +
         "), apex frames kept " + percent(mask.apex_kept) + " (at random " +
         percent(mask.apex_kept_random) + ")\n";
}

}  // namespace

std::string shell_word(const std::string& word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string with_fold(std::string text, int fold) {
  const std::string number = std::to_string(fold);
  for (auto at = text.find(kFoldMark); at != std::string::npos;
       at = text.find(kFoldMark, at + number.size())) {
    text.replace(at, kFoldMark.size(), number);
  }
  return text;
}

RepeatLine& RepeatLine::option(const std::string& name, const std::string& value) {
  if (!value.empty()) text_ += " " + name + " " + shell_word(value);
  return *this;
}

RepeatLine& RepeatLine::option(const std::string& name, const std::vector<std::string>& values) {
  if (!values.empty()) text_ += " " + name;
  for (const std::string& value : values) text_ += " " + shell_word(value);
  return *this;
}

RepeatLine& RepeatLine::flag(const std::string& name, bool given) {
  if (given) text_ += " " + name;
  return *this;
}

Result<std::vector<report::NamedHistory>> read_histories(
    const std::vector<std::string>& patterns, const std::vector<report::FoldResult>& folds) {
  std::vector<report::NamedHistory> histories;
  for (const std::string& pattern : patterns) {
    if (pattern.find(kFoldMark) == std::string::npos) {
      MIEN_ASSIGN(report::TrainingHistory history, report::read_history(pattern));
      histories.push_back({pattern, std::move(history)});
      continue;
    }
    for (const report::FoldResult& fold : folds) {
      MIEN_ASSIGN(report::TrainingHistory history,
                  report::read_history(with_fold(pattern, fold.fold)));
      histories.push_back({"fold " + std::to_string(fold.fold), std::move(history)});
    }
  }
  return histories;
}

Result<std::string> hand_over(const report::EvalReport& report, const std::string& folder,
                              bool json) {
  if (!folder.empty()) MIEN_TRY(report::write_report(folder, report));
  if (json) return report::report_json(report);
  const report::ProtocolReport& protocol = report.protocol;
  std::string text = report::metrics_table(protocol.confusion, report.scores.classes);
  text += protocol.protocol.title + ", " + protocol.basis();
  if (protocol.folds.size() > 1) {
    // The table above throws the folds together; papers report the mean over them.
    text += ": WAR " + percent(protocol.mean.war) + ", UAR " + percent(protocol.mean.uar) +
            ", macro F1 " + percent(protocol.mean.macro_f1) + " (above: all " + report.item +
            "s pooled)";
  }
  text += "\n" + mask_line(report);
  if (!folder.empty()) text += "report: " + folder + "/report.html\n";
  return text;
}

}  // namespace mien::cli
