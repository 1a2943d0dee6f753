// kill_seam: loaded into the real skaldd by LD_PRELOAD, it numbers every sync of a write-ahead log
// and every send to a participant, and ends the process with SIGKILL before or after one of them.
// The daemon knows nothing of it. By environment:
//   SKALD_SEAM_PLAN   a file: "NAME NUMBER before|after". While it is there, moments are counted,
//   from
//                     1 for each new plan; the process dies at the one with that number (0: at
//                     none)
//   SKALD_SEAM_TRACE  each counted moment appends a line here: "sync" or "send"; at the end
//   "killed" SKALD_SEAM_PORTS  "14001,14002": where participants listen
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string content_of(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  char text[256];
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
}

class Seam {
 public:
  Seam() : plan_path_(setting("SKALD_SEAM_PLAN")), trace_path_(setting("SKALD_SEAM_TRACE")) {
    const std::string ports = setting("SKALD_SEAM_PORTS");
    for (std::size_t at = 0; at < ports.size(); at = ports.find(',', at)) {
      if (ports[at] == ',') ++at;
      ports_.push_back(std::atoi(ports.c_str() + at));
    }
  }

  /// Runs `call`, which is a moment of this kind.
  template <class Call>
  auto moment(const char* kind, Call call) {
    const std::lock_guard lock(mutex_);  // one moment at a time, or "before" would mean little
    follow(content_of(plan_path_));
    if (plan_.empty()) return call();
    ++count_;
    note(kind);
    const bool here = count_ == kill_at_;
    if (here && kill_before_) end();
    const auto result = call();
    const int error = errno;
    if (here) end();
    errno = error;
    return result;
  }

  [[nodiscard]] bool is_participant(int socket) const {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
    if (peer.sin_family != AF_INET) return false;
    for (const int port : ports_) {
      if (port == ntohs(peer.sin_port)) return true;
    }
    return false;
  }

 private:
  void follow(std::string plan) {
    if (plan == plan_) return;
    plan_ = std::move(plan);
    count_ = 0;
    kill_at_ = std::strtoul(plan_.c_str() + std::min(plan_.find(' '), plan_.size()), nullptr, 10);
    kill_before_ = plan_.ends_with(" before");
  }

  void note(const std::string& line) const {
    const int file = ::open(trace_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return;
    const std::string text = line + "\n";
    (void)!::write(file, text.data(), text.size());
    ::close(file);
  }

  [[noreturn]] void end() const {
    note("killed");
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }

  const std::string plan_path_;
  const std::string trace_path_;
  std::vector<int> ports_;
  std::mutex mutex_;  // guards all below
  std::string plan_;
  unsigned long kill_at_ = 0;
  bool kill_before_ = false;
  unsigned long count_ = 0;
};

Seam& seam() {
  static Seam one;
  return one;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_log(int file) {
  char path[512];
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  return size > 4 && std::string_view(path, static_cast<std::size_t>(size)).ends_with(".log");
}

}  // namespace

extern "C" {

int fdatasync(int file) {
  static auto* const real = next<int(int)>("fdatasync");
  if (!is_log(file)) return real(file);
  return seam().moment("sync", [&] { return real(file); });
}

int fsync(int file) {
  static auto* const real = next<int(int)>("fsync");
  if (!is_log(file)) return real(file);
  return seam().moment("sync", [&] { return real(file); });
}

ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  static auto* const real = next<ssize_t(int, const void*, size_t, int)>("send");
  if (!seam().is_participant(socket)) return real(socket, bytes, size, flags);
  return seam().moment("send", [&] { return real(socket, bytes, size, flags); });
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static auto* const real = next<ssize_t(int, const msghdr*, int)>("sendmsg");
  if (!seam().is_participant(socket)) return real(socket, message, flags);
  return seam().moment("send", [&] { return real(socket, message, flags); });
}

}  // extern "C"
