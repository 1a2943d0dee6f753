#include "engine/server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace skald::server {
namespace {

constexpr std::size_t kFilesMax = 8'192;      // tables, logs: a store of half a terabyte
constexpr std::size_t kFilesShare = 4;        // a fourth where that is less
constexpr std::size_t kLimitUnknown = 1'024;  // what a process has at least, nearly everywhere

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kLimitUnknown;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return before;
  return limit.rlim_cur;
}

DescriptorShares share_descriptors(std::size_t limit, std::size_t threads,
                                   std::size_t connections_max) {
  const std::size_t files = std::min(kFilesMax, limit / kFilesShare);
  const std::size_t sockets = (limit - files) / threads;
  const std::size_t served = std::max<std::size_t>(1, std::min(sockets / 2, connections_max));
  return {.served_max = served, .calling_max = sockets > served ? sockets - served : 1};
}

}  // namespace skald::server
