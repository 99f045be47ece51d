#include "cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace mien::testing {
namespace {

// The child: never returns.
[[noreturn]] void become(const std::string& program, const std::vector<std::string>& arguments,
                         const RunOptions& options, int out, int err) {
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  for (std::string entry : options.environment) {
    const auto equals = entry.find('=');
    setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  _exit(127);
}

}  // namespace

std::string Ran::text() const {
  return "exit " + std::to_string(exit_code) + "\n-- out --\n" + out + "-- err --\n" + err;
}

Ran run_program(const std::string& program, const std::vector<std::string>& arguments,
                const RunOptions& options) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0) return {};
  const pid_t child = fork();
  if (child == 0) become(program, arguments, options, out[1], err[1]);
  close(out[1]);
  close(err[1]);

  Ran ran;
  const auto begin = std::chrono::steady_clock::now();
  bool interrupted = options.interrupt_after_s <= 0;
  std::array<pollfd, 2> ends = {{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
  int open_ends = 2;
  while (open_ends > 0) {
    poll(ends.data(), ends.size(), 20);
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (!interrupted && elapsed > options.interrupt_after_s) {
      kill(child, SIGINT);
      interrupted = true;
    }
    if (elapsed > options.timeout_s) kill(child, SIGKILL);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      std::array<char, 65536> buffer;
      const ssize_t n = read(ends[i].fd, buffer.data(), buffer.size());
      if (n > 0) {
        (i == 0 ? ran.out : ran.err).append(buffer.data(), static_cast<std::size_t>(n));
      } else {
        close(ends[i].fd);
        ends[i].fd = -1;
        --open_ends;
      }
    }
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  ran.peak_kb = usage.ru_maxrss;
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

std::string mien_program() {
  return std::string(MIEN_BINARY_DIR) + "/mien";
}

}  // namespace mien::testing
