// Host names to addresses, off the I/O thread, remembered briefly. What may be called is decided in
// address_rules.h, for every address and at every call: a name that changes its mind is seen.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/async/blocking_pool.h"
#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/transport/ip_address.h"

namespace boost::asio {
class io_context;
}

namespace skald {

/// Every address of a host, IPv4 first. Blocks. Errors: unavailable that names the host.
using HostLookup = std::function<Result<std::vector<IpAddress>>(const std::string& host)>;

/// The system's resolver (getaddrinfo).
[[nodiscard]] Result<std::vector<IpAddress>> system_lookup(const std::string& host);

inline constexpr Millis kResolvedKept{5'000};       // how long an answer is used again
inline constexpr Millis kUnresolvedKept{1'000};     // likewise, when there was none
inline constexpr std::size_t kResolvedMax = 1'024;  // names remembered

/// Thread: one, the io_context's. Lookups run on `pool` and may outlive the resolver, but not the
/// io_context: stop the pool first.
class NameResolver {
 public:
  using Addresses = std::vector<IpAddress>;
  using Done = std::move_only_function<void(const Result<Addresses>&)>;

  NameResolver(boost::asio::io_context& io, BlockingPool& pool, HostLookup lookup);
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;
  /// Calls that wait are told unavailable before it returns.
  ~NameResolver();

  /// What is remembered of `host`; nullptr: nothing. Valid until the next call of this object.
  [[nodiscard]] const Result<Addresses>* remembered(std::string_view host) const;
  /// Calls `done` once, never from inside resolve(); after `timeout` at the latest, with
  /// deadline_exceeded. Calls for one host share one lookup.
  void resolve(const std::string& host, Millis timeout, Done done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace skald
