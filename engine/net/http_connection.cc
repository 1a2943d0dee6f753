#include "engine/net/http_connection.h"

#include <sys/socket.h>

#include <cerrno>

#include "engine/base/check.h"
#include "engine/net/http_writer.h"

namespace skald::http {
namespace {

using boost::asio::ip::tcp;

constexpr std::size_t kOutBytesKept = 16 * 1024;  // of an idle connection's write buffer
constexpr std::size_t kOutBytesMax = 256 * 1024;  // pipelined answers gathered before a send
constexpr std::size_t kLingerBytesMax = 4 << 20;  // read and dropped after a refusal
constexpr Millis kLingerMax{2'000};               // so long a refused peer may go on sending
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// What a handler is given: answers once, and answers 500 when it is dropped.
class Responder {
 public:
  explicit Responder(ConnectionPtr connection) : connection_(std::move(connection)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;
  ~Responder() {
    if (connection_) send(HttpResponse{.status = 500});
  }
  void operator()(HttpResponse response) {
    SKALD_CHECK(connection_ != nullptr, "a request is answered twice");
    send(std::move(response));
  }

 private:
  void send(HttpResponse response) {
    ServerCore& core = connection_->core();
    core.answer(std::move(connection_), std::move(response));
  }
  ConnectionPtr connection_;
};

HttpResponse plain_refusal(unsigned status, std::string_view what) {
  HttpResponse response;
  response.status = status;
  response.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  response.body.append(what).append("\n");
  return response;
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerCore> core, Socket socket)
    : core_(std::move(core)),
      socket_(std::move(socket)),
      reader_(HttpRole::requests, core_->options.limits) {}

void Connection::start() {
  ErrorCode ignored;
  socket_->set_option(tcp::no_delay(true), ignored);
  socket_->native_non_blocking(true, ignored);
  core_->deadlines->set(*this, std::chrono::steady_clock::now() + core_->options.idle_timeout);
  wait_readable();
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  ErrorCode ignored;
  socket_->close(ignored);
  socket_.reset();
  pending_ = {};
  out_ = {};
  core_->forget(*this);  // may release the last reference: nothing may follow
}

void Connection::wait_readable() {
  if (reading_armed_) return;
  reading_armed_ = true;
  socket_->async_wait(tcp::socket::wait_read, [self = ConnectionPtr(this)](const ErrorCode& error) {
    self->reading_armed_ = false;
    if (self->state_ == State::closed || error) return;
    self->on_readable();
  });
}

void Connection::on_readable() {
  if (state_ == State::handling || writing_) return;  // settle() waits again
  const ConnectionPtr keep(this);
  auto& buffer = core_->read_buffer;
  const ssize_t size = ::recv(socket_->native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size > 0) {
    const auto bytes = static_cast<std::size_t>(size);
    if (state_ == State::lingering) return linger(bytes);
    return consume({buffer.data(), bytes});
  }
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return wait_readable();
  close();
}

/// Handles the requests in `bytes` until one of them waits for its answer.
void Connection::consume(std::string_view bytes) {
  consuming_ = true;
  read_messages(bytes);
  consuming_ = false;
  if (state_ == State::closed) return;
  if (state_ == State::handling || state_ == State::reading) pending_.assign(bytes);
  settle();
}

void Connection::read_messages(std::string_view& bytes) {
  while (!bytes.empty() && state_ == State::reading && !close_after_write_ &&
         out_.size() < kOutBytesMax) {
    const auto step = reader_.feed(bytes);
    bytes.remove_prefix(step.used);
    switch (step.progress) {
      case ReadProgress::more:
        if (reader_.awaits_continue() && !continue_sent_) {
          continue_sent_ = true;
          out_.append(kContinue);
        }
        return;
      case ReadProgress::failed:
        return refuse(reader_.fault().status, reader_.fault().what);
      case ReadProgress::done:
        dispatch();
        break;
    }
  }
}

void Connection::dispatch() {
  const bool keep_alive = reader_.keep_alive();
  HttpRequest request = reader_.take_request();
  reader_.reset();
  continue_sent_ = deadline_is_of_request_ = false;
  head_only_ = request.method == "HEAD";
  if (!keep_alive) close_after_write_ = true;
  state_ = State::handling;
  core_->deadlines->clear(*this);
  core_->handler(std::move(request), Responder(ConnectionPtr(this)));
}

void Connection::answer(HttpResponse response) {
  if (state_ != State::handling) return;  // closed meanwhile
  if (core_->draining) close_after_write_ = true;
  append_response(out_, response, {.keep_alive = !close_after_write_, .head_only = head_only_});
  state_ = State::reading;
  if (consuming_) return;
  const ConnectionPtr keep(this);
  resume();
}

/// Goes on with what arrived behind the last request, or sends and waits.
void Connection::resume() {
  if (pending_.empty() || close_after_write_) return settle();
  const std::string bytes = std::exchange(pending_, {});
  consume(bytes);
}

/// The message cannot be understood, so neither can what follows it.
void Connection::refuse(unsigned status, std::string_view what) {
  close_after_write_ = linger_after_write_ = true;
  const auto& refusal = core_->options.refusal;
  append_response(out_, refusal ? refusal(status, what) : plain_refusal(status, what),
                  {.keep_alive = false});
}

/// Sends what is ready, then waits for what comes next.
void Connection::settle() {
  if (writing_ || flush()) after_flush();
}

/// False: the connection has been closed.
bool Connection::flush() {
  while (sent_ < out_.size()) {
    const ssize_t size = ::send(socket_->native_handle(), out_.data() + sent_, out_.size() - sent_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN) {
      writing_ = true;
      deadline_is_of_request_ = false;
      const SteadyTime now = std::chrono::steady_clock::now();
      core_->deadlines->set(*this, now + core_->options.request_timeout);
      wait_writable();
      return true;
    } else if (errno != EINTR) {
      close();
      return false;
    }
  }
  sent_ = 0;
  out_.clear();
  if (out_.capacity() > kOutBytesKept) out_ = {};
  return true;
}

void Connection::wait_writable() {
  socket_->async_wait(tcp::socket::wait_write,
                      [self = ConnectionPtr(this)](const ErrorCode& error) {
                        if (self->state_ == State::closed || error) return;
                        self->writing_ = false;
                        if (self->flush()) self->after_flush();
                      });
}

void Connection::after_flush() {
  if (writing_ || state_ == State::handling) return;
  if (linger_after_write_) {
    ErrorCode ignored;
    linger_after_write_ = false;
    state_ = State::lingering;
    socket_->shutdown(tcp::socket::shutdown_send, ignored);
    core_->deadlines->set(*this, std::chrono::steady_clock::now() + kLingerMax);
    return wait_readable();
  }
  if (close_after_write_ || (core_->draining && !reader_.started())) return close();
  if (!pending_.empty()) return resume();  // they waited for room to answer
  expect_bytes();
}

/// A request has `request_timeout` from its first byte, however slowly the rest drips in.
void Connection::expect_bytes() {
  const bool started = reader_.started();
  if (!started || !deadline_is_of_request_) {
    const auto& options = core_->options;
    core_->deadlines->set(*this, std::chrono::steady_clock::now() +
                                     (started ? options.request_timeout : options.idle_timeout));
  }
  deadline_is_of_request_ = started;
  wait_readable();
}

/// A refused peer may still be sending: closing at once would reset the connection and could
/// destroy the refusal before it is read.
void Connection::linger(std::size_t bytes) {
  lingered_ += bytes;
  if (lingered_ > kLingerBytesMax) return close();
  wait_readable();
}

void Connection::on_deadline() {
  const ConnectionPtr keep(this);
  if (state_ == State::reading && !writing_ && reader_.started()) {
    refuse(408, "the request did not arrive in time");
    return settle();
  }
  close();
}

}  // namespace skald::http
