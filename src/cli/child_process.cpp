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
#include <sched.h>
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

// What the child needs, as plain values: nothing may be allocated after fork().
struct Plan {
  char* const* arguments = nullptr;
  int out = -1;
  int log = -1;
  pid_t parent = 0;
#ifdef __linux__
  cpu_set_t cpus{};
  bool pinned = false;
#endif
};

Plan plan_for(char* const* arguments, const std::vector<int>& cpus) {
  Plan plan;
  plan.arguments = arguments;
  plan.parent = getpid();
#ifdef __linux__
  for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &plan.cpus);
  plan.pinned = !cpus.empty();
#else
  (void)cpus;
#endif
  return plan;
}

// The child, from its first step to the other program: only what is safe after fork().
[[noreturn]] void become(const Plan& plan) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != plan.parent) _exit(kNoSuchProgram);  // it died before that held
  // Where it is not allowed the child is slower, not wrong.
  if (plan.pinned) sched_setaffinity(0, sizeof(plan.cpus), &plan.cpus);
#endif
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  if (dup2(plan.out, STDOUT_FILENO) < 0) _exit(kNoSuchProgram);
  if (plan.log >= 0 && dup2(plan.log, STDERR_FILENO) < 0) _exit(kNoSuchProgram);
  execvp(plan.arguments[0], plan.arguments);
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

Result<ChildEnd> run_child(const std::vector<std::string>& argv, const ChildSetup& setup) {
  if (argv.empty()) return make_error(ErrorCode::kInvalidArgument, "no program is named");
  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // execvp only reads them
  }
  arguments.push_back(nullptr);
  const std::string out_path = setup.out.empty() ? "/dev/null" : setup.out;
  const Descriptor out(open(out_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (out.number() < 0) return refused(out_path);
  const Descriptor log(
      setup.log.empty() ? -1
                        : open(setup.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!setup.log.empty() && log.number() < 0) return refused(setup.log);

  const auto begin = std::chrono::steady_clock::now();
  Plan plan = plan_for(arguments.data(), setup.cpus);
  plan.out = out.number();
  plan.log = log.number();
  const pid_t child = fork();
  if (child < 0) {
    return make_error(ErrorCode::kIo, std::string("cannot be started: ") + std::strerror(errno),
                      argv[0]);
  }
  if (child == 0) become(plan);
  MIEN_ASSIGN(const int code, wait_for(child));
  if (code == kNoSuchProgram) {
    return make_error(ErrorCode::kNotFound, "the program cannot be started", argv[0]);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return ChildEnd{.exit_code = code, .seconds = took.count()};
}

std::vector<int> usable_cpus() {
  std::vector<int> cpus;
#ifdef __linux__
  cpu_set_t set{};
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus.push_back(cpu);
  }
#endif
  return cpus;
}

}  // namespace mien::cli
