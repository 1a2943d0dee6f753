#include "engine/base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace skald {
namespace {

std::string bytes_counting_up(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(i));
  return out;
}

// The reference values of XXH64 for well-known strings.
TEST(Hash64, EqualsXxh64) {
  EXPECT_EQ(hash64(""), 0xEF46DB3751D8E999ULL);
  EXPECT_EQ(hash64("a"), 0xD24EC4F1A98C6E5BULL);
  EXPECT_EQ(hash64("abc"), 0x44BC2CF5AD770999ULL);
  EXPECT_EQ(hash64("The quick brown fox jumps over the lazy dog"), 0x0B242D361FDA71BCULL);
}

// The buffer and values of xxHash's own sanity check: every length of tail, with and without a
// seed.
TEST(Hash64, EqualsTheSanityCheckOfXxHash) {
  std::string buffer;
  std::uint64_t state = 2654435761U;
  for (int i = 0; i < 222; ++i) {
    buffer.push_back(static_cast<char>(state >> 56));
    state *= 11400714785074694797ULL;
  }
  const std::string_view bytes = buffer;

  EXPECT_EQ(hash64(bytes.substr(0, 1)), 0xE934A84ADB052768ULL);
  EXPECT_EQ(hash64(bytes.substr(0, 4)), 0x9136A0DCA57457EEULL);
  EXPECT_EQ(hash64(bytes.substr(0, 14)), 0x8282DCC4994E35C8ULL);
  EXPECT_EQ(hash64(bytes), 0xB641AE8CB691C174ULL);
  EXPECT_EQ(hash64(bytes.substr(0, 1), 2654435761U), 0x5014607643A9B4C3ULL);
  EXPECT_EQ(hash64(bytes.substr(0, 14), 2654435761U), 0xC3BD6BF63DEB6DF0ULL);
  EXPECT_EQ(hash64(bytes, 2654435761U), 0x20CB8AB7AE10C14AULL);
}

TEST(Hash64, DependsOnTheSeed) { EXPECT_NE(hash64("abc", 1), hash64("abc", 2)); }

// Check values of CRC-32C: the catalogue of parametrised CRCs, and RFC 3720 appendix B.4.
TEST(Crc32c, EqualsThePublishedCheckValues) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(bytes_counting_up(32)), 0x46DD794Eu);
}

TEST(Crc32c, ContinuesAnEarlierValueAtAnyPlace) {
  const std::string bytes = bytes_counting_up(100);
  const std::string_view view = bytes;
  for (std::size_t cut = 0; cut <= view.size(); ++cut) {
    EXPECT_EQ(crc32c(view.substr(cut), crc32c(view.substr(0, cut))), crc32c(view)) << cut;
  }
}

// From Vigna's splitmix64.c with state 0: its first output is mix64(0).
TEST(Mix64, EqualsSplitmix64) { EXPECT_EQ(mix64(0), 0xE220A8397B1DCDAFULL); }

}  // namespace
}  // namespace skald
