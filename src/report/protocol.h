// From the test folds of a data set to the figures that its papers report.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mien/result.hpp"
#include "report/metrics.h"
#include "report/score_table.h"

namespace mien::report {

// How a data set is tested.
struct Protocol {
  std::string name{};   // as for find_protocol
  std::string title{};  // as in papers: "DFEW"
  int folds = 1;        // test sets, numbered from 1; 1: one fixed split
  // Clips of each fold's official test list; empty where no list is official.
  std::vector<std::int64_t> official_clips{};
};

// Known: "dfew" (5 folds), "ferv39k" (one split), "mafw" (single labels, 5 folds), "ravdess" and
// "crema-d" (folds of actors, 5 unless told otherwise: their authors fixed none, and papers
// differ), "single" (one split of any other data). Case, '-' and '_' do not matter. Names of
// layouts stand for their data set's protocol: "dfew-original", "mae-dfer-dfew",
// "mae-dfer-ferv39k", "mae-dfer-mafw"; "manifest" is "single". `folds` > 0 replaces the number of
// folds of "ravdess" and "crema-d". Errors: kNotFound with the known names; kInvalidArgument for
// another number of folds than the authors', or more than 1000.
Result<Protocol> find_protocol(std::string_view name, int folds = 0);

std::vector<std::string> protocol_names();

// One evaluated test set.
struct FoldResult {
  int fold = 1;
  ConfusionMatrix confusion{1};
};

// The clips of a table sorted into their folds, in order of fold. Error kInvalidArgument when a
// clip does not fit the table's classes.
Result<std::vector<FoldResult>> folds_of(const ScoreTable& table);

// Weighted and unweighted average recall and macro F1, 0..1 (see ConfusionMatrix).
struct Rates {
  double war = 0;
  double uar = 0;
  double macro_f1 = 0;
};

Rates rates_of(const ConfusionMatrix& matrix);

struct FoldRates {
  int fold = 1;
  std::int64_t clips = 0;
  Rates rates{};
};

struct ProtocolReport {
  Protocol protocol{};
  std::vector<FoldResult> results{};  // in order of fold
  std::vector<FoldRates> folds{};     // the same order
  // The headline: means of the folds' figures, which is what the papers with folds report.
  Rates mean{};
  // Standard deviation over the folds (of a sample: n - 1); zeros for a single fold.
  Rates deviation{};
  // Figures of all clips thrown together: of `confusion`. Large folds weigh more than in `mean`.
  Rates pooled{};
  ConfusionMatrix confusion{1};      // sum over the folds
  std::vector<int> missing{};        // folds that were not given; only with allow_partial
  std::vector<std::string> notes{};  // what a reader must know before comparing with a paper

  bool partial() const { return !missing.empty(); }
  // What `mean` is, in words: "mean of 5 folds", "one split", "fold 2 of 5 alone (partial)".
  std::string basis() const;
};

struct AggregateOptions {
  bool allow_partial = false;  // some folds only, for one fold at a time; labelled in the report
};

// Puts the folds together. Errors kInvalidArgument (context: the protocol's title): a fold twice,
// missing (unless allowed) or outside 1..folds, none at all, one without clips, or folds with
// different numbers of classes. A test set of another size than the official list is a note.
Result<ProtocolReport> aggregate(const Protocol& protocol, std::span<const FoldResult> folds,
                                 const AggregateOptions& options = {});

}  // namespace mien::report
