// One accepted connection and what the connections of a server share. Private to net: it includes
// asio; the rest of the program sees http_server.h.
//
// A connection waits for bytes, reads them into a buffer that all connections of the server share,
// and handles one request at a time; what follows it waits in `pending_`. An answer leaves in one
// send, and pipelined answers that are ready together leave together.
#pragma once

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/net/deadline_timer.h"
#include "engine/net/http_reader.h"
#include "engine/net/http_server.h"

namespace skald::http {

using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using ErrorCode = boost::system::error_code;

class Connection;
using ConnectionHook = boost::intrusive::list_base_hook<>;
using ConnectionPtr = boost::intrusive_ptr<Connection>;

/// What connections share. Answers that come late keep it beyond its server, and even beyond its
/// io_context: closing lets go of everything that belongs to that.
class ServerCore : public std::enable_shared_from_this<ServerCore> {
 public:
  ServerCore(boost::asio::io_context& context, HttpServerOptions chosen, HttpHandler requests);
  ServerCore(const ServerCore&) = delete;
  ServerCore& operator=(const ServerCore&) = delete;

  Result<void> open();
  void accept();
  void begin_drain(Millis grace, std::move_only_function<void()> done);
  void close();
  void forget(Connection& connection);
  void answer(ConnectionPtr connection, HttpResponse response);

  boost::asio::io_context& io;
  const HttpServerOptions options;
  HttpHandler handler;
  std::optional<DeadlineTimer> deadlines;  // gone once closed, like the acceptor
  std::vector<char> read_buffer;
  std::uint16_t port = 0;
  bool draining = false;

 private:
  void accepted(ErrorCode error, Socket socket);
  void on_deadline(DeadlineNode& node);
  void end_drain_when_empty();
  void deliver();

  std::optional<Acceptor> acceptor_;
  boost::intrusive::list<Connection, boost::intrusive::base_hook<ConnectionHook>> connections_;
  DeadlineNode accept_pause_;
  DeadlineNode grace_;
  std::move_only_function<void()> drained_;

  // Known without asking the io_context, which a late answer may outlive.
  std::atomic<std::thread::id> thread_;

  // Answers from other threads, gathered so that a burst of them costs one wake-up.
  std::mutex mailbox_mutex_;
  std::vector<std::pair<ConnectionPtr, HttpResponse>> mailbox_;
  bool mailbox_open_ = true;
};

class Connection : public boost::intrusive_ref_counter<Connection>,
                   public ConnectionHook,
                   public DeadlineNode {
 public:
  Connection(std::shared_ptr<ServerCore> core, Socket socket);

  void start();
  void close();
  void on_deadline();
  void answer(HttpResponse response);
  /// Nothing was asked and nothing is owed.
  [[nodiscard]] bool idle() const {
    return state_ == State::reading && out_.empty() && pending_.empty() && !reader_.started();
  }
  [[nodiscard]] ServerCore& core() { return *core_; }

 private:
  enum class State : std::uint8_t { reading = 1, handling, lingering, closed };

  void wait_readable();
  void on_readable();
  void wait_writable();
  void consume(std::string_view bytes);
  void read_messages(std::string_view& bytes);
  void dispatch();
  void refuse(unsigned status, std::string_view what);
  void settle();
  bool flush();
  void after_flush();
  void expect_bytes();
  void resume();
  void linger(std::size_t bytes);

  std::shared_ptr<ServerCore> core_;
  std::optional<Socket> socket_;  // gone once closed: the rest may outlive the io_context
  HttpReader reader_;
  State state_ = State::reading;
  bool consuming_ = false;  // an answer given now is picked up by consume()
  bool writing_ = false;    // a send waits for room
  bool reading_armed_ = false;
  bool close_after_write_ = false;
  bool linger_after_write_ = false;
  bool continue_sent_ = false;
  bool head_only_ = false;
  bool deadline_is_of_request_ = false;
  std::string pending_;  // bytes after the request in hand
  std::string out_;
  std::size_t sent_ = 0;
  std::size_t lingered_ = 0;
};

}  // namespace skald::http
