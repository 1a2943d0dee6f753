// Webhooks at https: who is believed to be the receiver, and who is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <optional>

#include "engine/transport/webhook_sender.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/transport/tls_receiver.h"

namespace skald {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr Millis kLong{20'000};  // never reached by a test that passes

/// hooks.test and other.test are at 127.0.0.1.
class WebhookAtHttps : public testing::Test {
 protected:
  ~WebhookAtHttps() override { pool_.stop(); }

  /// What becomes of one alert sent to `host`, when `authority` is trusted besides the system's.
  AlertReceipt tell(const std::string& host, std::uint16_t port, const std::string& authority,
                    Millis timeout = kLong) {
    const auto url =
        parse_webhook_url(fmt::format("https://{}:{}/hook/s3cret?t=s3cret", host, port));
    const auto trust = load_tls_trust(authority.empty() ? "" : file_of(authority));
    EXPECT_TRUE(url && trust);
    WebhookSenderOptions options{
        .webhooks = {{"pager", {*url, "Bearer s3cret"}}},
        .source = "/mall",
        .timeout = timeout,
        .lookup =
            [](const std::string&) {
              return Result<std::vector<IpAddress>>({IpAddress::parse("127.0.0.1").value()});
            },
        .trust = *trust};
    const auto sender = make_webhook_sender(io_, pool_, std::move(options));
    std::optional<AlertReceipt> receipt;
    sender->send("pager", Alert{}, [&](AlertReceipt told) { receipt = std::move(told); });
    EXPECT_FALSE(receipt.has_value()) << "done inside send()";
    io_.restart();
    while (!receipt && io_.run_one_for(kLong) > 0) {
    }
    EXPECT_THAT(receipt.value().detail, Not(HasSubstr("s3cret")));
    return std::move(receipt).value();
  }

  std::string file_of(const std::string& text) {
    const std::string path = folder_.path() + "/authority.pem";
    std::ofstream(path) << text;
    return path;
  }

  TempDir folder_;
  boost::asio::io_context io_{1};
  BlockingPool pool_{1};
};

TEST_F(WebhookAtHttps, IsToldWhenItsCertificateIsByATrustedAuthority) {
  TlsReceiver receiver({.host = "hooks.test"});
  const AlertReceipt receipt = tell("hooks.test", receiver.port(), receiver.authority());
  EXPECT_EQ(receipt.status, 200U) << receipt.detail;
  EXPECT_EQ(receipt.body, "taken");
  const TlsReceiver::Taken taken = receiver.taken();
  EXPECT_EQ(taken.server_name, "hooks.test");
  EXPECT_THAT(taken.request,
              AllOf(HasSubstr("POST /hook/s3cret?t=s3cret HTTP/1.1\r\n"),
                    HasSubstr(fmt::format("Host: hooks.test:{}\r\n", receiver.port())),
                    HasSubstr("Authorization: Bearer s3cret\r\n"), HasSubstr("\"specversion\"")));
}

TEST_F(WebhookAtHttps, MayBeAnAddressThatTheCertificateIsFor) {
  TlsReceiver receiver({.host = "127.0.0.1"});
  const AlertReceipt receipt = tell("127.0.0.1", receiver.port(), receiver.authority());
  EXPECT_EQ(receipt.status, 200U) << receipt.detail;
  EXPECT_EQ(receiver.taken().server_name, "");  // an address is no server name
}

TEST_F(WebhookAtHttps, IsToldNothingWhenTheIssuerIsUnknown) {
  TlsReceiver receiver({.host = "hooks.test"});
  const AlertReceipt receipt = tell("hooks.test", receiver.port(), "");
  EXPECT_EQ(receipt.status, 0U);
  EXPECT_THAT(receipt.detail, HasSubstr("certificate of hooks.test: its issuer is unknown"));
  EXPECT_EQ(receiver.taken().request, "");
}

TEST_F(WebhookAtHttps, IsToldNothingWhenTheCertificateIsForAnotherHost) {
  TlsReceiver receiver({.host = "hooks.test"});
  const AlertReceipt receipt = tell("other.test", receiver.port(), receiver.authority());
  EXPECT_EQ(receipt.status, 0U);
  EXPECT_THAT(receipt.detail, HasSubstr("certificate of other.test: it is for another host"));
  EXPECT_EQ(receiver.taken().request, "");
}

TEST_F(WebhookAtHttps, IsToldNothingWhenTheAddressIsNotTheCertificates) {
  TlsReceiver receiver({.host = "127.0.0.2"});
  const AlertReceipt receipt = tell("127.0.0.1", receiver.port(), receiver.authority());
  EXPECT_THAT(receipt.detail, HasSubstr("certificate of 127.0.0.1: it is for another host"));
  EXPECT_EQ(receiver.taken().request, "");
}

TEST_F(WebhookAtHttps, IsToldNothingWhenTheCertificateHasExpired) {
  TlsReceiver receiver({.host = "hooks.test", .expired = true});
  const AlertReceipt receipt = tell("hooks.test", receiver.port(), receiver.authority());
  EXPECT_THAT(receipt.detail, HasSubstr("certificate of hooks.test: it has expired"));
  EXPECT_EQ(receiver.taken().request, "");
}

TEST_F(WebhookAtHttps, ThatNeverAnswersTheHandshakeMeetsTheDeadline) {
  using boost::asio::ip::tcp;
  // The kernel accepts for it, and nobody reads.
  const tcp::acceptor silent(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  const AlertReceipt receipt = tell("hooks.test", silent.local_endpoint().port(), "", Millis{200});
  EXPECT_EQ(receipt.status, 0U);
  EXPECT_THAT(receipt.detail, HasSubstr("the handshake was not finished in time"));
  EXPECT_GE(receipt.took, Millis{200});
}

TEST_F(WebhookAtHttps, ThatCannotBeReachedSaysSo) {
  std::uint16_t port = 0;
  {
    TlsReceiver gone({.host = "hooks.test"});
    port = gone.port();
  }
  EXPECT_THAT(tell("hooks.test", port, "").detail, HasSubstr("connect: Connection refused"));
}

TEST_F(WebhookAtHttps, IsToldNothingMoreWhenTheSenderGoes) {
  using boost::asio::ip::tcp;
  tcp::acceptor silent(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  std::optional<Exchange> first;
  auto sender = TlsExchanges::create(io_, load_tls_trust("").value(), {});
  sender->call({.host = "hooks.test", .ip = "127.0.0.1", .port = silent.local_endpoint().port()},
               {.method = "POST", .target = "/", .headers = {}, .header_lines = {}, .body = ""},
               kLong, [&](Exchange ended) { first = std::move(ended); });
  bool connected = false;
  silent.async_accept([&](const auto& error, const tcp::socket&) { connected = !error; });
  while (!connected && io_.run_one_for(kLong) > 0) {
  }
  sender.reset();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->end, ExchangeEnd::canceled);
  io_.run_for(kLong);  // what was on its way ends, and tells nobody
}

TEST(TlsTrust, NamesAFileThatHasNoCertificates) {
  const auto refused = load_tls_trust("/nowhere/authority.pem");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("/nowhere/authority.pem cannot be read"));
}

}  // namespace
}  // namespace skald
