// The order front on tickets in a temporary folder, with an engine and an order service that answer
// what the test says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mall/order.pb.h"
#include "mall/sagas.pb.h"
#include "participants/order_front/front.h"
#include "skald/v1/service.pb.h"
#include "tests/support/mall_host.h"

namespace skald::mall::order_front {
namespace {

namespace json = boost::json;
using skald::v1::SagaAnswer;
using skald::v1::SagaStatus;
using skald::v1::SubmitRequest;

/// What is to run on the front's thread, which here is the test's.
class Loop {
 public:
  void post(Millis delay, std::move_only_function<void()> run) {
    const std::lock_guard lock(mutex_);
    delays.push_back(delay);
    queue_.push_back(std::move(run));
    wake_.notify_one();
  }
  /// Runs until the response is there.
  void run_until(const std::optional<HttpResponse>& response) {
    while (!response) {
      std::move_only_function<void()> next;
      {
        std::unique_lock lock(mutex_);
        const bool come =
            wake_.wait_for(lock, std::chrono::seconds(30), [this] { return !queue_.empty(); });
        if (!come) throw std::runtime_error("no answer in 30 s");
        next = std::move(queue_.front());
        queue_.pop_front();
      }
      if (before_each) before_each();
      next();
    }
  }
  std::vector<Millis> delays;
  std::function<void()> before_each;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> queue_;
};

struct Reply {
  unsigned status = 0;
  json::object body;
  [[nodiscard]] const json::object& data() const { return body.at("data").as_object(); }
  [[nodiscard]] std::string text(std::string_view field) const {
    return std::string(data().at({field.data(), field.size()}).as_string());
  }
};

class Shop {
 public:
  Shop() {
    open();
    engine_says(answer(SagaStatus::running, {.decided = true}));
  }

  void open() {
    front_.reset();
    rows_.reset();
    rows_ = kit::open_rocks_rows(folder_.path() + "/front").value();
    FrontPorts ports;
    ports.engine = [this](HttpRequest request, Millis, auto done) {
      asked.push_back(std::move(request));
      done(engine);
    };
    ports.orders = [this](HttpRequest request, Millis, auto done) {
      asked.push_back(std::move(request));
      done(orders);
    };
    ports.later = [this](Millis delay, auto run) { loop.post(delay, std::move(run)); };
    ports.new_key = [this] { return "made-" + std::to_string(++made_keys); };
    front_ = std::make_unique<Front>(FrontOptions{.worker = 3}, std::move(ports), *rows_, clock);
  }

  struct Flags {
    bool decided = false;
    bool undoing = false;
  };
  static SagaAnswer answer(SagaStatus::Value status, Flags flags) {
    SagaAnswer out;
    out.set_status(status);
    out.set_decided(flags.decided);
    out.set_undoing(flags.undoing);
    return out;
  }
  static Exchange message(const google::protobuf::Message& out) {
    return {.end = ExchangeEnd::answered,
            .response = wire::connect_response(wire::ConnectCodec::proto, out)};
  }
  static Exchange error(Errc code, std::string text) {
    return {.end = ExchangeEnd::answered, .response = wire::connect_error({code, std::move(text)})};
  }
  void engine_says(const google::protobuf::Message& out) { engine = message(out); }

  Reply send(std::string method, std::string target, std::string body = "",
             const std::string& key = "") {
    HttpRequest request{.method = std::move(method), .target = std::move(target)};
    request.body = std::move(body);
    if (!key.empty()) request.headers.push_back({"Idempotency-Key", key});
    auto response = std::make_shared<std::optional<HttpResponse>>();
    front_->handle(std::move(request),
                   [response](HttpResponse out) { *response = std::move(out); });
    loop.run_until(*response);
    return {(*response)->status, json::parse((*response)->body).as_object()};
  }
  Reply create(const std::string& key = "k1", std::string body = kBody) {
    return send("POST", "/api/v1/order/create", std::move(body), key);
  }
  SubmitRequest submitted() {
    SubmitRequest request;
    EXPECT_EQ(asked.back().target, "/skald.v1.SagaService/Submit");
    EXPECT_TRUE(request.ParseFromString(asked.back().body));
    return request;
  }

  static constexpr const char* kBody =
      R"({"user_id":1,"sku_ids":[101,103],"coupon_id":501,"address":"Street 1"})";

  test::MallClock clock;
  Loop loop;
  Exchange engine;
  Exchange orders;
  std::vector<HttpRequest> asked;
  int made_keys = 0;

 private:
  TempDir folder_{TempDir::Where::memory};
  std::unique_ptr<kit::RowStore> rows_;
  std::unique_ptr<Front> front_;
};

TEST(OrderFront, SubmitsTheOrderUnderItsNumberAndKey) {
  Shop shop;

  const auto reply = shop.create();

  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.body.at("code"), 0);
  EXPECT_EQ(reply.text("state"), "created");
  EXPECT_THAT(reply.text("order_id"), testing::MatchesRegex("SN[0-9]{19}"));
  const auto submit = shop.submitted();
  EXPECT_EQ(submit.definition(), "create_order");
  EXPECT_EQ(submit.idempotency_key(), "order/1/k1");
  EXPECT_EQ(submit.business_key(), reply.text("order_id"));
  EXPECT_EQ(submit.wait(), skald::v1::WaitMode::decided);
  EXPECT_EQ(submit.timeout_ms(), 3'000u);
  ::mall::sagas::CreateOrderRequest input;
  ASSERT_TRUE(input.ParseFromString(submit.input_proto()));
  EXPECT_THAT(input.sku_ids(), testing::ElementsAre(101, 103));
  EXPECT_EQ(input.coupon_id(), 501);
}

TEST(OrderFront, WithoutAKeyOneIsMadeAndReturned) {
  Shop shop;
  const auto reply = shop.create("");
  EXPECT_EQ(reply.text("idempotency_key"), "made-1");
  EXPECT_EQ(shop.submitted().idempotency_key(), "order/1/made-1");
}

TEST(OrderFrontLines, C7D1TheSameRequestHasTheSameNumberAcrossARestart) {
  Shop shop;
  const auto first = shop.create();
  shop.clock.now_ms += 1'000;
  shop.open();
  const auto second = shop.create();
  EXPECT_EQ(second.text("order_id"), first.text("order_id"));
  EXPECT_EQ(shop.submitted().idempotency_key(), "order/1/k1");
}

TEST(OrderFrontLines, D2TheSameKeyForAnotherOrderIsAConflictAndSubmitsNothing) {
  Shop shop;
  ASSERT_EQ(shop.create().status, 200u);
  const auto other = shop.create("k1", R"({"user_id":1,"sku_ids":[101],"address":"Street 1"})");
  EXPECT_EQ(other.status, 409u);
  EXPECT_EQ(other.body.at("code"), 40'900);
  EXPECT_EQ(shop.asked.size(), 1u);
}

TEST(OrderFrontLines, D3TwoOrdersInOneMillisecondHaveTwoNumbers) {
  Shop shop;
  EXPECT_NE(shop.create("k1").text("order_id"), shop.create("k2").text("order_id"));
}

TEST(OrderFrontLines, BQWhatCannotBeAnOrderIsRefusedBeforeAnythingIsWritten) {
  Shop shop;
  const auto refused = shop.create("k1", R"({"user_id":1,"sku_ids":[1,1],"address":"A"})");
  EXPECT_EQ(refused.status, 400u);
  EXPECT_EQ(refused.body.at("msg"), "sku_ids: 1 twice");
  EXPECT_TRUE(refused.body.at("data").is_null());
  EXPECT_TRUE(shop.asked.empty());
  EXPECT_EQ(shop.create("k1").status, 200u);
}

TEST(OrderFrontLines, T1ACallerWhosePatienceEndsLearnsTheNumber) {
  Shop shop;
  auto late = Shop::answer(SagaStatus::running, {});
  late.set_timed_out(true);
  shop.engine_says(late);
  const auto reply = shop.create();
  EXPECT_EQ(reply.status, 202u);
  EXPECT_EQ(reply.text("state"), "processing");
  EXPECT_THAT(reply.text("order_id"), testing::StartsWith("SN"));
}

TEST(OrderFrontLines, B4EveryShortSkuIsReported) {
  Shop shop;
  auto turned = Shop::answer(SagaStatus::compensating, {.decided = true, .undoing = true});
  turned.mutable_failure()->set_leg("deduct_stock[103]");
  turned.mutable_failure()->set_code("failed_precondition");
  turned.mutable_failure()->set_message("sku_id=103 short available=1 wanted=2");
  turned.add_refusals()->set_message("sku_id=101 short available=0 wanted=1");
  turned.add_refusals()->set_message("sku_id=103 short available=1 wanted=2");
  shop.engine_says(turned);

  const auto reply = shop.create();

  EXPECT_EQ(reply.status, 422u);
  EXPECT_EQ(reply.text("state"), "failed");
  EXPECT_EQ(reply.data().at("reason").at("leg"), "deduct_stock[103]");
  EXPECT_EQ(json::serialize(reply.data().at("short_skus")),
            R"([{"sku_id":101,"available":0,"wanted":1},{"sku_id":103,"available":1,"wanted":2}])");
}

TEST(OrderFront, WhatIsUndoneIsFailedAndWhatIsStuckBeforeThePivotIsProcessing) {
  Shop shop;
  shop.engine_says(Shop::answer(SagaStatus::compensated, {.decided = true}));
  EXPECT_EQ(shop.create("a").status, 422u);
  shop.engine_says(Shop::answer(SagaStatus::stuck, {}));
  EXPECT_EQ(shop.create("b").status, 202u);
  shop.engine_says(Shop::answer(SagaStatus::stuck, {.decided = true}));
  EXPECT_EQ(shop.create("c").status, 200u);
}

TEST(OrderFront, AnEngineThatCannotBeReachedLeavesNumberAndKeyToRepeat) {
  Shop shop;
  shop.engine = {.end = ExchangeEnd::timed_out, .detail = "deadline"};
  const auto reply = shop.create("");
  EXPECT_EQ(reply.status, 503u);
  EXPECT_EQ(reply.text("idempotency_key"), "made-1");
  EXPECT_THAT(reply.text("order_id"), testing::StartsWith("SN"));
}

TEST(OrderFront, AFullEngineIsBusyAndAnUnknownDefinitionIsOurs) {
  Shop shop;
  shop.engine = Shop::error(Errc::resource_exhausted, "inbox");
  EXPECT_EQ(shop.create("a").status, 429u);
  shop.engine = Shop::error(Errc::not_found, "definition create_order");
  EXPECT_EQ(shop.create("b").status, 500u);
}

TEST(OrderFront, AClockThatWentBackWaitsAndThenGoesOn) {
  Shop shop;
  const auto first = shop.create("a");
  shop.clock.now_ms -= 40;
  shop.loop.delays.clear();
  shop.loop.before_each = [&shop] {
    if (shop.loop.delays.back() == Millis(40)) shop.clock.now_ms += 40;
  };
  const auto second = shop.create("b");
  EXPECT_THAT(shop.loop.delays, testing::Contains(Millis(40)));
  EXPECT_GT(second.text("order_id"), first.text("order_id"));
}

TEST(OrderFront, AClockFarBackIsUnavailableAndGivesNoNumber) {
  Shop shop;
  ASSERT_EQ(shop.create("a").status, 200u);
  shop.clock.now_ms -= 60'000;
  EXPECT_EQ(shop.create("b").status, 503u);
  EXPECT_EQ(shop.asked.size(), 1u);
}

TEST(OrderFront, AVeryLateRepeatAsksTheOrderAndSubmitsNothing) {
  Shop shop;
  ASSERT_EQ(shop.create().status, 200u);
  shop.clock.now_ms += Millis(std::chrono::hours(25)).count();
  ::order::Order order;
  order.set_status(0);
  order.set_pay_cents(700);
  shop.orders = Shop::message(order);
  const auto reply = shop.create();
  EXPECT_EQ(reply.text("state"), "created");
  EXPECT_EQ(reply.data().at("pay_cents"), 700);
  EXPECT_EQ(shop.asked.back().target, "/order.OrderRpc/GetOrder");
  shop.orders = Shop::error(Errc::not_found, "unknown");
  EXPECT_EQ(shop.create().status, 422u);
}

TEST(OrderFront, ShowsAnOrderWithItemsAndHistory) {
  Shop shop;
  ::order::Order order;
  order.set_order_id("SN1");
  order.set_status(4);
  order.add_items()->set_sku_id(101);
  order.add_history()->set_from(-1);
  shop.orders = Shop::message(order);
  const auto reply = shop.send("GET", "/api/v1/order/SN1");
  EXPECT_EQ(reply.text("status_name"), "cancelled");
  EXPECT_EQ(reply.data().at("items").at(0).at("sku_id"), 101);
  EXPECT_EQ(reply.data().at("history").at(0).at("from"), -1);
}

TEST(OrderFrontLines, T1AnOrderThatIsNotThereYetIsAskedOfItsSaga) {
  Shop shop;
  const auto number = shop.create().text("order_id");
  shop.orders = Shop::error(Errc::not_found, "unknown");
  skald::v1::Saga saga;
  saga.set_status(SagaStatus::running);
  shop.engine_says(saga);

  const auto reply = shop.send("GET", "/api/v1/order/" + number);

  EXPECT_EQ(reply.status, 202u);
  EXPECT_EQ(shop.asked.back().target, "/skald.v1.SagaService/Get");
  skald::v1::GetRequest get;
  ASSERT_TRUE(get.ParseFromString(shop.asked.back().body));
  EXPECT_EQ(get.idempotency_key(), "order/1/k1");
  EXPECT_EQ(shop.send("GET", "/api/v1/order/SN404").status, 404u);
}

TEST(OrderFront, AVoidOrderSaysWhyAndOneWithoutATicketIsShownAsItIs) {
  Shop shop;
  const auto number = shop.create().text("order_id");
  ::order::Order order;
  order.set_status(6);
  shop.orders = Shop::message(order);
  skald::v1::Saga saga;
  saga.set_status(SagaStatus::compensated);
  saga.mutable_failure()->set_leg("use_coupon");
  shop.engine_says(saga);

  EXPECT_EQ(shop.send("GET", "/api/v1/order/" + number).data().at("reason").at("leg"),
            "use_coupon");
  EXPECT_EQ(shop.send("GET", "/api/v1/order/SN404").text("status_name"), "void");
}

TEST(OrderFront, ListsAUsersOrders) {
  Shop shop;
  ::order::ListOrdersResponse list;
  list.add_orders()->set_order_id("SN2");
  list.set_next_before("SN2");
  shop.orders = Shop::message(list);
  const auto reply = shop.send("GET", "/api/v1/order/list?limit=1&user_id=7");
  EXPECT_EQ(reply.data().at("orders").at(0).at("order_id"), "SN2");
  EXPECT_EQ(reply.text("next_before"), "SN2");
  ::order::ListOrdersRequest request;
  ASSERT_TRUE(request.ParseFromString(shop.asked.back().body));
  EXPECT_EQ(request.user_id(), 7);
  EXPECT_EQ(request.limit(), 1);
  EXPECT_EQ(shop.send("GET", "/api/v1/order/list").status, 400u);
  EXPECT_EQ(shop.send("GET", "/api/v1/order/list?user_id=7&limit=x").status, 400u);
}

TEST(OrderFront, CancelsBySagaUnderAKeyOfItsOwn) {
  Shop shop;
  const std::string body = R"({"user_id":1,"order_id":"SN1"})";
  const auto reply = shop.send("POST", "/api/v1/order/cancel", body);
  EXPECT_EQ(reply.text("state"), "cancelled");
  EXPECT_EQ(shop.submitted().definition(), "cancel_order");
  EXPECT_EQ(shop.submitted().idempotency_key(), "cancel/1/SN1/made-1");
  EXPECT_EQ(shop.submitted().business_key(), "SN1");
}

TEST(OrderFrontLines, D6ALostCancelTellsTheStatusThatWon) {
  Shop shop;
  auto lost = Shop::answer(SagaStatus::compensated, {.decided = true});
  lost.mutable_failure()->set_code("failed_precondition");
  lost.mutable_failure()->set_message("order_id=SN1 expected unpaid but it is paid status=1");
  shop.engine_says(lost);
  const std::string body = R"({"user_id":1,"order_id":"SN1"})";
  const auto reply = shop.send("POST", "/api/v1/order/cancel", body);
  EXPECT_EQ(reply.status, 409u);
  EXPECT_EQ(reply.text("status_name"), "paid");
  lost.mutable_failure()->set_code("permission_denied");
  shop.engine_says(lost);
  EXPECT_EQ(shop.send("POST", "/api/v1/order/cancel", body).status, 403u);
}

TEST(OrderFront, OtherPathsAreNotFound) {
  Shop shop;
  EXPECT_EQ(shop.send("GET", "/api/v1/cart/list").status, 404u);
  EXPECT_EQ(shop.send("DELETE", "/api/v1/order/SN1").status, 404u);
}

}  // namespace
}  // namespace skald::mall::order_front
