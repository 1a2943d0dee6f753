// What the order front takes: the bodies of its requests, checked field by field before anything is
// written or sent. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace skald::mall::order_front {

struct CreateBody {
  std::int64_t user_id = 0;
  std::vector<std::int64_t> sku_ids;
  std::int64_t coupon_id = 0;  // 0: none
  std::string address;
  bool operator==(const CreateBody&) const = default;
};

struct CancelBody {
  std::int64_t user_id = 0;
  std::string order_id;
  bool operator==(const CancelBody&) const = default;
};

inline constexpr std::size_t kSkusMax = 200;
inline constexpr std::size_t kAddressBytesMax = 1'024;
inline constexpr std::size_t kOrderIdBytesMax = 32;
inline constexpr std::size_t kClientKeyBytesMax = 128;

/// {user_id, sku_ids, coupon_id?, address}.
/// Errors: invalid_argument naming the field: malformed JSON, a wrong type, a field that is missing
/// or unknown (a misspelt coupon must not charge the full price), ids that are not positive, no
/// SKU, a SKU twice, too many, an address that is empty or too long.
[[nodiscard]] Result<CreateBody> parse_create(std::string_view json);

/// {user_id, order_id}. Errors: as parse_create.
[[nodiscard]] Result<CancelBody> parse_cancel(std::string_view json);

/// An Idempotency-Key of a client, quoted (RFC 8941) or bare.
/// Errors: invalid_argument: empty, too long, or not printable ASCII.
[[nodiscard]] Result<std::string> parse_client_key(std::string_view header);

}  // namespace skald::mall::order_front
