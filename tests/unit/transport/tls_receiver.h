// A webhook's other end over TLS, with a certificate that it makes itself, by an authority that it
// makes as well.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace skald {

struct TlsIdentity {
  std::string host;      // the certificate's name
  bool expired = false;  // it ended a day ago
};

/// Takes one connection: reads a request to its last byte and answers 200. Its thread ends at the
/// latest with the object.
class TlsReceiver {
 public:
  explicit TlsReceiver(const TlsIdentity& identity);
  TlsReceiver(const TlsReceiver&) = delete;
  TlsReceiver& operator=(const TlsReceiver&) = delete;
  ~TlsReceiver();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The authority's certificate, PEM.
  [[nodiscard]] const std::string& authority() const { return authority_; }

  struct Taken {
    std::string request;      // whole; empty: none was ever read
    std::string server_name;  // by SNI
  };
  /// Pre: the connection has come. Waits until it is served or broken.
  [[nodiscard]] Taken taken();

 private:
  struct Context;
  void serve();

  std::unique_ptr<Context> context_;
  std::string authority_;
  int listening_ = -1;
  std::uint16_t port_ = 0;
  Taken taken_;
  std::thread thread_;
};

}  // namespace skald
