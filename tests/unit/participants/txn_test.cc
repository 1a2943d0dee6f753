// Transactions over rows: what they see, keep and drop.
#include "participants/kit/txn.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/hash.h"
#include "tests/support/mall_host.h"

namespace skald::kit {
namespace {

class Rows {
 public:
  Rows() : store(open_rocks_rows(folder_.path() + "/rows").value()) {}

 private:
  TempDir folder_{TempDir::Where::memory};

 public:
  std::unique_ptr<RowStore> store;
};

std::string keys(const std::vector<Row>& rows) {
  std::string out;
  for (const auto& row : rows) out += row.key + " ";
  return out;
}

TEST(Txn, SeesItsOwnWritesAndThoseBeforeIt) {
  Rows rows;
  ASSERT_TRUE(rows.store->write({{"a", "1"}, {"b", "1"}, {"c", "1"}}).has_value());
  const RowChanges before{{"b", "2"}, {"c", std::nullopt}};
  Txn txn(*rows.store, before, {});
  txn.put("d", "3");
  txn.erase("a");
  EXPECT_EQ(txn.get("a"), std::nullopt);
  EXPECT_EQ(txn.get("b"), "2");
  EXPECT_EQ(txn.get("c"), std::nullopt);
  EXPECT_EQ(txn.get("d"), "3");
  EXPECT_EQ(keys(txn.scan({.prefix = ""})), "b d ");
  txn.discard();
  EXPECT_EQ(txn.get("a"), "1");
  EXPECT_EQ(txn.get("b"), "2");
}

TEST(Txn, NumbersInKeysOrderAsNumbers) {
  EXPECT_LT(row_key("s", 9), row_key("s", 10));
  EXPECT_LT(row_key("s", 255), row_key("s", 256));
  EXPECT_TRUE(row_key("s", 1, 2).starts_with(row_key("s", 1)));
}

/// Scans of every kind against a plain map, over rows spread at random over the three layers.
TEST(Txn, ScansMergeTheLayersInBothDirections) {
  Rows rows;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::map<std::string, std::string> truth;
    RowChanges stored, before, own;
    const std::string prefix = "p" + std::to_string(seed) + "/";
    for (std::uint64_t i = 0; i < 12; ++i) {
      const std::string key = prefix + static_cast<char>('a' + i);
      for (auto* layer : {&stored, &before, &own}) {
        const auto dice = mix64(seed * 1'000 + i * 10 + (layer == &own) + 2 * (layer == &before));
        if (dice % 3 == 0) continue;
        const bool put = layer == &stored || dice % 3 == 1;
        (*layer)[key] = put ? std::optional(std::to_string(dice % 100)) : std::nullopt;
        put ? (void)(truth[key] = std::to_string(dice % 100)) : (void)truth.erase(key);
      }
    }
    ASSERT_TRUE(rows.store->write(stored).has_value());
    Txn txn(*rows.store, before, {});
    for (const auto& [key, value] : own) value ? txn.put(key, *value) : txn.erase(key);
    for (const auto order : {ScanOrder::ascending, ScanOrder::descending}) {
      for (const std::size_t page : {1, 2, 5, 50}) {
        std::vector<Row> seen;
        RowRange range{.prefix = prefix, .order = order, .rows_max = page};
        while (true) {
          const auto part = txn.scan(range);
          seen.insert(seen.end(), part.begin(), part.end());
          if (part.size() < page) break;
          range.after = part.back().key;
        }
        std::vector<Row> want;
        for (const auto& [key, value] : truth) want.push_back({key, value});
        if (order == ScanOrder::descending) std::ranges::reverse(want);
        ASSERT_EQ(seen, want) << "seed=" << seed << " page=" << page;
      }
    }
  }
}

TEST(Rows, ASecondProcessIsToldWhoHoldsTheFolder) {
  const TempDir folder{TempDir::Where::memory};
  const auto first = open_rocks_rows(folder.path() + "/rows").value();
  const auto second = open_rocks_rows(folder.path() + "/rows");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::unavailable);
  EXPECT_NE(second.error().message.find(folder.path() + "/rows"), std::string::npos);
}

}  // namespace
}  // namespace skald::kit
