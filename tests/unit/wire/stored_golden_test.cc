// Every stored form, byte for byte as it was first written.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "engine/base/hash.h"
#include "engine/wire/stored.h"
#include "stored/v1/stored.pb.h"
#include "tests/golden/stored_samples.h"

namespace skald::wire {
namespace {

std::string encoded(const std::vector<Event>& events) {
  std::string bytes;
  encode_events(events, bytes);
  return bytes;
}

std::string encoded(const SagaSummary& summary) {
  std::string bytes;
  encode_summary(summary, bytes);
  return bytes;
}

std::string encoded(const StoredCause& cause) {
  std::string bytes;
  encode_cause(cause, bytes);
  return bytes;
}

std::string golden_path(const std::string& name) {
  const char* root = std::getenv("SKALD_SOURCE_DIR");
  return std::string(root != nullptr ? root : ".") + "/tests/golden/stored_v1/" + name + ".bin";
}

bool rewriting() { return std::getenv("SKALD_REWRITE_GOLDEN") != nullptr; }

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The file's bytes, after writing them when asked to.
std::string golden_file(const std::string& name, const std::string& bytes) {
  if (rewriting()) std::ofstream(golden_path(name), std::ios::binary) << bytes;
  return read_file(golden_path(name));
}

TEST(StoredGolden, RecordsAreReadAndWrittenByteForByte) {
  for (const auto& sample : golden::record_samples()) {
    const std::string file = golden_file(sample.name, encoded(sample.events));
    const auto read = decode_events(file);
    ASSERT_TRUE(read.has_value()) << sample.name << ": " << read.error().message;
    EXPECT_EQ(*read, sample.events) << sample.name;
    EXPECT_EQ(encoded(*read), file) << sample.name;
  }
}

TEST(StoredGolden, SummariesAreReadAndWrittenByteForByte) {
  for (const auto& sample : golden::summary_samples()) {
    const std::string file = golden_file(sample.name, encoded(sample.summary));
    const auto read = decode_summary(file);
    ASSERT_TRUE(read.has_value()) << sample.name << ": " << read.error().message;
    EXPECT_EQ(*read, sample.summary) << sample.name;
    EXPECT_EQ(encoded(*read), file) << sample.name;
  }
}

TEST(StoredGolden, AHoldIsReadAndWrittenByteForByte) {
  std::string bytes;
  encode_hold(golden::hold_sample(), bytes);
  const std::string file = golden_file("hold", bytes);
  EXPECT_EQ(bytes, file);
  const auto read = decode_hold(file);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, golden::hold_sample());
}

TEST(StoredGolden, AnAlertIsReadAndWrittenByteForByte) {
  std::string bytes;
  encode_alert(golden::alert_sample(), bytes);
  const std::string file = golden_file("outbox_alert", bytes);
  EXPECT_EQ(bytes, file);
  const auto read = decode_alert(file);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, golden::alert_sample());
  EXPECT_FALSE(decode_alert(std::string_view(file).substr(1)).has_value());
}

TEST(StoredGolden, ACauseIsReadAndWrittenByteForByte) {
  const StoredCause cause = golden::cause_sample();
  const std::string file = golden_file("cause", encoded(cause));
  const auto read = decode_cause(file);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, cause);
  EXPECT_EQ(encoded(*read), file);
}

TEST(StoredGolden, HoldsEveryKindOfEvent) {
  std::vector<bool> seen(std::variant_size_v<event::Body>);
  for (const auto& sample : golden::record_samples()) {
    for (const Event& event : sample.events) seen[event.body.index()] = true;
  }
  for (std::size_t kind = 0; kind < seen.size(); ++kind) EXPECT_TRUE(seen[kind]) << "kind " << kind;
}

}  // namespace
}  // namespace skald::wire
