#include "engine/transport/name_resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <unordered_map>
#include <utility>

namespace skald {
namespace {

namespace asio = boost::asio;
using SteadyTime = std::chrono::steady_clock::time_point;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

/// Pre: IPv4 or IPv6.
IpAddress address_of(const addrinfo& found) {
  if (found.ai_family == AF_INET) {
    const auto* address = reinterpret_cast<const sockaddr_in*>(found.ai_addr);
    return IpAddress::v4(reinterpret_cast<const std::uint8_t*>(&address->sin_addr));
  }
  const auto* address = reinterpret_cast<const sockaddr_in6*>(found.ai_addr);
  return IpAddress::v6(reinterpret_cast<const std::uint8_t*>(&address->sin6_addr));
}

}  // namespace

Result<std::vector<IpAddress>> system_lookup(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (failed != 0) {
    return fail(Errc::unavailable, "name {} cannot be resolved: {}", host, ::gai_strerror(failed));
  }
  std::vector<IpAddress> addresses;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const addrinfo* next = found; next != nullptr; next = next->ai_next) {
      if (next->ai_family == family) addresses.push_back(address_of(*next));
    }
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return fail(Errc::unavailable, "name {} has no address", host);
  return addresses;
}

struct NameResolver::State : std::enable_shared_from_this<State> {
  struct Waiter {
    Waiter(asio::io_context& io, Done call) : timer(io), done(std::move(call)) {}
    asio::steady_timer timer;
    Done done;
  };
  struct Known {
    Result<Addresses> result;
    SteadyTime until;
  };

  State(asio::io_context& context, BlockingPool& blocking, HostLookup call)
      : io(context), pool(blocking), lookup(std::move(call)) {}

  void look_up(const std::string& host);
  void answer(const std::string& host, Result<Addresses> result);
  static void tell(std::list<std::shared_ptr<Waiter>> waiters, const Result<Addresses>& result);

  asio::io_context& io;
  BlockingPool& pool;
  HostLookup lookup;
  bool closed = false;
  std::unordered_map<std::string, Known, TextHash, std::equal_to<>> known;
  std::unordered_map<std::string, std::list<std::shared_ptr<Waiter>>> waiting;
};

void NameResolver::State::tell(std::list<std::shared_ptr<Waiter>> waiters,
                               const Result<Addresses>& result) {
  for (const auto& waiter : waiters) {
    waiter->timer.cancel();
    if (Done done = std::exchange(waiter->done, nullptr)) done(result);
  }
}

void NameResolver::State::look_up(const std::string& host) {
  pool.run([self = shared_from_this(), host] {
    auto result = self->lookup(host);
    asio::post(self->io, [self, host, result = std::move(result)]() mutable {
      self->answer(host, std::move(result));
    });
  });
}

void NameResolver::State::answer(const std::string& host, Result<Addresses> result) {
  if (closed) return;
  if (known.size() >= kResolvedMax) known.clear();
  const Millis kept = result ? kResolvedKept : kUnresolvedKept;
  const auto& remembered =
      known
          .insert_or_assign(host, Known{std::move(result), std::chrono::steady_clock::now() + kept})
          .first->second.result;
  auto waiters = std::move(waiting[host]);
  waiting.erase(host);
  tell(std::move(waiters), Result<Addresses>(remembered));
}

NameResolver::NameResolver(asio::io_context& io, BlockingPool& pool, HostLookup lookup)
    : state_(std::make_shared<State>(io, pool, std::move(lookup))) {}

NameResolver::~NameResolver() {
  state_->closed = true;
  auto waiting = std::move(state_->waiting);
  for (auto& [host, waiters] : waiting) {
    State::tell(std::move(waiters), fail(Errc::unavailable, "name {}: shutting down", host));
  }
}

const Result<NameResolver::Addresses>* NameResolver::remembered(std::string_view host) const {
  const auto found = state_->known.find(host);
  if (found == state_->known.end()) return nullptr;
  return std::chrono::steady_clock::now() < found->second.until ? &found->second.result : nullptr;
}

void NameResolver::resolve(const std::string& host, Millis timeout, Done done) {
  auto waiter = std::make_shared<State::Waiter>(state_->io, std::move(done));
  // The entry stays until the lookup answers, even when nobody waits any more: a name that hangs
  // occupies one thread of the pool and not one per attempt.
  const auto [entry, first] = state_->waiting.try_emplace(host);
  entry->second.push_back(waiter);
  waiter->timer.expires_after(timeout);
  waiter->timer.async_wait([state = state_, host, waiter](const boost::system::error_code& error) {
    Done late = error ? Done() : std::exchange(waiter->done, nullptr);
    if (!late) return;
    if (const auto found = state->waiting.find(host); found != state->waiting.end()) {
      found->second.remove(waiter);
    }
    late(fail(Errc::deadline_exceeded, "name {} was not resolved in time", host));
  });
  if (first) state_->look_up(host);
}

}  // namespace skald
