// One request and its answer over TLS, on a connection of its own: what webhooks at https:// need.
// Plain HTTP, where speed matters, is net/http_client.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/net/http_client.h"

namespace skald {

/// The certificates that a server's must lead to: the system's, and those of a file.
class TlsTrust;
using TlsTrustPtr = std::shared_ptr<const TlsTrust>;  // shared by every thread's exchanges

/// Reads `ca_file` (PEM; empty: the system's alone). Errors: not_found that names the file.
[[nodiscard]] Result<TlsTrustPtr> load_tls_trust(const std::string& ca_file);

/// TLS 1.2 or later. Who answers has to show a certificate for the endpoint's host, and nothing
/// switches that off. Thread: as HttpClient; destroying it likewise ends every exchange as
/// `canceled` before it returns.
class TlsExchanges {
 public:
  [[nodiscard]] static std::unique_ptr<TlsExchanges> create(boost::asio::io_context& io,
                                                            TlsTrustPtr trust, HttpLimits limits);
  virtual ~TlsExchanges() = default;

  /// As HttpClient::call(): `timeout` covers connect, handshake and answer; `done` is called once,
  /// never from inside call(). Until the handshake is finished an end is `not_connected`.
  virtual void call(const HttpEndpoint& endpoint, const HttpRequest& request, Millis timeout,
                    std::move_only_function<void(Exchange)> done) = 0;
};

}  // namespace skald
