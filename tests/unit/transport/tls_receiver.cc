#include "tests/unit/transport/tls_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>

#include "engine/base/check.h"

namespace skald {
namespace {

template <auto release>
struct Released {
  void operator()(auto* held) const { release(held); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Released<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Released<X509_free>>;
using SessionPtr = std::unique_ptr<SSL, Released<SSL_free>>;

constexpr long kDayS = 24L * 3'600;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntaken";

KeyPtr make_key() { return KeyPtr(EVP_EC_gen("P-256")); }

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  SKALD_CHECK(extension != nullptr, "an extension of a certificate");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

struct Subject {
  std::string name;
  long serial = 1;
  long ends_in_s = kDayS;
};

/// `issuer` null: it signs itself and may sign others.
CertificatePtr make_certificate(EVP_PKEY* key, const Subject& subject, X509* issuer,
                                EVP_PKEY* issuer_key) {
  CertificatePtr made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), subject.serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3 * kDayS);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), subject.ends_in_s);
  X509_set_pubkey(made.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.name.c_str()), -1, -1,
                             0);
  X509* by = issuer == nullptr ? made.get() : issuer;
  X509_set_issuer_name(made.get(), X509_get_subject_name(by));
  if (issuer == nullptr) {
    extend(made.get(), by, NID_basic_constraints, "critical,CA:TRUE");
    extend(made.get(), by, NID_key_usage, "critical,keyCertSign");
  } else {
    const bool is_address = subject.name.find_first_not_of("0123456789.") == std::string::npos;
    extend(made.get(), by, NID_subject_alt_name, (is_address ? "IP:" : "DNS:") + subject.name);
  }
  X509_sign(made.get(), issuer_key, EVP_sha256());
  return made;
}

std::string pem_of(X509* certificate) {
  const std::unique_ptr<BIO, Released<BIO_free_all>> memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

/// Its head says how long the body is.
bool whole(std::string_view request) {
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t head = request.find("\r\n\r\n");
  const std::size_t length = request.find(kLength);
  if (head == std::string_view::npos || length > head) return false;
  return request.size() - head - 4 >=
         std::stoul(std::string(request.substr(length + kLength.size(), 8)));
}

}  // namespace

struct TlsReceiver::Context {
  std::unique_ptr<SSL_CTX, Released<SSL_CTX_free>> tls{SSL_CTX_new(TLS_server_method())};
};

TlsReceiver::TlsReceiver(const TlsIdentity& identity) : context_(std::make_unique<Context>()) {
  const KeyPtr authority_key = make_key();
  const CertificatePtr authority = make_certificate(authority_key.get(), {.name = "Skald's tests"},
                                                    nullptr, authority_key.get());
  authority_ = pem_of(authority.get());
  const KeyPtr key = make_key();
  const CertificatePtr own = make_certificate(
      key.get(),
      {.name = identity.host, .serial = 2, .ends_in_s = identity.expired ? -kDayS : kDayS},
      authority.get(), authority_key.get());
  SSL_CTX_use_certificate(context_->tls.get(), own.get());
  SSL_CTX_use_PrivateKey(context_->tls.get(), key.get());
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write(); a refused peer is gone by then

  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const at = reinterpret_cast<sockaddr*>(&address);
  SKALD_CHECK(::bind(listening_, at, size) == 0 && ::listen(listening_, 8) == 0, "a free port");
  ::getsockname(listening_, at, &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

TlsReceiver::~TlsReceiver() {
  ::shutdown(listening_, SHUT_RDWR);  // whoever waits for a connection waits no longer
  if (thread_.joinable()) thread_.join();
  ::close(listening_);
}

TlsReceiver::Taken TlsReceiver::taken() {
  thread_.join();
  return taken_;
}

void TlsReceiver::serve() {
  const int peer = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
  if (peer < 0) return;
  const timeval bound{.tv_sec = 20, .tv_usec = 0};  // never reached by a test that passes
  ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  const SessionPtr session(SSL_new(context_->tls.get()));
  SSL_set_fd(session.get(), peer);
  if (SSL_accept(session.get()) == 1) {
    const char* name = SSL_get_servername(session.get(), TLSEXT_NAMETYPE_host_name);
    if (name != nullptr) taken_.server_name = name;
    std::array<char, 4'096> buffer{};
    while (!whole(taken_.request)) {
      const int size = SSL_read(session.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (size <= 0) break;
      taken_.request.append(buffer.data(), static_cast<std::size_t>(size));
    }
    if (whole(taken_.request)) {
      SSL_write(session.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
      SSL_shutdown(session.get());
    }
  }
  ::close(peer);
}

}  // namespace skald
