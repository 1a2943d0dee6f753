// A process that the benchmark starts, watches and stops, and what it has used so far.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace skald::bench {

/// What a process has used since its start; differences are what is of interest.
struct ProcessUse {
  double cpu_s = 0;
  std::uint64_t written_bytes = 0;  // handed to write(), files and pipes; sockets are not in it
};

[[nodiscard]] ProcessUse use_of(pid_t pid);
/// Of all threads of the process with this name.
[[nodiscard]] double thread_cpu_s(pid_t pid, std::string_view thread);
[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);
/// The most since its start.
[[nodiscard]] std::uint64_t peak_resident_bytes(pid_t pid);

/// Stopped when destroyed; dies with the benchmark.
class ChildProcess {
 public:
  /// Starts it and waits for the line "... listen=HOST:PORT ..." on its stdout; its stderr goes to
  /// `log`. Errors: unavailable, with the log named.
  [[nodiscard]] static Result<ChildProcess> start(const std::vector<std::string>& argv,
                                                  const std::string& log);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess() { stop(); }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool running() const;
  /// SIGTERM, and SIGKILL where that takes too long. Idempotent.
  void stop();
  /// SIGKILL: a crash.
  void kill();

 private:
  ChildProcess(pid_t pid, std::uint16_t port, int out) : pid_(pid), port_(port), out_(out) {}
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  int out_ = -1;
};

}  // namespace skald::bench
