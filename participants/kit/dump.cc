#include "participants/kit/dump.h"

namespace skald::kit {

std::string visit_rows(Txn& txn, const std::string& after, std::int32_t rows_max,
                       const std::function<void(const Row&)>& visit) {
  const auto limit = rows_max <= 0 ? kDumpRowsMax : std::min(rows_max, kDumpRowsMax);
  const auto rows =
      txn.scan({.prefix = "", .after = after, .rows_max = static_cast<std::size_t>(limit)});
  for (const auto& row : rows) visit(row);
  return rows.size() < static_cast<std::size_t>(limit) ? std::string() : rows.back().key;
}

bool dump_leg(const Row& row, google::protobuf::RepeatedPtrField<::mall::LegAudit>& legs) {
  if (!row.key.starts_with(kLegPrefix)) return false;
  *legs.Add() = leg_audit(parse_row<::mall::stored::LegRow>(row));
  return true;
}

}  // namespace skald::kit
