// A folder of its own for one test, removed with its contents.
// What does not need a disk asks for one in memory: a sync is then free.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace skald {

class TempDir {
 public:
  enum class Where { disk, memory };

  explicit TempDir(Where where = Where::disk) {
    constexpr const char* kMemory = "/dev/shm";
    const bool memory = where == Where::memory && std::filesystem::is_directory(kMemory);
    const auto parent =
        memory ? std::filesystem::path(kMemory) : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "skald-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace skald
