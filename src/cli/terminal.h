// What the program says on stderr.
#pragma once

#include <chrono>
#include <string>

namespace mien::cli {

// "mien: <line>" on stderr.
void print_line(const std::string& line);

// One line that is rewritten as work goes on; silent unless stderr is a terminal. One thread.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const std::string& text);
  void clear();

 private:
  bool visible_ = false;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace mien::cli
