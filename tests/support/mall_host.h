// A participant's service without sockets: a host on rows in a temporary folder, requests as
// values, answers awaited. The folder survives reopen(), as after a crash.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/clock.h"
#include "engine/wire/connect.h"
#include "participants/kit/host.h"
#include "participants/kit/row_store.h"
#include "participants/kit/service.h"
#include "tests/support/temp_dir.h"

namespace skald::test {

/// Time that moves when the test says so.
class MallClock final : public Clock {
 public:
  [[nodiscard]] Instant wall() const override { return from_unix_ms(now_ms); }
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return Millis(now_ms.load()); }
  std::atomic<std::int64_t> now_ms = 1'700'000'000'000;
};

/// Rows that can be told to fail.
class FailingRows final : public kit::RowStore {
 public:
  explicit FailingRows(kit::RowStore& rows) : rows_(rows) {}
  Result<std::optional<std::string>> get(std::string_view key) override {
    if (reads_fail) return fail(Errc::unavailable, "the disk is gone");
    return rows_.get(key);
  }
  Result<std::vector<kit::Row>> scan(const kit::RowRange& range) override {
    if (reads_fail) return fail(Errc::unavailable, "the disk is gone");
    return rows_.scan(range);
  }
  Result<void> write(const kit::RowChanges& changes) override {
    if (writes_fail) return fail(Errc::unavailable, "the disk is full");
    return rows_.write(changes);
  }
  std::atomic<bool> reads_fail = false;
  std::atomic<bool> writes_fail = false;

 private:
  kit::RowStore& rows_;
};

/// The saga headers of one request.
struct Sent {
  std::string saga = "s1";
  std::string leg = "deduct_stock[1]";
  std::string operation = "action";
  std::string generation = {};  // "/g2"
  std::string key = {};         // instead of {saga}/{leg}/{operation}
};

struct Answered {
  HttpResponse http;
  [[nodiscard]] bool ok() const { return http.status == 200; }
  [[nodiscard]] Errc code() const {
    return ok() ? Errc::unknown : wire::connect_error_of(http).code;
  }
  [[nodiscard]] std::string message() const { return wire::connect_error_of(http).message; }
  [[nodiscard]] std::string barrier() const {
    const auto* header = find_header(http.headers, kit::kBarrierHeader);
    return header ? *header : "";
  }
  template <class Message>
  [[nodiscard]] Message as() const {
    Message message;
    EXPECT_TRUE(message.ParseFromString(http.body));
    return message;
  }
};

class MallHost {
 public:
  explicit MallHost(kit::Service service, kit::HostOptions options = {})
      : service_(service), options_(options) {
    reopen();
  }
  ~MallHost() { host.reset(); }  // finishes its transactions while the rows are there
  MallHost(const MallHost&) = delete;
  MallHost& operator=(const MallHost&) = delete;

  /// Closes everything and opens the same rows again.
  void reopen() {
    host.reset();
    failing.reset();
    rows_.reset();
    rows_ = kit::open_rocks_rows(folder_.path() + "/rows").value();
    failing = std::make_unique<FailingRows>(*rows_);
    host = std::make_unique<kit::Host>(*failing, clock, options_);
    service_.install(*host);
  }

  [[nodiscard]] std::future<HttpResponse> send(HttpRequest request) {
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    auto future = promise->get_future();
    host->handle(std::move(request),
                 [promise](HttpResponse answer) { promise->set_value(std::move(answer)); });
    return future;
  }

  [[nodiscard]] static HttpRequest request(std::string_view procedure,
                                           const google::protobuf::Message& message,
                                           const std::optional<Sent>& sent = {}) {
    auto http =
        wire::connect_request(procedure, wire::ConnectCodec::proto, message.SerializeAsString());
    if (!sent) return http;
    const auto key = sent->key.empty() ? fmt::format("{}/{}/{}{}", sent->saga, sent->leg,
                                                     sent->operation, sent->generation)
                                       : sent->key;
    http.headers.push_back({"idempotency-key", "\"" + key + "\""});
    http.headers.push_back({"skald-saga-id", sent->saga});
    http.headers.push_back({"skald-leg", sent->leg});
    http.headers.push_back({"skald-operation", sent->operation});
    return http;
  }

  Answered call(std::string_view procedure, const google::protobuf::Message& message,
                const std::optional<Sent>& sent = {}) {
    return wait(send(request(procedure, message, sent)));
  }

  [[nodiscard]] static Answered wait(std::future<HttpResponse> future) {
    // A bound for a hang, not a wait: the answer comes as soon as it is written.
    const auto status = future.wait_for(std::chrono::seconds(30));
    if (status != std::future_status::ready) throw std::runtime_error("no answer in 30 s");
    return {future.get()};
  }

  MallClock clock;
  std::unique_ptr<FailingRows> failing;
  std::unique_ptr<kit::Host> host;

 private:
  kit::Service service_;
  kit::HostOptions options_;
  TempDir folder_{TempDir::Where::memory};
  std::unique_ptr<kit::RowStore> rows_;
};

}  // namespace skald::test
