// history.csv: one row per epoch, readable while training runs.
#pragma once

#include <string>

#include "learn/tasks.h"

namespace mien::learn {

struct HistoryRow {
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  double lr = 0.0;
  double loss = 0.0;
  double seconds = 0.0;        // training time so far
  double samples_per_s = 0.0;  // pictures or clips per second of the epoch's steps
  Figures figures;
};

// Appends a row, writing the header first when the file is new; a file that is there keeps its own
// (older runs have the column samples_per_s as pictures_per_s). Rows of steps from `row.step` on,
// left by a run that was stopped between its history and its checkpoint, are dropped.
Status append_history(const std::string& path, const HistoryRow& row);

}  // namespace mien::learn
