// What skaldd ends with. The help and the manual page print the same list.
#pragma once

#include <string_view>

namespace skald::server {

inline constexpr int kDrained = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kUnsound = 9;
inline constexpr int kSignaled = 128;  // plus the number, as shells report death by a signal

struct ExitCode {
  int code;
  std::string_view means;
};
inline constexpr ExitCode kExitCodes[]{
    {kDrained, "drained; with --check: the store is sound"},
    {kFailed, "failed; with --check: the store cannot be checked"},
    {kUsage, "wrong usage or configuration"},
    {kUnsound, "--check found something wrong"},
    {kSignaled + 2, "stopped at once by a second signal, SIGINT"},
    {kSignaled + 15, "stopped at once by a second signal, SIGTERM"},
};

}  // namespace skald::server
