// One process, one data directory: a lock that names its holder.
#pragma once

#include <memory>
#include <string>

#include "engine/base/result.h"

namespace skald {

/// Holds <directory>/holder, locked, with the process id in it, until it is destroyed. The lock is
/// the kernel's, so it ends with the process, however that ends.
class DirectoryLock {
 public:
  /// Makes the directory if it is missing.
  /// Errors: failed_precondition (another holder, named by its process id);
  ///         unavailable (the directory or file cannot be made).
  [[nodiscard]] static Result<std::unique_ptr<DirectoryLock>> take(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int file) : file_(file) {}

  int file_;
};

}  // namespace skald
