// Several tables of scores as one: the folds of a test that were run one by one, or what several
// models said about the same clips.
#pragma once

#include <span>
#include <string>

#include "mien/result.hpp"
#include "report/score_table.h"

namespace mien::report {

struct NamedScores {
  std::string name{};  // for errors, e.g. the file's path
  ScoreTable table{};
};

// Both functions need tables as check_scores wants them, with the same classes in the same order.
// A clip is known by its fold and id as the tables have them: which fold a table is of is told by
// what is in it, not by its place, so the order of the tables changes no figure. The clips of the
// result are in order of fold, and within a fold in the order in which they came.
//
// Errors, with the name of a table as context: those of check_scores; kInvalidArgument for no table
// at all, other classes than the first table's, and what stands with the functions.

// All clips of all tables, which must be different clips. Error kInvalidArgument: a clip that is in
// two tables (in the same fold; the same id in two folds is two clips).
Result<ScoreTable> join_scores(std::span<const NamedScores> parts);

// An ensemble: per clip the mean of the tables' probabilities, every table with the same weight;
// `views` is the sum. Tables of several folds may come together, e.g. five folds of three models in
// fifteen tables; each fold must be in the same number of tables, two or more, and each clip of it
// in all of these. Errors kInvalidArgument: clips or folds that some tables lack, a clip whose
// class differs between tables, no clip in two tables.
Result<ScoreTable> average_scores(std::span<const NamedScores> parts);

}  // namespace mien::report
