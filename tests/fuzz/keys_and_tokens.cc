#include <string>
#include <vector>

#include "engine/api/routes.h"
#include "engine/base/check.h"
#include "engine/base/ids.h"
#include "engine/core/owed.h"
#include "engine/store/list_page.h"
#include "participants/kit/saga_headers.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

std::string quoted(std::string_view key) {
  std::string out = "\"";
  for (const char c : key) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

void check_idempotency_key(std::string_view header) {
  const auto key = api::parse_idempotency_key(header);
  if (!key) {
    SKALD_CHECK(key.error().code == Errc::invalid_argument);
    return;
  }
  SKALD_CHECK(!key->empty());
  const auto again = api::parse_idempotency_key(quoted(*key));
  SKALD_CHECK(again.has_value() && *again == *key);
}

void check_page_token(std::string_view token) {
  const auto position = check_query({.page_token = std::string(token)});
  if (!position || !*position) return;
  const auto again = check_query({.page_token = page_token(**position)});
  SKALD_CHECK(again.has_value() && *again == *position);
}

void check_saga_id(std::string_view text) {
  const auto id = SagaId::parse(text);
  if (!id) return;
  SKALD_CHECK(id->text().size() == SagaId::kTextSize && SagaId::parse(id->text()) == id);
  std::string bytes;
  id->append_bytes(bytes);
  SKALD_CHECK(SagaId::from_bytes(bytes) == *id);
}

/// A leg's key in its encoded form has nothing that a key or a header could be broken with.
void check_leg_key(std::string_view text) {
  for (const char c : encoded_leg_key(text)) {
    SKALD_CHECK(c > ' ' && c < 0x7F && c != '/' && c != '"' && c != '[' && c != ']');
  }
}

void check_saga_call(const std::vector<HttpHeader>& headers) {
  const auto call = kit::parse_saga_call(headers);
  if (!call || !*call) return;
  SKALD_CHECK(!(*call)->key.empty() && (*call)->key.size() <= kit::kKeyBytesMax);
  SKALD_CHECK((*call)->saga_id.size() <= kit::kSagaIdBytesMax);
  SKALD_CHECK((*call)->leg.size() <= kit::kLegBytesMax);
}

}  // namespace

void keys_and_tokens(std::string_view input) {
  std::vector<HttpHeader> headers;
  for (const std::string_view name :
       {kit::kIdempotencyKeyHeader, kit::kSagaIdHeader, kit::kLegHeader, kit::kOperationHeader}) {
    if (input.empty()) break;
    const std::string_view line = take_line(input);
    check_idempotency_key(line);
    check_page_token(line);
    check_saga_id(line);
    check_leg_key(line);
    headers.push_back({.name = std::string(name), .value = std::string(line)});
  }
  check_saga_call(headers);
}

}  // namespace skald::fuzz
