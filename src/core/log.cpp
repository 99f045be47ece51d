#include "core/log.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace mien::core {
namespace {

// The one piece of process-wide state in core: messages come from anywhere, and a host has one
// place to put them.
struct SinkState {
  static constexpr int kDropAll = 1000;
  std::mutex mutex;
  std::shared_ptr<const LogSink> sink;  // guarded by mutex
  std::atomic<int> minimum{kDropAll};   // outside it, so that a dropped message costs one load
};

SinkState& state() {
  static SinkState instance;
  return instance;
}

}  // namespace

const char* log_level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "unknown";
}

void set_log_sink(LogSink sink, LogLevel minimum) {
  SinkState& s = state();
  const std::lock_guard lock(s.mutex);
  s.minimum = sink ? static_cast<int>(minimum) : SinkState::kDropAll;
  s.sink = sink ? std::make_shared<const LogSink>(std::move(sink)) : nullptr;
}

bool log_enabled(LogLevel level) {
  return static_cast<int>(level) >= state().minimum.load(std::memory_order_relaxed);
}

void log(LogLevel level, std::string_view message) {
  if (!log_enabled(level)) return;
  std::shared_ptr<const LogSink> sink;
  {
    const std::lock_guard lock(state().mutex);
    sink = state().sink;
  }
  if (!sink) return;
  std::string line(message);
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  try {
    (*sink)(level, line);
  } catch (...) {  // the host's mistake must not become an error of ours
  }
}

}  // namespace mien::core
