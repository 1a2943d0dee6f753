#include "participants/order_front/tickets.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/support/mall_host.h"

namespace skald::mall::order_front {
namespace {

/// Tickets on rows that survive reopen(), as after a crash.
class Desk {
 public:
  Desk() { reopen(); }
  void reopen() {
    rows_.reset();
    rows_ = kit::open_rocks_rows(folder_.path() + "/front").value();
  }
  Result<TicketAnswer> take(const TicketRequest& request) {
    const kit::RowChanges none;
    kit::Txn txn(*rows_, none, from_unix_ms(now_ms));
    auto answer = take_ticket(txn, request);
    if (answer) EXPECT_TRUE(rows_->write(txn.changes()).has_value());
    return answer;
  }
  std::string number(const TicketRequest& request) {
    return std::get<Ticket>(take(request).value()).order_id;
  }
  std::optional<Ticket> find(std::string_view order_id) {
    const kit::RowChanges none;
    kit::Txn txn(*rows_, none, from_unix_ms(now_ms));
    return find_ticket(txn, order_id);
  }
  std::int64_t now_ms = 1'700'000'000'000;

 private:
  TempDir folder_{TempDir::Where::memory};
  std::unique_ptr<kit::RowStore> rows_;
};

const TicketRequest kRequest{.user_id = 1, .key = "k1", .request_hash = 17, .worker = 3};

TEST(TicketLines, D1TheSameKeyGetsTheSameNumberAcrossACrash) {
  Desk desk;
  const auto number = desk.number(kRequest);
  desk.now_ms += 60'000;
  desk.reopen();
  EXPECT_EQ(desk.number(kRequest), number);
  EXPECT_EQ(desk.find(number)->key, "k1");
}

TEST(TicketLines, D2TheSameKeyForAnotherOrderIsAConflict) {
  Desk desk;
  (void)desk.number(kRequest);
  TicketRequest other = kRequest;
  other.request_hash = 18;
  EXPECT_EQ(desk.take(other).error().code, Errc::already_exists);
}

TEST(Ticket, KeysBelongToTheirUser) {
  Desk desk;
  TicketRequest other = kRequest;
  other.user_id = 2;
  other.request_hash = 18;
  EXPECT_NE(desk.number(kRequest), desk.number(other));
}

TEST(TicketLines, D3AfterARestartWithTheClockSetBackNoNumberRepeats) {
  Desk desk;
  const auto number = desk.number(kRequest);
  desk.reopen();
  desk.now_ms -= 100;
  TicketRequest other = kRequest;
  other.key = "k2";
  EXPECT_EQ(std::get<Millis>(desk.take(other).value()), Millis(100));
  desk.now_ms += 100;
  EXPECT_GT(desk.number(other), number);
}

TEST(Ticket, ANumberNobodyWasGivenIsUnknown) {
  Desk desk;
  EXPECT_EQ(desk.find("SN1"), std::nullopt);
}

}  // namespace
}  // namespace skald::mall::order_front
