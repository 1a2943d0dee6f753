#include "participants/kit/txn.h"

#include <map>
#include <utility>

namespace skald::kit {
namespace {

bool in_range(const std::string& key, const RowRange& range) {
  if (!key.starts_with(range.prefix)) return false;
  if (range.after.empty()) return true;
  return range.order == ScanOrder::ascending ? key > range.after : key < range.after;
}

void lay_over(const RowChanges& changes, const RowRange& range,
              std::map<std::string, std::string>& rows) {
  for (auto it = changes.lower_bound(range.prefix);
       it != changes.end() && it->first.starts_with(range.prefix); ++it) {
    if (!in_range(it->first, range)) continue;
    if (it->second) {
      rows[it->first] = *it->second;
    } else {
      rows.erase(it->first);
    }
  }
}

std::size_t erased_in(const RowChanges& changes, const RowRange& range) {
  std::size_t count = 0;
  for (auto it = changes.lower_bound(range.prefix);
       it != changes.end() && it->first.starts_with(range.prefix); ++it) {
    if (!it->second) ++count;
  }
  return count;
}

void append_big_endian(std::string& out, std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(bits >> shift));
}

}  // namespace

std::optional<std::string> Txn::get(std::string_view key) {
  if (failure_) return std::nullopt;
  if (auto it = changes_.find(key); it != changes_.end()) return it->second;
  if (auto it = before_.find(key); it != before_.end()) return it->second;
  auto value = store_.get(key);
  if (!value) {
    failure_ = value.error();
    return std::nullopt;
  }
  return std::move(*value);
}

std::vector<Row> Txn::scan(const RowRange& range) {
  if (failure_) return {};
  // Rows erased by unwritten changes may hide stored ones: read as many more.
  RowRange stored = range;
  stored.rows_max += erased_in(before_, range) + erased_in(changes_, range);
  auto found = store_.scan(stored);
  if (!found) {
    failure_ = found.error();
    return {};
  }
  const bool whole = found->size() < stored.rows_max;
  const std::string last = found->empty() ? std::string() : found->back().key;
  std::map<std::string, std::string> merged;
  for (auto& row : *found) merged.emplace(std::move(row.key), std::move(row.value));
  lay_over(before_, range, merged);
  lay_over(changes_, range, merged);
  std::vector<Row> rows;
  const bool up = range.order == ScanOrder::ascending;
  const auto take = [&](const auto& entry) {
    // Beyond the last stored row that was read, stored rows between unwritten ones are not known.
    const bool known = whole || (up ? entry.first <= last : entry.first >= last);
    if (known && rows.size() < range.rows_max) rows.push_back({entry.first, entry.second});
  };
  if (up) {
    for (auto it = merged.begin(); it != merged.end(); ++it) take(*it);
  } else {
    for (auto it = merged.rbegin(); it != merged.rend(); ++it) take(*it);
  }
  return rows;
}

void Txn::put(std::string key, std::string value) {
  changes_.insert_or_assign(std::move(key), std::optional(std::move(value)));
}

void Txn::erase(std::string key) { changes_.insert_or_assign(std::move(key), std::nullopt); }

std::string row_key(std::string_view prefix, std::int64_t number) {
  std::string key(prefix);
  append_big_endian(key, number);
  return key;
}

std::string row_key(std::string_view prefix, std::int64_t first, std::int64_t second) {
  std::string key = row_key(prefix, first);
  append_big_endian(key, second);
  return key;
}

}  // namespace skald::kit
