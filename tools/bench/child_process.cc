#include "tools/bench/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace skald::bench {
namespace {

constexpr std::chrono::seconds kReadyLimit{60};
constexpr std::chrono::seconds kStopLimit{20};
constexpr int kPollMs = 5;

using SteadyClock = std::chrono::steady_clock;

/// The number behind `label` in a file of /proc; 0 when absent.
std::uint64_t proc_number(const std::string& path, std::string_view label) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(label)) continue;
    const std::size_t digits = line.find_first_of("0123456789", label.size());
    std::uint64_t value = 0;
    if (digits != std::string::npos) {
      std::from_chars(line.data() + digits, line.data() + line.size(), value);
    }
    return value;
  }
  return 0;
}

/// Reads until a line with "listen=" is whole. nullopt: closed or too late.
std::optional<std::uint16_t> read_port(int out) {
  std::string text;
  const auto until = SteadyClock::now() + kReadyLimit;
  while (SteadyClock::now() < until) {
    pollfd ready{.fd = out, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, kPollMs) <= 0) continue;
    char buffer[512];
    const ssize_t size = ::read(out, buffer, sizeof buffer);
    if (size <= 0) return std::nullopt;
    text.append(buffer, static_cast<std::size_t>(size));
    const std::size_t at = text.find("listen=");
    const std::size_t end = text.find_first_of(" \n", at);
    if (at == std::string::npos || end == std::string::npos) continue;
    const std::size_t colon = text.rfind(':', end);
    std::uint16_t port = 0;
    std::from_chars(text.data() + colon + 1, text.data() + end, port);
    return port;
  }
  return std::nullopt;
}

[[noreturn]] void become(const std::vector<std::string>& argv, int out, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  std::vector<char*> args;
  for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  ::execv(args.front(), args.data());
  ::_exit(127);
}

}  // namespace

ProcessUse use_of(pid_t pid) {
  ProcessUse use;
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) == 0 && ::clock_gettime(clock, &time) == 0) {
    use.cpu_s = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }
  use.written_bytes = proc_number(fmt::format("/proc/{}/io", pid), "wchar:");
  return use;
}

double thread_cpu_s(pid_t pid, std::string_view thread) {
  double total = 0;
  std::error_code ignored;
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), ignored)) {
    std::string name;
    std::uint64_t nanos = 0;
    std::ifstream(task.path() / "comm") >> name;
    std::ifstream(task.path() / "schedstat") >> nanos;
    if (name == thread) total += static_cast<double>(nanos) * 1e-9;
  }
  return total;
}

std::uint64_t resident_bytes(pid_t pid) {
  return proc_number(fmt::format("/proc/{}/status", pid), "VmRSS:") * 1024;
}

std::uint64_t peak_resident_bytes(pid_t pid) {
  return proc_number(fmt::format("/proc/{}/status", pid), "VmHWM:") * 1024;
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& argv,
                                         const std::string& log) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::internal, "no pipe");
  const int log_file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const pid_t pid = ::fork();
  if (pid == 0) become(argv, ends[1], log_file);
  ::close(ends[1]);
  ::close(log_file);
  ChildProcess child(pid, 0, ends[0]);
  const auto port = read_port(ends[0]);
  if (!port) return fail(Errc::unavailable, "{} is not ready; its log is {}", argv.front(), log);
  child.port_ = *port;
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      port_(other.port_),
      out_(std::exchange(other.out_, -1)) {}

bool ChildProcess::running() const { return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0; }

void ChildProcess::stop() {
  if (out_ >= 0) ::close(std::exchange(out_, -1));
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  const auto until = SteadyClock::now() + kStopLimit;
  while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (SteadyClock::now() >= until) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      break;
    }
    ::poll(nullptr, 0, kPollMs);
  }
  pid_ = -1;
}

void ChildProcess::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace skald::bench
