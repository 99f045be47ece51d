#include "core/log.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace mien::core {
namespace {

class Log : public ::testing::Test {
 protected:
  void TearDown() override { set_log_sink({}); }
};

TEST_F(Log, DropsEverythingUntilASinkIsSet) {
  EXPECT_FALSE(log_enabled(LogLevel::kError));
  log_error("nobody hears this");
}

TEST_F(Log, DeliversFromTheMinimumUp) {
  std::vector<std::string> lines;
  set_log_sink(
      [&](LogLevel level, std::string_view text) {
        lines.push_back(log_level_name(level) + (": " + std::string(text)));
      },
      LogLevel::kWarning);
  log_debug("a");
  log_info("b");
  log_warning("c");
  log_error("d");
  EXPECT_EQ(lines, (std::vector<std::string>{"warning: c", "error: d"}));
  EXPECT_FALSE(log_enabled(LogLevel::kInfo));
  EXPECT_TRUE(log_enabled(LogLevel::kWarning));
}

TEST_F(Log, OneMessageIsOneLine) {
  std::string line;
  set_log_sink([&](LogLevel, std::string_view text) { line = text; });
  log_info("bad\nname\x1b[2J");
  EXPECT_EQ(line, "bad?name?[2J");
}

TEST_F(Log, SurvivesASinkThatThrowsOrReplacesItself) {
  set_log_sink([](LogLevel, std::string_view) { throw std::runtime_error("host bug"); });
  log_info("x");
  int count = 0;
  set_log_sink([&](LogLevel, std::string_view) {
    ++count;
    set_log_sink({});
  });
  log_info("y");
  log_info("z");
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace mien::core
