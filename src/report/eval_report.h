// Everything that a report of an evaluation says, computed from the table of scores, and its JSON
// and CSV. The page for people is in html.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mien/result.hpp"
#include "report/calibration.h"
#include "report/interval.h"
#include "report/mask_quality.h"
#include "report/protocol.h"
#include "report/score_table.h"
#include "report/training_history.h"

namespace mien::report {

// A clip (or picture) that was answered wrongly.
struct Mistake {
  std::string id{};
  int fold = 1;
  std::size_t truth = 0;  // class indices
  std::size_t predicted = 0;
  double confidence = 0;         // probability of the answer
  double truth_probability = 0;  // what the true class got
  // Some of its frames side by side, a PNG or JPEG file; empty where there is no picture.
  std::vector<std::uint8_t> strip{};
};

struct NamedHistory {
  std::string name{};  // "fold 1"; may be empty
  TrainingHistory history{};
};

struct EvalReport {
  // By make_report.
  ScoreTable scores{};
  ProtocolReport protocol{};
  RateIntervals intervals{};        // of protocol.mean, by the bootstrap below
  Interval war_wilson{};            // 95 %, of protocol.pooled.war
  BootstrapOptions bootstrap{};     // how `intervals` came about
  Calibration calibration{};        // over all clips
  std::vector<Mistake> mistakes{};  // the surest first; the caller adds the strips
  // By the caller: what one row of the scores is, in the singular; an "s" makes the plural.
  std::string item = "clip";
  // By the caller; any bytes, any of them may be empty.
  std::string title{};    // of the page
  std::string dataset{};  // which data, which split
  std::string model{};
  std::optional<MaskQuality> mask{};  // where the truth about moments is known
  std::vector<NamedHistory> histories{};
  std::vector<std::pair<std::string, std::string>> settings{};  // name and value, in order
  std::string repeat{};  // the command that makes this report again; may have several lines
};

struct ReportOptions {
  bool allow_partial = false;  // see AggregateOptions
  std::size_t mistakes = 20;   // at most
  int bins = 15;               // of the calibration
  BootstrapOptions bootstrap{};
};

// The wrong answers with the greatest confidence, at most `most`, the surest first (then by fold
// and id). `table` as check_scores wants it.
std::vector<Mistake> most_confident_mistakes(const ScoreTable& table, std::size_t most);

// Errors: those of check_scores and aggregate.
Result<EvalReport> make_report(ScoreTable scores, const Protocol& protocol,
                               const ReportOptions& options = {});

// n, war, uar, macro_f1 (the headline: means over the folds), classes, per_class, confusion (both
// of all clips), protocol, folds, std, pooled, ci, ece, reliability, mistakes, and what the caller
// gave: mask (clips, rank_correlation,
// rank_correlation_place, apex_kept, apex_kept_random; only when given) and the texts.
// Rates are 0..1; null stands for what could not be computed.
std::string report_json(const EvalReport& report);

// One row per class: class,support,predicted,recall,precision,f1, over all clips.
std::string report_csv(const EvalReport& report);

}  // namespace mien::report
