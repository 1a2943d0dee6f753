#include "participants/order_front/admission.h"

#include <algorithm>
#include <boost/json.hpp>
#include <initializer_list>
#include <set>
#include <utility>

namespace skald::mall::order_front {
namespace {

namespace json = boost::json;

Result<json::object> parse_object(std::string_view text,
                                  std::initializer_list<std::string_view> fields) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return fail(Errc::invalid_argument, "body: not JSON ({})", error.message());
  if (!value.is_object()) return fail(Errc::invalid_argument, "body: not an object");
  for (const auto& member : value.get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(fields, name) == fields.end()) {
      return fail(Errc::invalid_argument, "{}: no such field", name);
    }
  }
  return std::move(value.get_object());
}

Result<std::int64_t> positive(const json::value& value, std::string_view field) {
  if (!value.is_int64()) return fail(Errc::invalid_argument, "{}: not an integer", field);
  if (value.get_int64() <= 0) return fail(Errc::invalid_argument, "{}: must be positive", field);
  return value.get_int64();
}

Result<std::int64_t> required_id(const json::object& body, std::string_view field) {
  const auto* value = body.if_contains({field.data(), field.size()});
  if (!value) return fail(Errc::invalid_argument, "{}: missing", field);
  return positive(*value, field);
}

/// Absent, null and 0 say that there is none.
Result<std::int64_t> optional_id(const json::object& body, std::string_view field) {
  const auto* value = body.if_contains({field.data(), field.size()});
  if (!value || value->is_null()) return 0;
  if (value->is_int64() && value->get_int64() == 0) return 0;
  return positive(*value, field);
}

Result<std::string> required_text(const json::object& body, std::string_view field,
                                  std::size_t bytes_max) {
  const auto* value = body.if_contains({field.data(), field.size()});
  if (!value) return fail(Errc::invalid_argument, "{}: missing", field);
  if (!value->is_string()) return fail(Errc::invalid_argument, "{}: not a string", field);
  const auto& text = value->get_string();
  if (text.empty()) return fail(Errc::invalid_argument, "{}: empty", field);
  if (text.size() > bytes_max) {
    return fail(Errc::invalid_argument, "{}: longer than {} bytes", field, bytes_max);
  }
  return std::string(text.data(), text.size());
}

Result<std::vector<std::int64_t>> required_skus(const json::object& body) {
  const auto* value = body.if_contains("sku_ids");
  if (!value) return fail(Errc::invalid_argument, "sku_ids: missing");
  if (!value->is_array()) return fail(Errc::invalid_argument, "sku_ids: not an array");
  const auto& array = value->get_array();
  if (array.empty()) return fail(Errc::invalid_argument, "sku_ids: empty");
  if (array.size() > kSkusMax) {
    return fail(Errc::invalid_argument, "sku_ids: more than {}", kSkusMax);
  }
  std::vector<std::int64_t> skus;
  std::set<std::int64_t> seen;
  for (const auto& element : array) {
    const auto sku = positive(element, fmt::format("sku_ids[{}]", skus.size()));
    if (!sku) return std::unexpected(sku.error());
    if (!seen.insert(*sku).second) return fail(Errc::invalid_argument, "sku_ids: {} twice", *sku);
    skus.push_back(*sku);
  }
  return skus;
}

}  // namespace

Result<CreateBody> parse_create(std::string_view text) {
  const auto body = parse_object(text, {"user_id", "sku_ids", "coupon_id", "address"});
  if (!body) return std::unexpected(body.error());
  const auto user_id = required_id(*body, "user_id");
  if (!user_id) return std::unexpected(user_id.error());
  auto skus = required_skus(*body);
  if (!skus) return std::unexpected(skus.error());
  const auto coupon_id = optional_id(*body, "coupon_id");
  if (!coupon_id) return std::unexpected(coupon_id.error());
  auto address = required_text(*body, "address", kAddressBytesMax);
  if (!address) return std::unexpected(address.error());
  return CreateBody{*user_id, std::move(*skus), *coupon_id, std::move(*address)};
}

Result<CancelBody> parse_cancel(std::string_view text) {
  const auto body = parse_object(text, {"user_id", "order_id"});
  if (!body) return std::unexpected(body.error());
  const auto user_id = required_id(*body, "user_id");
  if (!user_id) return std::unexpected(user_id.error());
  auto order_id = required_text(*body, "order_id", kOrderIdBytesMax);
  if (!order_id) return std::unexpected(order_id.error());
  return CancelBody{*user_id, std::move(*order_id)};
}

Result<std::string> parse_client_key(std::string_view header) {
  if (header.size() >= 2 && header.front() == '"' && header.back() == '"') {
    header = header.substr(1, header.size() - 2);
  }
  const auto printable = [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '\\'; };
  if (header.empty() || header.size() > kClientKeyBytesMax ||
      !std::ranges::all_of(header, printable)) {
    return fail(Errc::invalid_argument, "Idempotency-Key: 1 to {} printable characters",
                kClientKeyBytesMax);
  }
  return std::string(header);
}

}  // namespace skald::mall::order_front
