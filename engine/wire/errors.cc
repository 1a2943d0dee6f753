#include "engine/wire/errors.h"

#include <array>

namespace skald::wire {
namespace {

struct Row {
  Errc code;
  std::string_view connect;
  unsigned status;
};

// Source: connectrpc.com/docs/protocol, "Error codes". Sent on the wire: never rename.
constexpr std::array<Row, 16> kRows{{
    {Errc::canceled, "canceled", 499},
    {Errc::unknown, "unknown", 500},
    {Errc::invalid_argument, "invalid_argument", 400},
    {Errc::deadline_exceeded, "deadline_exceeded", 504},
    {Errc::not_found, "not_found", 404},
    {Errc::already_exists, "already_exists", 409},
    {Errc::permission_denied, "permission_denied", 403},
    {Errc::resource_exhausted, "resource_exhausted", 429},
    {Errc::failed_precondition, "failed_precondition", 400},
    {Errc::aborted, "aborted", 409},
    {Errc::out_of_range, "out_of_range", 400},
    {Errc::unimplemented, "unimplemented", 501},
    {Errc::internal, "internal", 500},
    {Errc::unavailable, "unavailable", 503},
    {Errc::data_loss, "data_loss", 500},
    {Errc::unauthenticated, "unauthenticated", 401},
}};

constexpr bool rows_are_in_order_of_errc() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i + 1) return false;
  }
  return true;
}
static_assert(rows_are_in_order_of_errc(), "row_of() finds a row by the number of its Errc");

const Row& row_of(Errc code) {
  const auto index = static_cast<std::size_t>(code) - 1;
  return kRows[index < kRows.size() ? index : static_cast<std::size_t>(Errc::unknown) - 1];
}

}  // namespace

std::string_view connect_code(Errc code) { return row_of(code).connect; }

std::optional<Errc> errc_of_connect_code(std::string_view code) {
  for (const Row& row : kRows) {
    if (row.connect == code) return row.code;
  }
  return std::nullopt;
}

unsigned http_status(Errc code) { return row_of(code).status; }

Errc errc_of_http_status(unsigned status) {
  switch (status) {
    case 400:
      return Errc::internal;
    case 401:
      return Errc::unauthenticated;
    case 403:
      return Errc::permission_denied;
    case 404:
      return Errc::unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Errc::unavailable;
    default:
      return Errc::unknown;
  }
}

}  // namespace skald::wire
