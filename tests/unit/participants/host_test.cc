// The host: what it answers besides its handlers' answers.
#include "participants/kit/host.h"

#include <gtest/gtest.h>

#include <future>

#include "mall/inventory.pb.h"
#include "tests/support/mall_host.h"

namespace skald {
namespace {

using test::MallHost;
using test::Sent;

constexpr std::string_view kDeduct = "/inventory.InventoryRpc/DeductStock";

/// A handler that waits until it is let go, and counts its runs in a row.
std::promise<void>* started = nullptr;
std::shared_future<void>* let_go = nullptr;

Result<::inventory::DeductStockResponse> gated(kit::Txn& txn,
                                               const ::inventory::DeductStockRequest&) {
  if (started) std::exchange(started, nullptr)->set_value();
  if (let_go) let_go->wait();
  txn.put("n", txn.get("n").value_or("") + "x");
  return ::inventory::DeductStockResponse();
}

kit::Service gated_service() {
  return {.name = "gated", .install = [](kit::Host& host) {
            host.mutation<::inventory::DeductStockRequest, ::inventory::DeductStockResponse>(
                std::string(kDeduct), gated);
          }};
}

HttpRequest get(std::string target) { return {.method = "GET", .target = std::move(target)}; }

TEST(Host, AnswersPendingWhileTheSameKeyIsExecuting) {
  std::promise<void> begun;
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  started = &begun;
  let_go = &open;
  MallHost mall(gated_service());
  const auto request = MallHost::request(kDeduct, ::inventory::DeductStockRequest(), Sent{});

  auto first = mall.send(request);
  begun.get_future().wait();
  const auto second = MallHost::wait(mall.send(request));
  gate.set_value();
  const auto done = MallHost::wait(std::move(first));
  let_go = nullptr;

  EXPECT_EQ(second.http.status, 425u);
  EXPECT_EQ(second.code(), Errc::unavailable);
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(mall.call(kDeduct, ::inventory::DeductStockRequest(), Sent{}).barrier(), "replayed");
}

TEST(Host, AnUnknownProcedureIsA404WithoutAConnectBody) {
  MallHost mall(gated_service());
  const auto answer = mall.call("/inventory.InventoryRpc/Nope", ::inventory::DeductStockRequest());
  EXPECT_EQ(answer.http.status, 404u);
  EXPECT_EQ(answer.code(), Errc::unimplemented);
}

TEST(Host, AMalformedBodyKeyOrOperationIsInvalidAndNotRecorded) {
  MallHost mall(gated_service());
  auto body = MallHost::request(kDeduct, ::inventory::DeductStockRequest(), Sent{});
  body.body = "\xFF";
  EXPECT_EQ(MallHost::wait(mall.send(body)).code(), Errc::invalid_argument);
  const ::inventory::DeductStockRequest empty;
  EXPECT_EQ(mall.call(kDeduct, empty, Sent{.key = std::string(300, 'k')}).code(),
            Errc::invalid_argument);
  EXPECT_EQ(mall.call(kDeduct, empty, Sent{.operation = "undo"}).code(), Errc::invalid_argument);
  EXPECT_EQ(mall.call(kDeduct, empty, Sent{}).barrier(), "executed");
}

TEST(Host, AFailedWriteEndsReadinessAndAnswersUnavailable) {
  MallHost mall(gated_service());
  ASSERT_EQ(MallHost::wait(mall.send(get("/healthz"))).http.status, 200u);
  const ::inventory::DeductStockRequest request;
  mall.failing->writes_fail = true;

  EXPECT_EQ(mall.call(kDeduct, request, Sent{}).code(), Errc::unavailable);
  mall.failing->writes_fail = false;
  EXPECT_EQ(mall.call(kDeduct, request, Sent{}).code(), Errc::unavailable);
  EXPECT_EQ(MallHost::wait(mall.send(get("/healthz"))).http.status, 503u);
  EXPECT_EQ(MallHost::wait(mall.send(get("/readyz"))).http.status, 503u);

  mall.reopen();
  EXPECT_EQ(mall.call(kDeduct, request, Sent{}).barrier(), "executed");
}

TEST(Host, AFailedReadAnswersUnavailableAndKeepsNothing) {
  MallHost mall(gated_service());
  const ::inventory::DeductStockRequest request;
  mall.failing->reads_fail = true;

  EXPECT_EQ(mall.call(kDeduct, request).code(), Errc::unavailable);

  mall.reopen();
  EXPECT_EQ(mall.failing->get("n").value(), std::nullopt);
}

TEST(Host, RetiringEndsReadinessButServes) {
  MallHost mall(gated_service());
  mall.host->retire();
  EXPECT_EQ(MallHost::wait(mall.send(get("/readyz"))).http.status, 503u);
  EXPECT_EQ(MallHost::wait(mall.send(get("/healthz"))).http.status, 200u);
  EXPECT_TRUE(mall.call(kDeduct, ::inventory::DeductStockRequest()).ok());
}

TEST(Host, BeyondItsQueueRequestsAreRefusedAndNotExecuted) {
  std::promise<void> begun;
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  started = &begun;
  let_go = &open;
  MallHost mall(gated_service(), {.runner = {.queue_max = 1}});
  const auto request = MallHost::request(kDeduct, ::inventory::DeductStockRequest());

  auto running = mall.send(request);
  begun.get_future().wait();
  auto waiting = mall.send(request);
  const auto refused = MallHost::wait(mall.send(request));
  gate.set_value();

  EXPECT_EQ(refused.code(), Errc::resource_exhausted);
  EXPECT_TRUE(MallHost::wait(std::move(running)).ok());
  EXPECT_TRUE(MallHost::wait(std::move(waiting)).ok());
  let_go = nullptr;
  EXPECT_EQ(mall.failing->get("n").value(), "xx");
}

TEST(Host, TransactionsOfOneGroupSeeEachOther) {
  std::promise<void> begun;
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  started = &begun;
  let_go = &open;
  MallHost mall(gated_service());
  const auto request = MallHost::request(kDeduct, ::inventory::DeductStockRequest());

  std::vector<std::future<HttpResponse>> sent;
  sent.push_back(mall.send(request));
  begun.get_future().wait();
  for (int i = 0; i < 20; ++i) sent.push_back(mall.send(request));
  gate.set_value();
  for (auto& one : sent) EXPECT_TRUE(MallHost::wait(std::move(one)).ok());
  let_go = nullptr;

  EXPECT_EQ(mall.failing->get("n").value(), std::string(21, 'x'));
}

}  // namespace
}  // namespace skald
