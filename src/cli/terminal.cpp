#include "cli/terminal.h"

#include <unistd.h>

#include <cstdio>

#include "cli/command.h"

namespace mien::cli {

int failed(const Error& error) {
  print_line(error.to_string());
  return error.code == ErrorCode::kCancelled ? kExitInterrupted : kExitFailed;
}

int wrong_usage(const std::string& message) {
  print_line(message);
  return kExitUsage;
}

void print_line(const std::string& line) {
  std::fprintf(stderr, "mien: %s\n", line.c_str());
}

ProgressLine::ProgressLine() : visible_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::show(const std::string& text) {
  if (!visible_) return;
  // At most ten times a second: a terminal is slower than a decoder.
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (!shown_) return;
  std::fprintf(stderr, "\r\x1b[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace mien::cli
