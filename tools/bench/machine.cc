#include "tools/bench/machine.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

namespace skald::bench {
namespace {

// Fields of a line of /proc/diskstats, from 0. Source: the kernel's Documentation/admin-guide/
// iostats.rst.
constexpr std::size_t kName = 2;
constexpr std::size_t kSectorsWritten = 9;
constexpr std::size_t kFlushes = 18;
constexpr std::uint64_t kSectorBytes = 512;

std::vector<std::string> disk_line(const std::string& folder) {
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) return {};
  const std::string numbers = fmt::format("{} {}", major(info.st_dev), minor(info.st_dev));
  std::ifstream file("/proc/diskstats");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (fields.size() > kSectorsWritten && fields[0] + " " + fields[1] == numbers) return fields;
  }
  return {};
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string file_system_of(const std::string& folder) {
  struct statfs info{};
  if (::statfs(folder.c_str(), &info) != 0) return "unknown";
  switch (static_cast<unsigned long>(info.f_type)) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
      return "tmpfs";
    default:
      return fmt::format("{:#x}", static_cast<unsigned long>(info.f_type));
  }
}

}  // namespace

Machine this_machine(const std::string& data_folder) {
  utsname system{};
  ::uname(&system);
  const double pages = static_cast<double>(::sysconf(_SC_PHYS_PAGES));
  const auto disk = disk_line(data_folder);
  return {.processor = processor_name(),
          .cores = std::thread::hardware_concurrency(),
          .memory_gb = pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e9,
          .kernel = system.release,
          .disk = disk.empty() ? "" : disk[kName],
          .file_system = file_system_of(data_folder)};
}

std::optional<DiskUse> disk_use(const std::string& data_folder) {
  const auto fields = disk_line(data_folder);
  if (fields.empty()) return std::nullopt;
  DiskUse use{.written_bytes = std::stoull(fields[kSectorsWritten]) * kSectorBytes};
  if (fields.size() > kFlushes) use.flushes = std::stoull(fields[kFlushes]);
  return use;
}

}  // namespace skald::bench
