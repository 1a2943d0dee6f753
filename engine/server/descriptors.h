// The process's file descriptors and who may have how many: the store is never short of them for
// the sake of sockets, since a table that cannot be opened ends writing. A call that finds no
// connection free was not executed, and is sent again later; an API connection too many is closed.
#pragma once

#include <cstddef>

namespace skald::server {

struct DescriptorShares {
  std::size_t served_max = 0;   // API connections, of each thread
  std::size_t calling_max = 0;  // connections to participants, of each thread
};

/// Raises the soft limit to the hard one; the limit that holds then.
std::size_t raise_descriptor_limit();

/// What is left when the store and its like have theirs: half for the API at most, at most
/// `connections_max` a thread, the rest for calls. Pure. Pre: threads > 0. Both are at least 1.
[[nodiscard]] DescriptorShares share_descriptors(std::size_t limit, std::size_t threads,
                                                 std::size_t connections_max);

}  // namespace skald::server
