#include "engine/net/http_server.h"

#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>

#include "engine/net/http_connection.h"

namespace skald {
namespace http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadBytes = 64 * 1024;  // taken from a socket at once
constexpr Millis kAcceptPause{50};             // after accept failed (out of descriptors)

}  // namespace

ServerCore::ServerCore(asio::io_context& context, HttpServerOptions chosen, HttpHandler requests)
    : io(context),
      options(std::move(chosen)),
      handler(std::move(requests)),
      read_buffer(kReadBytes),
      acceptor_(context) {
  deadlines.emplace(context, [this](DeadlineNode& node) { on_deadline(node); });
}

Result<void> ServerCore::open() {
  ErrorCode error;
  const auto address = asio::ip::make_address(options.address, error);
  const asio::ip::tcp::endpoint endpoint(address, options.port);
  if (!error) acceptor_->open(endpoint.protocol(), error);
  if (!error) acceptor_->set_option(Acceptor::reuse_address(true), error);
  if (!error && options.share_port && options.first_on_port) {
    Acceptor alone(io, endpoint.protocol());  // does not share, so it is refused where another does
    alone.set_option(Acceptor::reuse_address(true), error);
    alone.bind(endpoint, error);
  }
  if (!error && options.share_port) {
    const int on = 1;
    if (::setsockopt(acceptor_->native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
      error = ErrorCode(errno, boost::system::system_category());
    }
  }
  if (!error) acceptor_->bind(endpoint, error);
  if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(Errc::unavailable, "cannot listen on {}:{}: {}; choose another address or port",
                options.address, options.port, error.message());
  }
  port = acceptor_->local_endpoint().port();
  accept();
  return {};
}

void ServerCore::accept() {
  acceptor_->async_accept([core = shared_from_this()](const ErrorCode& error, Socket socket) {
    core->accepted(error, std::move(socket));
  });
}

void ServerCore::accepted(ErrorCode error, Socket socket) {
  if (!acceptor_ || !acceptor_->is_open()) return;
  thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  if (error) {  // out of descriptors, mostly: trying again at once would only burn the processor
    return deadlines->set(accept_pause_, std::chrono::steady_clock::now() + kAcceptPause);
  }
  if (connections_.size() < options.connections_max) {
    const ConnectionPtr connection(new Connection(shared_from_this(), std::move(socket)));
    connections_.push_back(*connection);
    intrusive_ptr_add_ref(connection.get());  // the list's, until forget()
    connection->start();
  }
  accept();
}

void ServerCore::on_deadline(DeadlineNode& node) {
  if (&node == &accept_pause_) return accept();
  if (&node != &grace_) return static_cast<Connection&>(node).on_deadline();
  while (!connections_.empty()) connections_.front().close();
}

void ServerCore::forget(Connection& connection) {
  deadlines->remove(connection);
  connections_.erase(connections_.iterator_to(connection));
  intrusive_ptr_release(&connection);
  end_drain_when_empty();
}

void ServerCore::begin_drain(Millis grace, std::move_only_function<void()> done) {
  if (!acceptor_) return;  // closed meanwhile
  draining = true;
  drained_ = std::move(done);
  ErrorCode ignored;
  acceptor_->close(ignored);
  deadlines->set(grace_, std::chrono::steady_clock::now() + grace);
  for (auto next = connections_.begin(); next != connections_.end();) {
    Connection& connection = *next++;  // closing takes it out of the list
    if (connection.idle()) connection.close();
  }
  end_drain_when_empty();
}

void ServerCore::end_drain_when_empty() {
  if (!drained_ || !connections_.empty()) return;
  deadlines->clear(grace_);
  asio::post(io, std::exchange(drained_, nullptr));
}

void ServerCore::close() {
  const std::scoped_lock lock(mailbox_mutex_);
  mailbox_open_ = false;
  mailbox_.clear();
  drained_ = nullptr;
  acceptor_.reset();
  while (!connections_.empty()) connections_.front().close();
  deadlines->remove(accept_pause_);
  deadlines->remove(grace_);
  deadlines.reset();
}

void ServerCore::answer(ConnectionPtr connection, HttpResponse response) {
  if (std::this_thread::get_id() == thread_.load(std::memory_order_relaxed)) {
    return connection->answer(std::move(response));
  }
  const std::scoped_lock lock(mailbox_mutex_);
  if (!mailbox_open_) return;
  mailbox_.emplace_back(std::move(connection), std::move(response));
  if (mailbox_.size() > 1) return;  // a delivery is on its way
  asio::post(io, [core = shared_from_this()] { core->deliver(); });
}

void ServerCore::deliver() {
  std::vector<std::pair<ConnectionPtr, HttpResponse>> answers;
  {
    const std::scoped_lock lock(mailbox_mutex_);
    answers.swap(mailbox_);
  }
  for (auto& [connection, response] : answers) connection->answer(std::move(response));
}

namespace {

class BoundServer final : public HttpServer {
 public:
  explicit BoundServer(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}
  BoundServer(const BoundServer&) = delete;
  BoundServer& operator=(const BoundServer&) = delete;
  ~BoundServer() override { core_->close(); }

  [[nodiscard]] std::uint16_t port() const override { return core_->port; }

  void drain(Millis grace, std::move_only_function<void()> done) override {
    asio::post(core_->io, [core = core_, grace, done = std::move(done)]() mutable {
      core->begin_drain(grace, std::move(done));
    });
  }

 private:
  std::shared_ptr<ServerCore> core_;
};

}  // namespace
}  // namespace http

Result<std::unique_ptr<HttpServer>> HttpServer::listen(boost::asio::io_context& io,
                                                       HttpServerOptions options,
                                                       HttpHandler handler) {
  auto core = std::make_shared<http::ServerCore>(io, std::move(options), std::move(handler));
  if (auto opened = core->open(); !opened) return std::unexpected(opened.error());
  return std::make_unique<http::BoundServer>(std::move(core));
}

}  // namespace skald
