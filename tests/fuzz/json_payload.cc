#include <google/protobuf/struct.pb.h>

#include <string>

#include "engine/api/payload.h"
#include "engine/base/check.h"
#include "engine/wire/fixed_payload.h"
#include "engine/wire/json.h"
#include "skald/v1/definition.pb.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

using google::protobuf::Value;

void check_canonical(const Value& value) {
  const auto text = wire::canonical_json(value);
  const auto shown = api::json_text(value, "payload");
  if (text) {
    SKALD_CHECK(shown.has_value() && *shown == *text, "one canonical form, not two");
    SKALD_CHECK(!wire::find_json_fault(*text));
    Value again;
    SKALD_CHECK(wire::message_from_json(*text, again).has_value());
    SKALD_CHECK(wire::canonical_json(again) == text, "the canonical form is a fixed point");
  }
}

void check_text(std::string_view text) {
  const auto fault = wire::find_json_fault(text);
  if (fault) SKALD_CHECK(fault->offset <= text.size() && !fault->what.empty());
  Value shown;
  if (api::read_json(text, shown)) {
    SKALD_CHECK(!fault, "our scanner refuses what is read: byte {}: {}", fault->offset,
                fault->what);
  }
  Value value;
  if (wire::message_from_json(text, value)) {
    SKALD_CHECK(!fault);
    check_canonical(value);
  }
}

void check_strings(std::string_view text) {
  std::string quoted;
  wire::append_json_string(quoted, text);
  SKALD_CHECK(!wire::find_json_fault(quoted));
  const std::string object = "{\"k\":" + quoted + "}";
  const auto member = wire::json_string_member(object, "k");
  SKALD_CHECK(member.has_value());
  std::string twice;
  wire::append_json_string(twice, *member);
  SKALD_CHECK(twice == quoted, "what was replaced once stays");
  std::string cut(*member);
  wire::cut_utf8(cut, cut.size() / 2);
  SKALD_CHECK(cut.size() <= member->size() / 2 && member->starts_with(cut));
  std::string cut_quoted;
  wire::append_json_string(cut_quoted, cut);
  SKALD_CHECK(cut_quoted.find("\xEF\xBF\xBD") == std::string::npos ||
              member->find("\xEF\xBF\xBD") != std::string::npos);
}

}  // namespace

void json_payload(std::string_view input) {
  const std::uint8_t choice = take_byte(input);
  check_text(input);
  check_strings(input);
  static_cast<void>(wire::json_string_member(input, "message"));
  if (Value value;
      (choice & 1) != 0 && value.ParseFromArray(input.data(), static_cast<int>(input.size()))) {
    check_canonical(value);
  }
  v1::Payload payload;
  if ((choice & 2) != 0) {
    payload.set_raw(input.data(), input.size());
  } else {
    payload.set_text(std::string(input));
  }
  for (const Protocol protocol : {Protocol::connect_proto, Protocol::http_json}) {
    const auto bytes = wire::payload_bytes(payload, protocol);
    if (bytes) SKALD_CHECK(*bytes == input);
    if (bytes && protocol == Protocol::http_json) SKALD_CHECK(!wire::find_json_fault(*bytes));
  }
}

}  // namespace skald::fuzz
