#include "engine/store/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace skald {
namespace {

constexpr std::string_view kHolderFile = "/holder";
constexpr std::size_t kHolderBytesMax = 32;

std::string reason(int error) { return std::system_category().message(error); }

// The process id that the holder wrote; "unknown" in the instant before it did.
std::string holder_of(int file) {
  std::array<char, kHolderBytesMax> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  std::string_view line(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  line = line.substr(0, line.find('\n'));
  return line.empty() ? "unknown" : std::string(line);
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::string& directory) {
  std::error_code made;
  std::filesystem::create_directories(directory, made);
  if (made) return fail(Errc::unavailable, "cannot make {}: {}", directory, made.message());
  const std::string path = directory + std::string(kHolderFile);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return fail(Errc::unavailable, "cannot open {}: {}", path, reason(errno));
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(file));
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EWOULDBLOCK)
      return fail(Errc::unavailable, "cannot lock {}: {}", path, reason(error));
    return fail(Errc::failed_precondition,
                "data directory {} is in use by process {}; stop it, or choose another directory",
                directory, holder_of(file));
  }
  const std::string line = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file, 0) != 0 ||
      ::pwrite(file, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
    return fail(Errc::unavailable, "cannot write {}: {}", path, reason(errno));
  }
  return lock;
}

DirectoryLock::~DirectoryLock() { ::close(file_); }

}  // namespace skald
