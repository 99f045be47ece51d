// Where the libraries say what is worth knowing but is no error. Nothing is ever printed by mien: a
// host sets a sink, and until then messages are dropped.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace mien::core {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning", "error".
const char* log_level_name(LogLevel level);

// Takes one message: one line without its end. Called from the thread that logs, so possibly from
// several at once; it must not throw (an exception is swallowed).
using LogSink = std::function<void(LogLevel level, std::string_view message)>;

// Sends messages of `minimum` and above to `sink`; an empty sink drops all. Callable at any time
// from any thread; a message being delivered meanwhile may still reach the old sink.
void set_log_sink(LogSink sink, LogLevel minimum = LogLevel::kInfo);

// Whether a message of this level would go anywhere: ask before formatting an expensive one.
bool log_enabled(LogLevel level);

// Control characters in the message become '?', so that a file name cannot forge a line.
void log(LogLevel level, std::string_view message);

inline void log_debug(std::string_view message) {
  log(LogLevel::kDebug, message);
}
inline void log_info(std::string_view message) {
  log(LogLevel::kInfo, message);
}
inline void log_warning(std::string_view message) {
  log(LogLevel::kWarning, message);
}
inline void log_error(std::string_view message) {
  log(LogLevel::kError, message);
}

}  // namespace mien::core
