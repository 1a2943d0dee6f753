// The ids of the engine. An id is never a bare string or integer.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace skald {

/// A saga's identity: 128 bits. `placement` says which shard it lives on (shards are ranges of it);
/// it is the hash of the idempotency key where there is one, so that key row and saga share a
/// shard. `serial` makes it unique. Text form: 26 characters of lower-case Crockford base32; the
/// bytes are stored big-endian, so text order, byte order and numeric order are the same.
struct SagaId {
  std::uint64_t placement = 0;
  std::uint64_t serial = 0;

  static constexpr std::size_t kTextSize = 26;
  static constexpr std::size_t kBytesSize = 16;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<SagaId> parse(std::string_view text);
  /// Appends the 16 big-endian bytes.
  void append_bytes(std::string& out) const;
  /// Pre: bytes.size() >= 16.
  [[nodiscard]] static SagaId from_bytes(std::string_view bytes);

  auto operator<=>(const SagaId&) const = default;
};

}  // namespace skald

template <>
struct std::hash<skald::SagaId> {
  std::size_t operator()(const skald::SagaId& id) const noexcept {
    return static_cast<std::size_t>(id.placement ^ (id.serial * 0x9E3779B97F4A7C15ULL));
  }
};
