#include "engine/transport/tls_exchange.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/http_reader.h"
#include "engine/net/http_writer.h"
#include "engine/transport/address_rules.h"

namespace skald {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class TlsTrust {
 public:
  // OpenSSL counts its references: connections of several threads may be made from one context.
  mutable asio::ssl::context context{asio::ssl::context::tls_client};
};

Result<TlsTrustPtr> load_tls_trust(const std::string& ca_file) {
  auto trust = std::make_shared<TlsTrust>();
  asio::ssl::context& context = trust->context;
  error_code error;
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  context.set_verify_mode(asio::ssl::verify_peer, error);
  if (!error) context.set_default_verify_paths(error);
  if (error) return fail(Errc::unavailable, "the system's certificates: {}", error.message());
  if (!ca_file.empty()) context.load_verify_file(ca_file, error);
  if (error) {
    return fail(Errc::not_found, "{} cannot be read, or has no certificate in PEM: {}", ca_file,
                error.message());
  }
  return trust;
}

namespace {

using Done = std::move_only_function<void(Exchange)>;

constexpr std::size_t kReadBytes = 16 * 1024;  // a TLS record's most
constexpr std::uint16_t kHttpsPort = 443;
constexpr Millis kTimeoutMax{24 * 3'600'000};  // keeps sums of times sound

/// What is wrong with a certificate, in words that say what to do.
std::string certificate_fault(long verified, std::string_view host) {
  switch (verified) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return fmt::format("certificate of {}: its issuer is unknown; alerts.ca_file may name it",
                         host);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("certificate of {}: it has expired", host);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("certificate of {}: it is for another host", host);
    default:
      return fmt::format("certificate of {}: {}", host, X509_verify_cert_error_string(verified));
  }
}

/// The host is in the certificate, and is asked for by name where it has one (SNI).
bool expect_host(SSL* ssl, const std::string& host) {
  if (const auto address = literal_address(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address->text().c_str()) == 1;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

// Shared by what waits for it: a handler may be queued already when the exchange has ended.
class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(asio::io_context& io, TlsTrustPtr trust, HttpLimits limits, Done done)
      : trust_(std::move(trust)),
        stream_(io, trust_->context),
        timer_(io),
        reader_(HttpRole::responses, limits),
        done_(std::move(done)) {}

  void begin(const HttpEndpoint& endpoint, std::string message, Millis timeout) {
    host_ = endpoint.host;
    message_ = std::move(message);
    timer_.expires_after(std::min(timeout, kTimeoutMax));
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->overdue();
    });
    error_code error;
    const auto ip = asio::ip::make_address(endpoint.ip, error);
    if (!error && !expect_host(stream_.native_handle(), host_)) error = asio::error::no_memory;
    if (error) {
      return asio::post(stream_.get_executor(),
                        [self = shared_from_this(), error] { self->connected(error); });
    }
    stream_.next_layer().async_connect(
        tcp::endpoint(ip, endpoint.port),
        [self = shared_from_this()](const error_code& result) { self->connected(result); });
  }

  void end(ExchangeEnd how, std::string detail, HttpResponse response = {}) {
    if (!done_) return;
    error_code ignored;
    stream_.next_layer().close(ignored);
    timer_.cancel();
    std::exchange(done_, nullptr)(
        Exchange{.end = how, .response = std::move(response), .detail = std::move(detail)});
  }

 private:
  enum class Phase : std::uint8_t { connecting = 1, handshake, asked };

  void overdue() {
    switch (phase_) {
      case Phase::connecting:
        return end(ExchangeEnd::not_connected, "connect: no connection in time");
      case Phase::handshake:
        return end(ExchangeEnd::not_connected, "TLS: the handshake was not finished in time");
      case Phase::asked:
        return end(ExchangeEnd::timed_out, "no answer in time");
    }
  }

  void connected(const error_code& error) {
    if (!done_) return;
    if (error) {
      return end(ExchangeEnd::not_connected, fmt::format("connect: {}", error.message()));
    }
    phase_ = Phase::handshake;
    stream_.async_handshake(
        asio::ssl::stream_base::client,
        [self = shared_from_this()](const error_code& result) { self->greeted(result); });
  }

  void greeted(const error_code& error) {
    if (!done_) return;
    if (error) {
      const long verified = SSL_get_verify_result(stream_.native_handle());
      return end(ExchangeEnd::not_connected,
                 verified == X509_V_OK
                     ? fmt::format("TLS: handshake: {}", error.message())
                     : fmt::format("TLS: {}", certificate_fault(verified, host_)));
    }
    phase_ = Phase::asked;
    asio::async_write(stream_, asio::buffer(message_),
                      [self = shared_from_this()](const error_code& result, std::size_t) {
                        if (result) return self->broke(result);
                        self->read();
                      });
  }

  void read() {
    stream_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](const error_code& error, std::size_t size) {
                              self->received(error, size);
                            });
  }

  void received(const error_code& error, std::size_t size) {
    if (!done_) return;
    if (error) {
      // Many close without saying so in TLS. Who it is and the status are certain by then.
      const bool closed = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
      if (!closed || !reader_.complete_at_close()) return broke(error);
      return answered();
    }
    const auto step = reader_.feed({buffer_.data(), size});
    if (step.progress == ReadProgress::more) return read();
    if (step.progress == ReadProgress::done) return answered();
    const HttpFault& fault = reader_.fault();
    end(fault.oversized() ? ExchangeEnd::oversized : ExchangeEnd::malformed,
        fmt::format("answer: {}", fault.what));
  }

  void answered() { end(ExchangeEnd::answered, {}, reader_.take_response()); }
  void broke(const error_code& error) {
    end(ExchangeEnd::reset,
        fmt::format("TLS: the connection broke before its answer: {}", error.message()));
  }

  TlsTrustPtr trust_;
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer timer_;
  HttpReader reader_;
  Done done_;  // null: ended
  std::string host_;
  std::string message_;
  std::array<char, kReadBytes> buffer_{};
  Phase phase_ = Phase::connecting;
};

class SystemTlsExchanges final : public TlsExchanges {
 public:
  SystemTlsExchanges(asio::io_context& io, TlsTrustPtr trust, HttpLimits limits)
      : io_(io), trust_(std::move(trust)), limits_(limits) {
    SKALD_CHECK(trust_ != nullptr, "TLS needs certificates to trust");
  }
  SystemTlsExchanges(const SystemTlsExchanges&) = delete;
  SystemTlsExchanges& operator=(const SystemTlsExchanges&) = delete;
  ~SystemTlsExchanges() override {
    for (const auto& call : std::exchange(calls_, {})) {
      call->end(ExchangeEnd::canceled, "the client is shutting down");
    }
  }

  void call(const HttpEndpoint& endpoint, const HttpRequest& request, Millis timeout,
            Done done) override {
    const std::string authority = endpoint.port == kHttpsPort
                                      ? endpoint.host
                                      : fmt::format("{}:{}", endpoint.host, endpoint.port);
    std::string message;
    if (const auto fault = append_request(message, authority, request)) {
      return asio::post(io_, [done = std::move(done), fault]() mutable {
        done({.end = ExchangeEnd::not_connected,
              .response = {},
              .detail = fmt::format("request: {}", *fault)});
      });
    }
    const auto place = calls_.emplace(calls_.end());
    *place = std::make_shared<Call>(
        io_, trust_, limits_, [this, place, done = std::move(done)](Exchange exchange) mutable {
          if (exchange.end != ExchangeEnd::canceled) calls_.erase(place);
          done(std::move(exchange));
        });
    (*place)->begin(endpoint, std::move(message), timeout);
  }

 private:
  asio::io_context& io_;
  const TlsTrustPtr trust_;
  const HttpLimits limits_;
  std::list<std::shared_ptr<Call>> calls_;
};

}  // namespace

std::unique_ptr<TlsExchanges> TlsExchanges::create(asio::io_context& io, TlsTrustPtr trust,
                                                   HttpLimits limits) {
  return std::make_unique<SystemTlsExchanges>(io, std::move(trust), limits);
}

}  // namespace skald
