// The client's half of net: which connection a request goes to. What happens on one is in
// client_connection; how a message is read and written, in http_reader and http_writer; what an
// answer means, in transport/outcome.
#include "engine/net/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/client_connection.h"
#include "engine/net/http_writer.h"

namespace skald {
namespace http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadBytes = 64 * 1024;  // taken from a socket at once
constexpr Millis kTimeoutMax{24 * 3'600'000};  // of one exchange; keeps sums of times sound
constexpr std::uint16_t kHttpPort = 80;
constexpr std::string_view kClosing = "the client is shutting down";

}  // namespace

ClientCore::ClientCore(asio::io_context& context, HttpClientOptions chosen)
    : io(context),
      options(chosen),
      deadlines(context,
                [](DeadlineNode& node) { static_cast<ClientConnection&>(node).on_deadline(); }),
      read_buffer(kReadBytes),
      gathered_(std::make_shared<std::vector<ClientConnectionPtr>>()) {}

ClientCore::~ClientCore() {
  closing_ = true;
  while (!connections_.empty()) connections_.front().abandon(ExchangeEnd::canceled, kClosing);
  gathered_->clear();
}

void ClientCore::add(ClientConnection& connection) {
  connections_.push_back(connection);
  ++connection.pool().second.connections;
  intrusive_ptr_add_ref(&connection);  // the list's, until forget()
}

void ClientCore::forget(ClientConnection& connection) {
  deadlines.remove(connection);
  connections_.erase(connections_.iterator_to(connection));
  auto& pool = connection.pool();
  if (--pool.second.connections == 0) pools_.erase(pools_.find(pool.first));
  intrusive_ptr_release(&connection);
}

void ClientCore::unpool(ClientConnection& connection) {
  if (!std::exchange(connection.pooled, false)) return;
  auto& ready = connection.pool().second.ready;
  if (ready.back().get() == &connection) return ready.pop_back();
  std::erase_if(ready, [&](const auto& pooled) { return pooled.get() == &connection; });
}

void ClientCore::offer(ClientConnection& connection) {
  if (std::exchange(connection.pooled, true)) return;
  connection.pool().second.ready.emplace_back(&connection);
}

bool ClientCore::keep(ClientConnection& connection) {
  const auto& ready = connection.pool().second.ready;
  if (!connection.pooled && ready.size() >= options.idle_per_host_max) return false;
  offer(connection);
  return true;
}

void ClientCore::gather(ClientConnection& connection) {
  gathered_->emplace_back(&connection);
  if (gathered_->size() > 1) return;  // they are sent together
  asio::post(io, [gathered = gathered_] {
    std::vector<ClientConnectionPtr> connections;
    connections.swap(*gathered);
    for (const ClientConnectionPtr& each : connections) each->send_gathered();
  });
}

void ClientCore::fail_later(ExchangeDone done, ExchangeEnd end, std::string detail) {
  asio::post(io, [done = std::move(done), end, detail = std::move(detail)]() mutable {
    done(Exchange{.end = end, .response = {}, .detail = std::move(detail)});
  });
}

Pools::value_type& ClientCore::pool_of(const HttpEndpoint& endpoint) {
  const std::uint16_t pipeline_max =
      std::clamp<std::uint16_t>(endpoint.pipeline_max, 1, kPipelineMax);
  const auto found = pools_.find(AddressView{endpoint.ip, endpoint.port, pipeline_max});
  if (found != pools_.end()) return *found;
  return *pools_.try_emplace(Address{endpoint.ip, endpoint.port, pipeline_max}).first;
}

bool ClientCore::make_room() {
  if (connections_.size() < options.connections_max) return true;
  for (auto& [address, pool] : pools_) {
    const auto idle =
        std::ranges::find_if(pool.ready, &ClientConnection::idle, &ClientConnectionPtr::operator*);
    if (idle == pool.ready.end()) continue;
    const ClientConnectionPtr connection = *idle;
    connection->close();  // may take its pool with it
    return true;
  }
  return false;
}

void ClientCore::write_host(const HttpEndpoint& endpoint) {
  host_ = endpoint.host;
  if (endpoint.port == kHttpPort) return;
  host_ += ':';
  fmt::format_to(std::back_inserter(host_), "{}", endpoint.port);
}

void ClientCore::call(const HttpEndpoint& endpoint, HttpRequest request, Millis timeout,
                      ExchangeDone done) {
  if (closing_) return fail_later(std::move(done), ExchangeEnd::canceled, std::string(kClosing));
  const SteadyTime due = std::chrono::steady_clock::now() + std::min(timeout, kTimeoutMax);
  const bool answers_head = request.method == "HEAD";
  request_.clear();
  write_host(endpoint);
  if (const auto fault = append_request(request_, host_, request)) {
    return fail_later(std::move(done), ExchangeEnd::not_connected,
                      fmt::format("request: {}", *fault));
  }
  auto& pool = pool_of(endpoint);
  auto& [ready, connections] = pool.second;
  ++connections;  // holds the pool while broken connections leave it
  while (!ready.empty()) {
    const ClientConnectionPtr connection = ready.back();
    if (connection->usable() && connection->ask(request_, answers_head, due, done)) {
      if (!connection->room()) unpool(*connection);
      --connections;
      return;
    }
    connection->close();
  }
  if (!make_room()) {
    if (--connections == 0) pools_.erase(pools_.find(pool.first));
    return fail_later(std::move(done), ExchangeEnd::not_connected,
                      fmt::format("connect: {} connections are in use (limit connections_max)",
                                  options.connections_max));
  }
  const ClientConnectionPtr connection(new ClientConnection(*this, pool));
  add(*connection);
  --connections;
  const bool asked = connection->ask(request_, answers_head, due, done);
  SKALD_CHECK(asked, "a connection that is not made yet takes what it is asked");
  if (connection->room()) offer(*connection);
  connection->connect();
}

}  // namespace http

std::unique_ptr<HttpClient> HttpClient::create(boost::asio::io_context& io,
                                               HttpClientOptions options) {
  return std::make_unique<http::ClientCore>(io, options);
}

}  // namespace skald
