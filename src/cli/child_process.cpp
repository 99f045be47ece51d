#include "cli/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "cli/interrupt.h"

namespace mien::cli {
namespace {

constexpr auto kLook = std::chrono::milliseconds(20);  // how often the child is asked after
constexpr int kNoSuchProgram = 127;                    // as a shell says it

// A descriptor that is closed in the end. -1: none.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

Error refused(const std::string& path) {
  return make_error(ErrorCode::kIo, std::string("cannot be opened: ") + std::strerror(errno), path);
}

// The child, from its first step to the other program: only what is safe after fork().
[[noreturn]] void become(char* const* arguments, int out, int log, pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kNoSuchProgram);  // it died before that held
#else
  (void)parent;
#endif
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  if (dup2(out, STDOUT_FILENO) < 0) _exit(kNoSuchProgram);
  if (log >= 0 && dup2(log, STDERR_FILENO) < 0) _exit(kNoSuchProgram);
  execvp(arguments[0], arguments);
  _exit(kNoSuchProgram);
}

// Waits for the child's end, and passes an interruption on.
Result<int> wait_for(pid_t child) {
  bool told = false;
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (ended < 0 && errno != EINTR) {
      return make_error(ErrorCode::kIo,
                        std::string("cannot be waited for: ") + std::strerror(errno),
                        "process " + std::to_string(child));
    }
    if (interrupted() && !told) {
      kill(child, SIGTERM);
      told = true;
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

Result<ChildEnd> run_child(const std::vector<std::string>& argv, const ChildOutput& output) {
  if (argv.empty()) return make_error(ErrorCode::kInvalidArgument, "no program is named");
  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // execvp only reads them
  }
  arguments.push_back(nullptr);
  const std::string out_path = output.out.empty() ? "/dev/null" : output.out;
  const Descriptor out(open(out_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (out.number() < 0) return refused(out_path);
  const Descriptor log(output.log.empty() ? -1
                                          : open(output.log.c_str(),
                                                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!output.log.empty() && log.number() < 0) return refused(output.log);

  const auto begin = std::chrono::steady_clock::now();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    return make_error(ErrorCode::kIo, std::string("cannot be started: ") + std::strerror(errno),
                      argv[0]);
  }
  if (child == 0) become(arguments.data(), out.number(), log.number(), parent);
  MIEN_ASSIGN(const int code, wait_for(child));
  if (code == kNoSuchProgram) {
    return make_error(ErrorCode::kNotFound, "the program cannot be started", argv[0]);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return ChildEnd{.exit_code = code, .seconds = took.count()};
}

}  // namespace mien::cli
