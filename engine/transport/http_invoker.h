// The Invoker over HTTP/1.1: finds out where a participant is and whether it may be called, sends
// one attempt, and says what its answer means (outcome.h). Retries are the core's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/async/blocking_pool.h"
#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/net/http_client.h"
#include "engine/runtime/invoker.h"
#include "engine/transport/address_rules.h"
#include "engine/transport/name_resolver.h"

namespace boost::asio {
class io_context;
}

namespace skald {

struct ParticipantPlace {
  std::string url;                 // http://host:port[/prefix]
  std::uint16_t pipeline_max = 1;  // see HttpEndpoint::pipeline_max
};

struct HttpInvokerOptions {
  /// Configured participants, by name. A Method::participant that is none of these names is read as
  /// a URL itself.
  std::map<std::string, ParticipantPlace> participants;
  AddressRules allow;  // loopback by default
  HttpClientOptions client;
  HostLookup lookup = system_lookup;
};

/// Every URL in `options.participants` that cannot be read, named; empty when sound.
[[nodiscard]] std::vector<std::string> validate(const HttpInvokerOptions& options);

/// An address that is not allowed, a URL or path that cannot be read, and a participant without a
/// URL are `not_executed` with a configuration alert; a name that does not resolve is
/// `not_executed`. Thread: create, use and destroy on the io_context's one thread. `clock` and
/// `pool` outlive it; the pool is stopped before the io_context goes.
[[nodiscard]] std::unique_ptr<Invoker> make_http_invoker(boost::asio::io_context& io,
                                                         BlockingPool& pool, const Clock& clock,
                                                         HttpInvokerOptions options);

}  // namespace skald
