// How good a classifier is: the confusion matrix and what the papers read off it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::report {

// One row of a report. Rates are 0..1; precision is 0 when the class was never predicted, and
// recall and f1 are 0 when it never occurred.
struct ClassMetrics {
  std::int64_t support = 0;    // samples of this class
  std::int64_t predicted = 0;  // samples given this class
  double recall = 0;
  double precision = 0;
  double f1 = 0;
};

// Counts of (true class, predicted class). Not synchronised: one per thread, then merge().
class ConfusionMatrix {
 public:
  // `classes` >= 1.
  explicit ConfusionMatrix(std::size_t classes);

  // Counts `times` samples. Error kInvalidArgument when an index is outside the classes or `times`
  // is negative.
  Status add(std::size_t truth, std::size_t predicted, std::int64_t times = 1);

  // Adds the counts of another matrix. Error kInvalidArgument when the number of classes differs.
  Status merge(const ConfusionMatrix& other);

  std::size_t classes() const { return classes_; }
  std::int64_t count(std::size_t truth, std::size_t predicted) const {
    return counts_[truth * classes_ + predicted];
  }
  std::int64_t total() const;

  // Weighted average recall: the share of right answers (the papers' WAR, everyone's accuracy). 0
  // without samples.
  double war() const;

  // Unweighted average recall: the mean recall over the classes that occur (the papers' UAR). 0
  // without samples.
  double uar() const;

  // Mean F1 over the classes that occur or were predicted (scikit-learn's f1_score with
  // average="macro" and the labels left to it).
  double macro_f1() const;

  // By class, in order.
  std::vector<ClassMetrics> per_class() const;

 private:
  std::size_t classes_;
  std::vector<std::int64_t> counts_;  // row: truth, column: predicted
};

// The index of the greatest value, the first of equals; 0 for an empty list. NaN never wins.
std::size_t argmax(std::span<const float> values);

// The name of a class, or its index where `classes` has no name for it.
std::string class_name(const std::vector<std::string>& classes, std::size_t index);

// A table for the terminal: one row per true class with recall, precision, F1 and support, then
// WAR, UAR and macro F1 in percent. `classes` names as many classes as the matrix has.
std::string metrics_table(const ConfusionMatrix& matrix, const std::vector<std::string>& classes);

}  // namespace mien::report
