// The client's half of net: pools of connections and one exchange's life. How a message is read and
// written is in http_reader and http_writer; what an answer means is in transport/outcome.
//
// A pooled connection always waits for readability: in the pool that tells a closed or babbling
// peer, during an exchange it brings the answer. It carries its deadline with it, whichever that
// is.
#include "engine/net/http_client.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cerrno>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/hash.h"
#include "engine/net/deadline_timer.h"
#include "engine/net/http_reader.h"
#include "engine/net/http_writer.h"

namespace skald {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64 * 1024;     // taken from a socket at once
constexpr std::size_t kOutBytesKept = 16 * 1024;  // of an idle connection's write buffer

constexpr Millis kTimeoutMax{24 * 3'600'000};  // of one exchange; keeps sums of times sound
constexpr std::uint16_t kHttpPort = 80;
constexpr std::string_view kClosing = "the client is shutting down";

using Done = std::move_only_function<void(Exchange)>;

std::string system_text(int number) {
  return error_code(number, boost::system::system_category()).message();
}

class PooledClient;
class Connection;
using ConnectionPtr = boost::intrusive_ptr<Connection>;
using ConnectionHook = boost::intrusive::list_base_hook<>;

/// Connections to one address and port.
struct Pool {
  std::vector<ConnectionPtr> idle;  // the last used is used first, so that the others age
  std::size_t connections = 0;
};

struct Address {
  std::string ip;
  std::uint16_t port = 0;
};
struct AddressView {
  std::string_view ip;
  std::uint16_t port = 0;
};
struct AddressHash {
  using is_transparent = void;
  std::size_t operator()(const AddressView& key) const { return hash64(key.ip, key.port); }
  std::size_t operator()(const Address& key) const { return hash64(key.ip, key.port); }
};
struct AddressEqual {
  using is_transparent = void;
  bool operator()(const auto& a, const auto& b) const { return a.port == b.port && a.ip == b.ip; }
};
using Pools = std::unordered_map<Address, Pool, AddressHash, AddressEqual>;

class Connection
    : public boost::intrusive_ref_counter<Connection, boost::sp_adl_block::thread_unsafe_counter>,
      public ConnectionHook,
      public DeadlineNode {
 public:
  Connection(PooledClient& client, Pools::value_type& pool);

  /// The request's bytes, to be filled before begin().
  std::string& request_bytes() { return out_; }
  /// Starts the exchange on this idle connection. False: the peer is gone and not one byte was
  /// accepted; the request's bytes and `done` are still in place.
  [[nodiscard]] bool begin_pooled(bool answers_head, SteadyTime due, Done& done);
  /// Connects, then starts the exchange.
  void begin_fresh(bool answers_head, SteadyTime due, Done done);
  /// What was sent into the pool is still silent and open.
  [[nodiscard]] bool usable();
  void on_deadline();
  void close();
  /// Ends the exchange in flight, if there is one, and closes.
  void abandon(ExchangeEnd end, std::string detail);
  [[nodiscard]] Pools::value_type& pool() { return pool_; }

 private:
  enum class State : std::uint8_t { connecting = 1, exchanging, idle, closed };

  void connected(const error_code& error);
  bool send();
  void wait_readable();
  void wait_writable();
  void on_readable();
  void receive(std::string_view bytes);
  void on_closed(int error);
  void answered(bool reusable);
  void rest();

  PooledClient* client_;  // null once closed
  Pools::value_type& pool_;
  Socket socket_;
  HttpReader reader_;
  State state_ = State::connecting;
  bool reading_armed_ = false;
  bool writing_armed_ = false;
  std::string out_;
  std::size_t sent_ = 0;
  int send_error_ =
      0;  // the answer may still be readable: a server may refuse before it has read all
  SteadyTime due_;
  Done done_;
};

class PooledClient final : public HttpClient {
 public:
  PooledClient(asio::io_context& context, HttpClientOptions chosen)
      : io(context),
        options(chosen),
        deadlines(context,
                  [](DeadlineNode& node) { static_cast<Connection&>(node).on_deadline(); }),
        read_buffer(kReadBytes) {}
  PooledClient(const PooledClient&) = delete;
  PooledClient& operator=(const PooledClient&) = delete;
  ~PooledClient() override {
    closing_ = true;
    while (!connections_.empty()) {
      connections_.front().abandon(ExchangeEnd::canceled, std::string(kClosing));
    }
  }

  void call(const HttpEndpoint& endpoint, HttpRequest request, Millis timeout, Done done) override;

  /// False: the pool holds as many idle connections as it may.
  [[nodiscard]] bool keep(Connection& connection);
  void unpool(Connection& connection);
  void add(Connection& connection);
  void forget(Connection& connection);

  asio::io_context& io;
  const HttpClientOptions options;
  DeadlineTimer deadlines;
  std::vector<char> read_buffer;

 private:
  void fail_later(Done done, ExchangeEnd end, std::string detail);
  Pools::value_type& pool_of(const HttpEndpoint& endpoint);
  void write_host(const HttpEndpoint& endpoint);

  Pools pools_;
  boost::intrusive::list<Connection, boost::intrusive::base_hook<ConnectionHook>> connections_;
  std::string host_;     // reused by call()
  std::string request_;  // likewise, in exchange for a connection's buffer
  bool closing_ = false;
};

Connection::Connection(PooledClient& client, Pools::value_type& pool)
    : client_(&client),
      pool_(pool),
      socket_(client.io),
      reader_(HttpRole::responses, client.options.response_limits) {}

void Connection::close() {
  if (state_ == State::closed) return;
  if (state_ == State::idle) client_->unpool(*this);
  state_ = State::closed;
  error_code ignored;
  socket_.close(ignored);
  std::exchange(client_, nullptr)->forget(*this);  // may release the last reference
}

void Connection::abandon(ExchangeEnd end, std::string detail) {
  const ConnectionPtr keep(this);
  Done done = std::exchange(done_, nullptr);
  close();
  if (done) done(Exchange{.end = end, .response = {}, .detail = std::move(detail)});
}

bool Connection::usable() {
  char byte = 0;
  const ssize_t size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && errno == EAGAIN;
}

bool Connection::begin_pooled(bool answers_head, SteadyTime due, Done& done) {
  state_ = State::exchanging;
  reader_.reset();
  if (answers_head) reader_.expect_no_body();
  sent_ = 0;
  send_error_ = 0;
  if (!send() && sent_ == 0) return false;
  due_ = due;
  client_->deadlines.set(*this, due);
  done_ = std::move(done);
  wait_readable();
  return true;
}

void Connection::begin_fresh(bool answers_head, SteadyTime due, Done done) {
  due_ = due;
  done_ = std::move(done);
  if (answers_head) reader_.expect_no_body();
  const SteadyTime now = std::chrono::steady_clock::now();
  client_->deadlines.set(*this, std::min(due, now + client_->options.connect_timeout));
  error_code error;
  const auto ip = asio::ip::make_address(pool_.first.ip, error);
  const tcp::endpoint endpoint(ip, pool_.first.port);
  if (!error) socket_.open(endpoint.protocol(), error);
  if (!error) socket_.set_option(tcp::no_delay(true), error);
  auto ended = [self = ConnectionPtr(this)](const error_code& result) { self->connected(result); };
  if (error) return asio::post(client_->io, [ended, error] { ended(error); });
  socket_.async_connect(endpoint, std::move(ended));
}

void Connection::connected(const error_code& error) {
  if (state_ == State::closed) return;
  if (error) {
    return abandon(ExchangeEnd::not_connected, fmt::format("connect: {}", error.message()));
  }
  state_ = State::exchanging;
  if (!send() && sent_ == 0) {
    return abandon(ExchangeEnd::not_connected,
                   fmt::format("connect: closed at once: {}", system_text(send_error_)));
  }
  client_->deadlines.set(*this, due_);
  wait_readable();
}

/// False: the connection is broken for sending.
bool Connection::send() {
  while (sent_ < out_.size()) {
    const ssize_t size = ::send(socket_.native_handle(), out_.data() + sent_, out_.size() - sent_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN) {
      wait_writable();
      return true;
    } else if (errno != EINTR) {
      send_error_ = errno;
      return false;
    }
  }
  return true;
}

void Connection::wait_writable() {
  if (writing_armed_) return;
  writing_armed_ = true;
  socket_.async_wait(tcp::socket::wait_write,
                     [self = ConnectionPtr(this)](const error_code& error) {
                       self->writing_armed_ = false;
                       if (self->state_ != State::exchanging || error) return;
                       // A broken send is left to the reader: the answer may be there already.
                       static_cast<void>(self->send());
                     });
}

void Connection::wait_readable() {
  if (reading_armed_) return;
  reading_armed_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = ConnectionPtr(this)](const error_code& error) {
    self->reading_armed_ = false;
    if (self->state_ == State::closed || error) return;
    self->on_readable();
  });
}

void Connection::on_readable() {
  const ConnectionPtr keep(this);
  auto& buffer = client_->read_buffer;
  const ssize_t size = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return wait_readable();
  if (state_ == State::idle) return close();  // closed by the peer, or bytes nobody asked for
  if (size <= 0) return on_closed(size < 0 ? errno : 0);
  receive({buffer.data(), static_cast<std::size_t>(size)});
}

void Connection::receive(std::string_view bytes) {
  const auto step = reader_.feed(bytes);
  switch (step.progress) {
    case ReadProgress::more:
      return wait_readable();
    case ReadProgress::failed: {
      const HttpFault& fault = reader_.fault();
      return abandon(fault.oversized() ? ExchangeEnd::oversized : ExchangeEnd::malformed,
                     fmt::format("answer: {}", fault.what));
    }
    case ReadProgress::done:
      // Bytes behind the answer belong to no request: whatever they are, the next one must not read
      // them.
      return answered(reader_.keep_alive() && step.used == bytes.size() && sent_ == out_.size() &&
                      !writing_armed_);
  }
}

void Connection::on_closed(int error) {
  if (error == 0 && reader_.complete_at_close()) return answered(false);
  const std::string_view when =
      reader_.started() ? "in the middle of the answer" : "before answering";
  std::string why = error != 0         ? system_text(error)
                    : send_error_ != 0 ? system_text(send_error_)
                                       : std::string("closed by the peer");
  abandon(ExchangeEnd::reset, fmt::format("{}: {}", when, why));
}

void Connection::answered(bool reusable) {
  Exchange exchange{
      .end = ExchangeEnd::answered, .response = reader_.take_response(), .detail = {}};
  Done done = std::exchange(done_, nullptr);
  if (reusable && client_->keep(*this)) {
    rest();
  } else {
    close();
  }
  done(std::move(exchange));
}

/// In the pool now.
void Connection::rest() {
  state_ = State::idle;
  if (out_.capacity() > kOutBytesKept) out_ = {};
  client_->deadlines.set(*this, std::chrono::steady_clock::now() + client_->options.idle_timeout);
  wait_readable();
}

void Connection::on_deadline() {
  switch (state_) {
    case State::connecting:
      return abandon(ExchangeEnd::not_connected, "connect: no answer in time");
    case State::exchanging:
      return sent_ == 0 ? abandon(ExchangeEnd::not_connected, "not one byte could be sent in time")
                        : abandon(ExchangeEnd::timed_out, "no answer in time");
    case State::idle:
      return close();
    case State::closed:
      return;
  }
}

void PooledClient::add(Connection& connection) {
  connections_.push_back(connection);
  ++connection.pool().second.connections;
  intrusive_ptr_add_ref(&connection);  // the list's, until forget()
}

void PooledClient::forget(Connection& connection) {
  deadlines.remove(connection);
  connections_.erase(connections_.iterator_to(connection));
  auto& pool = connection.pool();
  if (--pool.second.connections == 0) pools_.erase(pools_.find(pool.first));
  intrusive_ptr_release(&connection);
}

void PooledClient::unpool(Connection& connection) {
  std::erase_if(connection.pool().second.idle,
                [&](const ConnectionPtr& pooled) { return pooled.get() == &connection; });
}

bool PooledClient::keep(Connection& connection) {
  auto& idle = connection.pool().second.idle;
  if (idle.size() >= options.idle_per_host_max) return false;
  idle.emplace_back(&connection);
  return true;
}

void PooledClient::fail_later(Done done, ExchangeEnd end, std::string detail) {
  asio::post(io, [done = std::move(done), end, detail = std::move(detail)]() mutable {
    done(Exchange{.end = end, .response = {}, .detail = std::move(detail)});
  });
}

Pools::value_type& PooledClient::pool_of(const HttpEndpoint& endpoint) {
  const auto found = pools_.find(AddressView{endpoint.ip, endpoint.port});
  if (found != pools_.end()) return *found;
  return *pools_.try_emplace(Address{endpoint.ip, endpoint.port}).first;
}

void PooledClient::write_host(const HttpEndpoint& endpoint) {
  host_ = endpoint.host;
  if (endpoint.port == kHttpPort) return;
  host_ += ':';
  fmt::format_to(std::back_inserter(host_), "{}", endpoint.port);
}

void PooledClient::call(const HttpEndpoint& endpoint, HttpRequest request, Millis timeout,
                        Done done) {
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
  auto& [idle, connections] = pool.second;
  ++connections;  // holds the pool while broken connections leave it
  while (!idle.empty()) {
    const ConnectionPtr connection = std::move(idle.back());
    idle.pop_back();
    if (connection->usable()) {
      connection->request_bytes().swap(request_);
      if (connection->begin_pooled(answers_head, due, done)) {
        --connections;
        return;
      }
      connection->request_bytes().swap(request_);
    }
    connection->close();
  }
  const ConnectionPtr connection(new Connection(*this, pool));
  add(*connection);
  --connections;
  connection->request_bytes().swap(request_);
  connection->begin_fresh(answers_head, due, std::move(done));
}

}  // namespace

std::unique_ptr<HttpClient> HttpClient::create(asio::io_context& io, HttpClientOptions options) {
  return std::make_unique<PooledClient>(io, options);
}

}  // namespace skald
