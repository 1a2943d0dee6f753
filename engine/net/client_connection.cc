#include "engine/net/client_connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <ranges>

namespace skald::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kOutBytesKept = 16 * 1024;  // of an idle connection's write buffer
constexpr const char* kNotSent = "the connection was given up before the request was sent";
constexpr std::string_view kNotReached = "the connection was given up before its answer";

std::string system_text(int number) {
  return error_code(number, boost::system::system_category()).message();
}

Exchange timed_out() {
  return {.end = ExchangeEnd::timed_out, .response = {}, .detail = "no answer in time"};
}

}  // namespace

ClientConnection::ClientConnection(ClientCore& client, Pools::value_type& pool)
    : client_(&client),
      pool_(pool),
      socket_(client.io),
      reader_(HttpRole::responses, client.options.response_limits),
      asked_(pool.first.pipeline_max) {}

void ClientConnection::close() {
  if (state_ == State::closed) return;
  client_->unpool(*this);
  state_ = State::closed;
  error_code ignored;
  socket_.close(ignored);
  std::exchange(client_, nullptr)->forget(*this);  // may release the last reference
}

void ClientConnection::abandon(ExchangeEnd how, std::string_view detail) {
  end_all([&, first = true](const Asked& asked) mutable -> Exchange {
    if (std::exchange(first, false) || how == ExchangeEnd::canceled) {
      return {.end = how, .response = {}, .detail = std::string(detail)};
    }
    return lost(asked, kNotReached);
  });
}

/// Closes, then ends each exchange as `how_of` says.
template <class HowOf>
void ClientConnection::end_all(HowOf how_of) {
  const ClientConnectionPtr keep(this);
  auto left = std::exchange(asked_, boost::circular_buffer<Asked>(asked_.capacity()));
  close();
  for (Asked& asked : left) {
    Exchange exchange = how_of(asked);
    if (asked.done) asked.done(std::move(exchange));
  }
}

/// What became of a request when its connection was given up.
Exchange ClientConnection::lost(const Asked& asked, std::string_view why) const {
  return sent_nothing_of(asked)
             ? Exchange{.end = ExchangeEnd::not_connected, .response = {}, .detail = kNotSent}
             : Exchange{.end = ExchangeEnd::reset, .response = {}, .detail = std::string(why)};
}

bool ClientConnection::usable() {
  if (!asked_.empty()) return true;  // its answer will tell
  char byte = 0;
  const ssize_t size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && errno == EAGAIN;
}

bool ClientConnection::ask(std::string& request, bool answers_head, SteadyTime due,
                           ExchangeDone& done) {
  const bool alone = asked_.capacity() == 1;  // nothing to gather for
  const bool first = asked_.empty();
  const std::uint64_t begin = asked_total_;
  append(request);
  if (alone && state_ == State::open && !send() && sent_total_ == begin) {
    request.swap(out_);
    return false;
  }
  asked_.push_back({.begin = begin,
                    .end = asked_total_,
                    .due = due,
                    .answers_head = answers_head,
                    .done = std::move(done)});
  if (state_ == State::connecting || !first) {
    end_by(std::min(due, deadline_));
  } else {
    end_by(due);
    expect_next();
  }
  if (state_ == State::connecting) return true;
  if (!alone && !std::exchange(gathered_, true)) client_->gather(*this);
  wait_readable();
  return true;
}

void ClientConnection::append(std::string& request) {
  asked_total_ += request.size();
  if (sent_ > kOutBytesKept) out_.erase(0, std::exchange(sent_, 0));
  if (sent_ < out_.size()) {
    out_.append(request);
  } else {
    out_.swap(request);
    sent_ = 0;
  }
}

void ClientConnection::connect() {
  end_by(std::chrono::steady_clock::now() + client_->options.connect_timeout);
  error_code error;
  const auto ip = asio::ip::make_address(pool_.first.ip, error);
  const tcp::endpoint endpoint(ip, pool_.first.port);
  if (!error) socket_.open(endpoint.protocol(), error);
  if (!error) socket_.set_option(tcp::no_delay(true), error);
  auto ended = [self = ClientConnectionPtr(this)](const error_code& result) {
    self->connected(result);
  };
  if (error) return asio::post(client_->io, [ended, error] { ended(error); });
  socket_.async_connect(endpoint, std::move(ended));
}

void ClientConnection::connected(const error_code& error) {
  if (state_ == State::closed) return;
  if (error) {
    return abandon(ExchangeEnd::not_connected, fmt::format("connect: {}", error.message()));
  }
  if (!send() && sent_total_ == 0) {
    return abandon(ExchangeEnd::not_connected,
                   fmt::format("connect: closed at once: {}", system_text(send_error_)));
  }
  state_ = State::open;
  expect_next();
  give_up_overdue();
  if (state_ == State::open) wait_readable();
}

/// False: the connection is broken for sending.
bool ClientConnection::send() {
  while (sent_ < out_.size()) {
    const ssize_t size = ::send(socket_.native_handle(), out_.data() + sent_, out_.size() - sent_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
      sent_total_ += static_cast<std::uint64_t>(size);
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

void ClientConnection::send_gathered() {
  gathered_ = false;
  if (state_ == State::open && !writing_armed_ && !send()) settle_broken_send();
}

/// What has left in part is left to the reader: the answers may be there already.
void ClientConnection::settle_broken_send() {
  const ClientConnectionPtr keep(this);
  retire();
  std::vector<Asked> unsent;
  while (!asked_.empty() && sent_nothing_of(asked_.back())) {
    unsent.push_back(std::move(asked_.back()));
    asked_.pop_back();
  }
  if (asked_.empty()) close();
  for (Asked& asked : unsent | std::views::reverse) {
    if (asked.done) asked.done(lost(asked, {}));
  }
}

void ClientConnection::wait_writable() {
  if (writing_armed_) return;
  writing_armed_ = true;
  socket_.async_wait(tcp::socket::wait_write,
                     [self = ClientConnectionPtr(this)](const error_code& error) {
                       self->writing_armed_ = false;
                       if (self->state_ != State::open || error) return;
                       if (!self->send()) self->settle_broken_send();
                     });
}

void ClientConnection::wait_readable() {
  if (reading_armed_) return;
  reading_armed_ = true;
  socket_.async_wait(tcp::socket::wait_read,
                     [self = ClientConnectionPtr(this)](const error_code& error) {
                       self->reading_armed_ = false;
                       if (self->state_ == State::closed || error) return;
                       self->on_readable();
                     });
}

void ClientConnection::on_readable() {
  const ClientConnectionPtr keep(this);
  auto& buffer = client_->read_buffer;
  const ssize_t size = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return wait_readable();
  if (asked_.empty()) return close();  // closed by the peer, or bytes nobody asked for
  if (size <= 0) return on_closed(size < 0 ? errno : 0);
  receive({buffer.data(), static_cast<std::size_t>(size)});
}

void ClientConnection::receive(std::string_view bytes) {
  do {
    const auto step = reader_.feed(bytes);
    if (step.progress == ReadProgress::more) return wait_readable();
    if (step.progress == ReadProgress::failed) {
      const HttpFault& fault = reader_.fault();
      return abandon(fault.oversized() ? ExchangeEnd::oversized : ExchangeEnd::malformed,
                     fmt::format("answer: {}", fault.what));
    }
    bytes.remove_prefix(step.used);
    if (!take_answer(!bytes.empty())) return;
  } while (!bytes.empty());
  wait_readable();
}

/// The first of those asked is answered. `more`: bytes have arrived behind the answer. False: the
/// connection is closed.
bool ClientConnection::take_answer(bool more) {
  Asked first = std::move(asked_.front());
  asked_.pop_front();
  // Bytes behind the last answer belong to no request: whatever they are, the next one must not
  // read them.
  const bool goes_on = reader_.keep_alive() && sent_total_ >= first.end &&
                       !(asked_.empty() && (more || writing_armed_));
  Exchange exchange{
      .end = ExchangeEnd::answered, .response = reader_.take_response(), .detail = {}};
  if (!goes_on) retire();
  if (asked_.empty()) {
    rest();
  } else if (goes_on) {
    expect_next();
    if (!retiring_) client_->offer(*this);
  }
  if (first.done) first.done(std::move(exchange));
  if (!goes_on) abandon(ExchangeEnd::reset, "closed by the peer: before answering");
  return state_ != State::closed;
}

/// The answer that comes next is of the first that is asked.
void ClientConnection::expect_next() {
  reader_.reset();
  if (asked_.front().answers_head) reader_.expect_no_body();
}

void ClientConnection::on_closed(int error) {
  if (error == 0 && reader_.complete_at_close()) {
    static_cast<void>(take_answer(false));
    return;
  }
  const std::string_view when =
      reader_.started() ? "in the middle of the answer" : "before answering";
  std::string why = error != 0         ? system_text(error)
                    : send_error_ != 0 ? system_text(send_error_)
                                       : std::string("closed by the peer");
  abandon(ExchangeEnd::reset, fmt::format("{}: {}", when, why));
}

void ClientConnection::retire() {
  if (retiring_) return;
  retiring_ = true;
  client_->unpool(*this);
}

/// Nothing is asked of it: it waits in the pool, or closes.
void ClientConnection::rest() {
  if (retiring_ || !client_->keep(*this)) return close();
  if (out_.capacity() > kOutBytesKept) out_ = {};
  end_by(std::chrono::steady_clock::now() + client_->options.idle_timeout);
  wait_readable();
}

void ClientConnection::on_deadline() {
  if (state_ == State::connecting) {
    return abandon(ExchangeEnd::not_connected, "connect: no answer in time");
  }
  if (state_ != State::open) return;
  if (asked_.empty()) return close();
  give_up_overdue();
}

/// Whoever waited too long is told. Those behind go on waiting: their answers may come yet, in
/// their places; but nothing more is asked of such a peer.
void ClientConnection::give_up_overdue() {
  const SteadyTime now = std::chrono::steady_clock::now();
  const auto overdue = [&](const Asked& asked) { return asked.done && asked.due <= now; };
  // A peer that does not even read. What was told to have failed must not leave later.
  if (std::ranges::any_of(asked_, [&](auto& a) { return overdue(a) && sent_nothing_of(a); })) {
    return end_all([&](const Asked& asked) {
      if (!overdue(asked)) return lost(asked, kNotReached);
      return sent_nothing_of(asked) ? Exchange{.end = ExchangeEnd::not_connected,
                                               .response = {},
                                               .detail = "not one byte could be sent in time"}
                                    : timed_out();
    });
  }
  std::vector<ExchangeDone> given_up;
  SteadyTime next = SteadyTime::max();
  for (Asked& asked : asked_) {
    if (overdue(asked)) given_up.push_back(std::exchange(asked.done, nullptr));
    if (asked.done) next = std::min(next, asked.due);
  }
  const ClientConnectionPtr keep(this);
  if (!given_up.empty()) retire();
  if (next == SteadyTime::max()) {
    close();
  } else {
    end_by(next);
  }
  for (ExchangeDone& done : given_up) done(timed_out());
}

void ClientConnection::end_by(SteadyTime due) {
  deadline_ = due;
  client_->deadlines.set(*this, due);
}

}  // namespace skald::http
