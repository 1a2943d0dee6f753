// Every row that a store writes, byte for byte as in tests/golden/stored_v1/rows_format_3.txt:
// keys, values and the mark; the files beside it have those of earlier formats. What is in them
// that has a form of its own (records, summaries) has files of its own there.
#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <cstdlib>
#include <fstream>
#include <numeric>
#include <sstream>

#include "engine/base/hash.h"
#include "engine/store/rocks_batch.h"
#include "engine/store/rocks_mark.h"
#include "tests/golden/stored_samples.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/store/log_of_commits.h"
#include "tests/unit/store/updates.h"

namespace skald::rocks {
namespace {

constexpr SagaId kId{.placement = 0x0102030405060708ULL, .serial = 0x1112131415161718ULL};

std::string path() {
  const char* root = std::getenv("SKALD_SOURCE_DIR");
  return std::string(root != nullptr ? root : ".") + "/tests/golden/stored_v1/rows_format_3.txt";
}

// One life, so that every kind of row is written, changed and taken away.
std::vector<Transition> life() {
  SagaSummary running{.definition = "create_order",
                      .version = 2,
                      .business_key = "order-1",
                      .idempotency_key = "key-1",
                      .started_at = golden::kBegin};
  SagaSummary waiting = running;
  waiting.waiting = true;
  SagaSummary ended = running;
  ended.status = SagaStatus::completed;
  ended.ended_at = golden::kBegin + Millis{1'500};
  const Instant due = golden::kBegin + Millis{900};
  return {{.id = kId,
           .first_seq = 1,
           .count = 2,
           .record = "record",
           .after = running,
           .new_key = KeyRow{.key = "key-1", .saga = kId, .body_hash = 0xFEDCBA9876543210ULL}},
          {.id = kId,
           .first_seq = 3,
           .count = 1,
           .record = "record",
           .before = running,
           .after = waiting,
           .timer_after = due},
          {.id = kId,
           .first_seq = 4,
           .count = 1,
           .record = "record",
           .before = waiting,
           .after = ended,
           .timer_before = due}};
}

std::string rows() {
  std::string text;
  const auto write = [&](std::string_view title, const auto& fill) {
    rocksdb::WriteBatch batch;
    BatchWriter writer(batch, {});
    fill(writer);
    Updates updates;
    EXPECT_TRUE(batch.Iterate(&updates).ok());
    text += fmt::format("# {}\n", title);
    for (const std::string& line : updates.lines) text += line + "\n";
  };
  write("format", [](BatchWriter& writer) { writer.format(); });
  write("shard 7: epoch 3, number 900", [](BatchWriter& writer) {
    writer.shard(7, {.epoch = 3, .number = 900, .clock_high = golden::kBegin});
  });
  SagaCounts counts;
  const char* titles[] = {"a saga starts", "it waits for a timer", "it completes"};
  for (std::size_t i = 0; i < life().size(); ++i) {
    write(titles[i], [&](BatchWriter& writer) {
      writer.transition(life()[i], counts);
      writer.counts(counts);
    });
    counts.keep();
  }
  write("one is stuck, as two others for the same cause", [](BatchWriter& writer) {
    const SagaSummary stuck = golden::summary_samples().back().summary;
    CauseChanges changes;
    writer.add_causes(kId, stuck, changes);
    for (const auto& [key, change] : changes.changes()) {
      writer.cause(key, {.count = 3, .cause = change.cause});
    }
  });
  write("its key is removed",
        [](BatchWriter& writer) { writer.remove_key("key-1", kId, &*life().back().after); });
  write("a participant is held",
        [](BatchWriter& writer) { writer.note({.name = "hold/inventory", .value = "why"}); });
  return text;
}

TEST(StoredRows, AreWrittenByteForByte) {
  const std::string written = rows();
  if (std::getenv("SKALD_REWRITE_GOLDEN") != nullptr) std::ofstream(path()) << written;
  EXPECT_EQ(written, read_bytes(path()));
}

TEST(StoredRows, HoldEveryKind) {
  const std::string text = rows();
  std::vector<int> kinds(14);
  std::iota(kinds.begin(), kinds.end(), 1);
  kinds.push_back(static_cast<int>(RowKind::note));
  kinds.push_back(static_cast<int>(RowKind::removable));
  for (const int kind : kinds) {
    if (kind == static_cast<int>(RowKind::count)) continue;  // retired
    EXPECT_NE(text.find(fmt::format("put {:02x}", kind)), std::string::npos) << kind;
  }
}

// <directory>/acknowledged: format 1, update 5, manifest 6 up to byte 700, checksum.
TEST(StoredRows, AMarkIsReadAsItWasWritten) {
  TempDir folder(TempDir::Where::memory);
  const std::string bytes(
      "\x01\x00\x00\x00"
      "\x05\x00\x00\x00\x00\x00\x00\x00"
      "\x06\x00\x00\x00\x00\x00\x00\x00"
      "\xBC\x02\x00\x00\x00\x00\x00\x00",
      28);
  std::string framed = bytes;
  const std::uint32_t crc = crc32c(bytes);
  for (int shift = 0; shift < 32; shift += 8) framed.push_back(static_cast<char>(crc >> shift));
  write_bytes(folder.path() + "/acknowledged", framed);
  const auto files = rocksdb::FileSystem::Default();
  const auto found = read_mark(*files, folder.path());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->mark, (Mark{.sequence = 5, .manifest = 6, .manifest_bytes = 700}));
  for (std::size_t at = 0; at < framed.size(); ++at) {
    std::string bad = framed;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    write_bytes(folder.path() + "/acknowledged", bad);
    EXPECT_TRUE(read_mark(*files, folder.path())->damaged) << at;
  }
  write_bytes(folder.path() + "/acknowledged", "");
  EXPECT_TRUE(read_mark(*files, folder.path())->damaged);
}

}  // namespace
}  // namespace skald::rocks
