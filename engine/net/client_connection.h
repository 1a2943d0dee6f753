// One connection to a peer and what the connections of a client share. Private to net: it includes
// asio; the rest of the program sees http_client.h.
//
// A connection always waits for readability: while nothing is asked that tells a closed or babbling
// peer, during an exchange it brings the answer. Requests that may share it (pipelining) are
// gathered until the io_context has done what was ready, and leave in one send; answers come in
// the order of the requests.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/circular_buffer.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/hash.h"
#include "engine/net/deadline_timer.h"
#include "engine/net/http_client.h"
#include "engine/net/http_reader.h"

namespace skald::http {

class ClientCore;
class ClientConnection;
using ClientConnectionPtr = boost::intrusive_ptr<ClientConnection>;
using ClientHook = boost::intrusive::list_base_hook<>;
using ExchangeDone = std::move_only_function<void(Exchange)>;

/// Connections to one address and port that carry so many requests at once.
struct Pool {
  std::vector<ClientConnectionPtr> ready;  // with room; the last used is used first: others age
  std::size_t connections = 0;
};

struct Address {
  std::string ip;
  std::uint16_t port = 0;
  std::uint16_t pipeline_max = 1;
};
struct AddressView {
  std::string_view ip;
  std::uint16_t port = 0;
  std::uint16_t pipeline_max = 1;
};
struct AddressHash {
  using is_transparent = void;
  std::size_t operator()(const auto& key) const {
    return hash64(key.ip, (std::uint64_t{key.port} << 16) | key.pipeline_max);
  }
};
struct AddressEqual {
  using is_transparent = void;
  bool operator()(const auto& a, const auto& b) const {
    return a.port == b.port && a.pipeline_max == b.pipeline_max && a.ip == b.ip;
  }
};
using Pools = std::unordered_map<Address, Pool, AddressHash, AddressEqual>;

class ClientConnection
    : public boost::intrusive_ref_counter<ClientConnection,
                                          boost::sp_adl_block::thread_unsafe_counter>,
      public ClientHook,
      public DeadlineNode {
 public:
  ClientConnection(ClientCore& client, Pools::value_type& pool);

  /// Connects; what is asked meanwhile is sent then.
  void connect();
  /// Takes the request's bytes (swapped or copied) and `done`. False: the peer is gone and not one
  /// byte was accepted; both are still in place. Pre: room().
  [[nodiscard]] bool ask(std::string& request, bool answers_head, SteadyTime due,
                         ExchangeDone& done);
  /// What was sent into the pool is still silent and open.
  [[nodiscard]] bool usable();
  /// It takes another request.
  [[nodiscard]] bool room() const {
    return state_ != State::closed && !retiring_ && !asked_.full();
  }
  /// Nothing is asked on it.
  [[nodiscard]] bool idle() const { return state_ == State::open && asked_.empty(); }
  void send_gathered();
  void on_deadline();
  void close();
  /// Ends every exchange in flight, the first of them like this, and closes.
  void abandon(ExchangeEnd how, std::string_view detail);
  [[nodiscard]] Pools::value_type& pool() { return pool_; }

  bool pooled = false;  // the client's: it is in its pool's `ready`

 private:
  enum class State : std::uint8_t { connecting = 1, open, closed };

  /// A request on its way.
  struct Asked {
    std::uint64_t begin = 0;  // of its bytes, counted from the connection's first
    std::uint64_t end = 0;
    SteadyTime due;
    bool answers_head = false;
    ExchangeDone done;  // null: given up; its answer is read and dropped
  };

  void connected(const boost::system::error_code& error);
  void append(std::string& request);
  bool send();
  void settle_broken_send();
  void wait_readable();
  void wait_writable();
  void on_readable();
  void receive(std::string_view bytes);
  bool take_answer(bool more);
  template <class HowOf>
  void end_all(HowOf how_of);
  [[nodiscard]] Exchange lost(const Asked& asked, std::string_view why) const;
  void on_closed(int error);
  void expect_next();
  void retire();
  void rest();
  void give_up_overdue();
  void end_by(SteadyTime due);
  [[nodiscard]] bool sent_nothing_of(const Asked& asked) const {
    return sent_total_ <= asked.begin;
  }

  ClientCore* client_;  // null once closed
  Pools::value_type& pool_;
  boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>
      socket_;
  HttpReader reader_;
  State state_ = State::connecting;
  bool reading_armed_ = false;
  bool writing_armed_ = false;
  bool gathered_ = false;  // is among those that send when the io_context comes to it
  bool retiring_ = false;  // takes no other request, and closes when nothing is owed
  SteadyTime deadline_ = SteadyTime::max();
  std::string out_;
  std::size_t sent_ = 0;           // of out_
  std::uint64_t sent_total_ = 0;   // since the connection began
  std::uint64_t asked_total_ = 0;  // likewise, sent or not
  // The answer may still be readable: a server may refuse before it has read all.
  int send_error_ = 0;
  boost::circular_buffer<Asked> asked_;
};

class ClientCore final : public HttpClient {
 public:
  ClientCore(boost::asio::io_context& context, HttpClientOptions chosen);
  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;
  ~ClientCore() override;

  void call(const HttpEndpoint& endpoint, HttpRequest request, Millis timeout,
            ExchangeDone done) override;

  /// It has room: it may be asked.
  void offer(ClientConnection& connection);
  /// Likewise, with nothing to do meanwhile. False: as many wait already as may.
  [[nodiscard]] bool keep(ClientConnection& connection);
  /// It is not to be asked.
  void unpool(ClientConnection& connection);
  void forget(ClientConnection& connection);
  /// It sends when the io_context has done what is ready now.
  void gather(ClientConnection& connection);

  boost::asio::io_context& io;
  const HttpClientOptions options;
  DeadlineTimer deadlines;
  std::vector<char> read_buffer;

 private:
  void fail_later(ExchangeDone done, ExchangeEnd end, std::string detail);
  void add(ClientConnection& connection);
  Pools::value_type& pool_of(const HttpEndpoint& endpoint);
  /// One more connection may be opened; an idle one is closed for it where there is one.
  [[nodiscard]] bool make_room();
  void write_host(const HttpEndpoint& endpoint);

  Pools pools_;
  boost::intrusive::list<ClientConnection, boost::intrusive::base_hook<ClientHook>> connections_;
  // Shared with what is posted, which may run when the client is gone.
  std::shared_ptr<std::vector<ClientConnectionPtr>> gathered_;
  std::string host_;     // reused by call()
  std::string request_;  // likewise, in exchange for a connection's buffer
  bool closing_ = false;
};

}  // namespace skald::http
