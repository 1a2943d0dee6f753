#include "engine/base/ids.h"

#include <array>

#include "engine/base/check.h"

namespace skald {
namespace {

// Crockford's alphabet: no i, l, o, u, so that an id read aloud or copied by hand stays itself.
constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::uint8_t kNoDigit = 0xFF;
constexpr unsigned kDigitBits = 5;
constexpr std::uint64_t kDigitMask = 0x1F;
// 26 digits hold 130 bits; the first digit may use only three of its five.
constexpr std::uint8_t kFirstDigitMax = 7;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}
constexpr auto kDigits = make_digits();

void append_big_endian(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes.substr(0, 8))
    value = (value << 8) | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::string SagaId::text() const {
  std::string out(kTextSize, '0');
  std::uint64_t high = placement;
  std::uint64_t low = serial;
  for (std::size_t i = kTextSize; i-- > 0;) {
    out[i] = kAlphabet[low & kDigitMask];
    low = (low >> kDigitBits) | (high << (64 - kDigitBits));
    high >>= kDigitBits;
  }
  return out;
}

std::optional<SagaId> SagaId::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  SagaId id;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    const std::uint8_t digit = kDigits[static_cast<unsigned char>(text[i])];
    if (digit == kNoDigit || (i == 0 && digit > kFirstDigitMax)) return std::nullopt;
    id.placement = (id.placement << kDigitBits) | (id.serial >> (64 - kDigitBits));
    id.serial = (id.serial << kDigitBits) | digit;
  }
  return id;
}

void SagaId::append_bytes(std::string& out) const {
  append_big_endian(out, placement);
  append_big_endian(out, serial);
}

SagaId SagaId::from_bytes(std::string_view bytes) {
  SKALD_CHECK(bytes.size() >= kBytesSize, "size={}", bytes.size());
  return {.placement = big_endian(bytes), .serial = big_endian(bytes.substr(8))};
}

}  // namespace skald
