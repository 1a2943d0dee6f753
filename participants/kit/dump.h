// Paging through all rows of a participant for its audit method: one cursor over every kind of row.
#pragma once

#include <google/protobuf/message.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "engine/base/check.h"
#include "mall/barrier.pb.h"
#include "participants/kit/barrier.h"
#include "participants/kit/txn.h"

namespace skald::kit {

inline constexpr std::int32_t kDumpRowsMax = 10'000;

/// Visits the rows after `after` in key order, at most `rows_max` of them (0: kDumpRowsMax).
/// Answers the cursor to go on from; empty at the end.
[[nodiscard]] std::string visit_rows(Txn& txn, const std::string& after, std::int32_t rows_max,
                                     const std::function<void(const Row&)>& visit);

/// Parses a row. A row that does not parse is damage: it stops the process.
template <class Message>
[[nodiscard]] Message parse_row(const Row& row) {
  Message message;
  SKALD_CHECK(message.ParseFromString(row.value), "row kind={} size={}", row.key.substr(0, 1),
              row.value.size());
  return message;
}

/// Adds the row to `legs` if it is one of the barrier's; answers whether it was.
bool dump_leg(const Row& row, google::protobuf::RepeatedPtrField<::mall::LegAudit>& legs);

}  // namespace skald::kit
