#include "participants/order_front/tickets.h"

#include <utility>

#include "mall/stored.pb.h"
#include "participants/order_front/snowflake.h"

namespace skald::mall::order_front {
namespace {

using ::mall::stored::OrderTicketRow;
using ::mall::stored::SnowflakeRow;

std::string ticket_key(std::int64_t user_id, std::string_view key) {
  return kit::row_key(kTicketPrefix, user_id) + std::string(key);
}

std::string number_key(std::string_view order_id) {
  return fmt::format("{}{}", kByNumberPrefix, order_id);
}

Ticket ticket_of(const OrderTicketRow& row) {
  return {.user_id = row.user_id(),
          .key = row.key(),
          .order_id = row.order_id(),
          .request_hash = row.request_hash(),
          .at = from_unix_ms(row.at_ms())};
}

void put_ticket(kit::Txn& txn, const Ticket& ticket, const SnowflakeState& state) {
  OrderTicketRow row;
  row.set_user_id(ticket.user_id);
  row.set_key(ticket.key);
  row.set_order_id(ticket.order_id);
  row.set_request_hash(ticket.request_hash);
  row.set_at_ms(to_unix_ms(ticket.at));
  kit::put_message(txn, ticket_key(ticket.user_id, ticket.key), row);
  txn.put(number_key(ticket.order_id), ticket_key(ticket.user_id, ticket.key));
  SnowflakeRow last;
  last.set_last_ms(state.last_ms);
  last.set_sequence(state.sequence);
  kit::put_message(txn, std::string(kSnowflakeRow), last);
}

SnowflakeState last_number(kit::Txn& txn) {
  const auto row = kit::get_message<SnowflakeRow>(txn, kSnowflakeRow);
  if (!row) return {};
  return {.last_ms = row->last_ms(), .sequence = row->sequence()};
}

}  // namespace

Result<TicketAnswer> take_ticket(kit::Txn& txn, const TicketRequest& request) {
  const auto row = kit::get_message<OrderTicketRow>(txn, ticket_key(request.user_id, request.key));
  if (row) {
    if (row->request_hash() == request.request_hash) return ticket_of(*row);
    return fail(Errc::already_exists,
                "Idempotency-Key: used before for another order of this user; use a new key");
  }
  auto number = next_number(last_number(txn), request.worker, txn.now());
  if (!number) return number.error();
  const Ticket ticket{.user_id = request.user_id,
                      .key = request.key,
                      .order_id = std::move(number->text),
                      .request_hash = request.request_hash,
                      .at = txn.now()};
  put_ticket(txn, ticket, number->state);
  return ticket;
}

std::optional<Ticket> find_ticket(kit::Txn& txn, std::string_view order_id) {
  const auto key = txn.get(number_key(order_id));
  if (!key) return std::nullopt;
  const auto row = kit::get_message<OrderTicketRow>(txn, *key);
  if (!row) return std::nullopt;
  return ticket_of(*row);
}

}  // namespace skald::mall::order_front
