#include "report/protocol.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace mien::report {
namespace {

// More folds than anyone makes (leaving one of RAVDESS's 24 or CREMA-D's 91 actors out).
constexpr int kMaxFolds = 1000;

struct KnownProtocol {
  Protocol protocol;
  bool fixed_folds;  // by the authors' lists
};

// Sizes of the test lists: those that S2D's annotation files have, which are the official ones.
std::vector<KnownProtocol> known_protocols() {
  return {
      {{"dfew", "DFEW", 5, {2341, 2341, 2340, 2339, 2336}}, true},
      {{"ferv39k", "FERV39k", 1, {7847}}, true},
      {{"mafw", "MAFW (single labels)", 5, {1839, 1837, 1833, 1832, 1831}}, true},
      {{"ravdess", "RAVDESS", 5, {}}, false},
      {{"crema-d", "CREMA-D", 5, {}}, false},
      {{"single", "Single test set", 1, {}}, true},
  };
}

std::string protocol_key(std::string_view name) {
  std::string key;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  // The layouts of a data set share its protocol.
  constexpr std::string_view kOtherLists = "maedfer";
  if (key.starts_with(kOtherLists)) key.erase(0, kOtherLists.size());
  if (key == "dfeworiginal") return "dfew";
  if (key == "manifest") return "single";
  return key;
}

// "1, 2, 5"
std::string list_of(const std::vector<int>& numbers) {
  std::string out;
  for (const int number : numbers) out += (out.empty() ? "" : ", ") + std::to_string(number);
  return out;
}

Error refuse_folds(const Protocol& protocol, const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, what, protocol.title);
}

Status check_folds(const Protocol& protocol, std::span<const FoldResult> folds) {
  if (folds.empty()) return refuse_folds(protocol, "no fold was evaluated");
  std::set<int> seen;
  for (const FoldResult& result : folds) {
    const std::string name = "fold " + std::to_string(result.fold);
    if (result.fold < 1 || result.fold > protocol.folds) {
      return refuse_folds(protocol,
                          name + " is outside 1.." + std::to_string(std::max(protocol.folds, 1)));
    }
    if (!seen.insert(result.fold).second) return refuse_folds(protocol, name + " is given twice");
    if (result.confusion.total() == 0) return refuse_folds(protocol, name + " has no clips");
    if (result.confusion.classes() != folds.front().confusion.classes()) {
      return refuse_folds(protocol, name + " has " + std::to_string(result.confusion.classes()) +
                                        " classes, others have " +
                                        std::to_string(folds.front().confusion.classes()));
    }
  }
  return {};
}

// Mean and sample deviation of one figure over the folds.
std::pair<double, double> spread_of(const std::vector<FoldRates>& folds, double Rates::*figure) {
  const auto count = static_cast<double>(folds.size());
  double mean = 0.0;
  for (const FoldRates& fold : folds) mean += fold.rates.*figure / count;
  if (folds.size() < 2) return {mean, 0.0};
  double squares = 0.0;
  for (const FoldRates& fold : folds) squares += std::pow(fold.rates.*figure - mean, 2);
  return {mean, std::sqrt(squares / (count - 1.0))};
}

void add_notes(ProtocolReport& report) {
  if (report.partial()) {
    report.notes.push_back("Partial: without fold " + list_of(report.missing) + " of " +
                           std::to_string(report.protocol.folds) +
                           "; not comparable with figures over all folds.");
  }
  for (const FoldRates& fold : report.folds) {
    const auto index = static_cast<std::size_t>(fold.fold - 1);
    if (index >= report.protocol.official_clips.size()) continue;
    const std::int64_t official = report.protocol.official_clips[index];
    if (fold.clips == official) continue;
    report.notes.push_back(
        (report.protocol.folds == 1 ? "The test set" : "Fold " + std::to_string(fold.fold)) +
        " has " + std::to_string(fold.clips) + " clips, the official test list " +
        std::to_string(official) + "; not comparable with published figures.");
  }
}

}  // namespace

Result<Protocol> find_protocol(std::string_view name, int folds) {
  std::string known;
  for (KnownProtocol& candidate : known_protocols()) {
    Protocol& protocol = candidate.protocol;
    known += (known.empty() ? "" : ", ") + protocol.name;
    if (protocol_key(protocol.name) != protocol_key(name)) continue;
    if (folds > 0 && folds != protocol.folds && candidate.fixed_folds) {
      return refuse_folds(protocol, "is tested on " + std::to_string(protocol.folds) +
                                        (protocol.folds == 1 ? " split" : " folds") + ", not " +
                                        std::to_string(folds));
    }
    if (folds > kMaxFolds) return refuse_folds(protocol, "cannot have so many folds");
    if (folds > 0) protocol.folds = folds;
    return std::move(protocol);
  }
  return make_error(ErrorCode::kNotFound,
                    "no protocol '" + std::string(name) + "'; there are " + known);
}

std::vector<std::string> protocol_names() {
  std::vector<std::string> names;
  for (const KnownProtocol& known : known_protocols()) names.push_back(known.protocol.name);
  return names;
}

Result<std::vector<FoldResult>> folds_of(const ScoreTable& table) {
  std::map<int, std::vector<ClipScore>> clips;
  for (const ClipScore& clip : table.clips) clips[clip.fold].push_back(clip);
  std::vector<FoldResult> folds;
  for (const auto& [fold, scores] : clips) {
    MIEN_ASSIGN(ConfusionMatrix confusion, confusion_of(scores, table.classes.size()));
    folds.push_back({fold, std::move(confusion)});
  }
  return folds;
}

Rates rates_of(const ConfusionMatrix& matrix) {
  return {matrix.war(), matrix.uar(), matrix.macro_f1()};
}

std::string ProtocolReport::basis() const {
  if (protocol.folds == 1) return "one split";
  const std::string of_all = " of " + std::to_string(protocol.folds);
  if (!partial()) return "mean" + of_all + " folds";
  std::vector<int> present;
  for (const FoldRates& fold : folds) present.push_back(fold.fold);
  if (present.size() == 1) return "fold " + list_of(present) + of_all + " alone (partial)";
  return "mean of folds " + list_of(present) + of_all + " (partial)";
}

Result<ProtocolReport> aggregate(const Protocol& protocol, std::span<const FoldResult> folds,
                                 const AggregateOptions& options) {
  MIEN_TRY(check_folds(protocol, folds));
  ProtocolReport report;
  report.protocol = protocol;
  report.results.assign(folds.begin(), folds.end());
  std::sort(report.results.begin(), report.results.end(),
            [](const FoldResult& a, const FoldResult& b) { return a.fold < b.fold; });
  report.confusion = ConfusionMatrix(folds.front().confusion.classes());
  std::set<int> present;
  for (const FoldResult& result : report.results) {
    report.folds.push_back({result.fold, result.confusion.total(), rates_of(result.confusion)});
    MIEN_TRY(report.confusion.merge(result.confusion));
    present.insert(result.fold);
  }
  for (int fold = 1; fold <= protocol.folds; ++fold) {
    if (!present.contains(fold)) report.missing.push_back(fold);
  }
  if (report.partial() && !options.allow_partial) {
    return refuse_folds(protocol, "fold " + list_of(report.missing) + " of " +
                                      std::to_string(protocol.folds) + " is missing");
  }
  for (double Rates::*figure : {&Rates::war, &Rates::uar, &Rates::macro_f1}) {
    const auto [mean, deviation] = spread_of(report.folds, figure);
    report.mean.*figure = mean;
    report.deviation.*figure = deviation;
  }
  report.pooled = rates_of(report.confusion);
  add_notes(report);
  return report;
}

}  // namespace mien::report
