#include "engine/base/ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "engine/base/hash.h"

namespace skald {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(SagaIdText, IsFixedByGoldenValues) {
  EXPECT_EQ((SagaId{}.text()), "00000000000000000000000000");
  EXPECT_EQ((SagaId{0, 1}.text()), "00000000000000000000000001");
  EXPECT_EQ((SagaId{0, 32}.text()), "00000000000000000000000010");
  EXPECT_EQ((SagaId{1, 0}.text()), "0000000000000g000000000000");
  EXPECT_EQ((SagaId{kMax, kMax}.text()), "7zzzzzzzzzzzzzzzzzzzzzzzzz");
}

TEST(SagaIdText, ParsesBackToTheSameId) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const SagaId id{.placement = mix64(i), .serial = mix64(~i)};
    EXPECT_EQ(SagaId::parse(id.text()), id) << id.text();
  }
}

TEST(SagaIdText, IsRefusedWhenItIsNotTheCanonicalForm) {
  EXPECT_EQ(SagaId::parse(""), std::nullopt);
  EXPECT_EQ(SagaId::parse("0000000000000000000000000"), std::nullopt);    // 25
  EXPECT_EQ(SagaId::parse("000000000000000000000000000"), std::nullopt);  // 27
  EXPECT_EQ(SagaId::parse("80000000000000000000000000"), std::nullopt);   // more than 128 bits
  EXPECT_EQ(SagaId::parse("0000000000000000000000000u"), std::nullopt);
  EXPECT_EQ(SagaId::parse("0000000000000000000000000Z"), std::nullopt);
  EXPECT_EQ(SagaId::parse("0000000000000000000000000\xFF"), std::nullopt);
}

TEST(SagaIdOrder, IsTheSameForIdsTextAndBytes) {
  // given ids in numeric order, with neighbours on both sides of each half
  std::vector<SagaId> ids = {{0, 0}, {0, 1}, {0, kMax}, {1, 0}, {1, kMax}, {kMax, 0}, {kMax, kMax}};
  for (std::uint64_t i = 0; i < 200; ++i) ids.push_back({mix64(i), mix64(i + 1000)});
  std::ranges::sort(ids);

  for (std::size_t i = 1; i < ids.size(); ++i) {
    std::string before;
    std::string after;
    ids[i - 1].append_bytes(before);
    ids[i].append_bytes(after);
    EXPECT_LT(before, after);
    EXPECT_LT(ids[i - 1].text(), ids[i].text());
  }
}

TEST(SagaIdBytes, AreBigEndianAndReadBack) {
  const SagaId id{.placement = 0x0102030405060708, .serial = 0x090A0B0C0D0E0F10};
  std::string bytes = "x";

  id.append_bytes(bytes);

  EXPECT_EQ(bytes, "x\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x10");
  EXPECT_EQ(SagaId::from_bytes(std::string_view(bytes).substr(1)), id);
}

TEST(SagaIdBytesDeathTest, AbortsWhenThereAreTooFew) {
  EXPECT_DEATH((void)SagaId::from_bytes("fifteen bytes.."), "check failed .*ids.cc.*size=15");
}

}  // namespace
}  // namespace skald
