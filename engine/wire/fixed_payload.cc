// Bodies of fixed requests; see the header.
#include "engine/wire/fixed_payload.h"

#include <cmath>
#include <cstdint>
#include <map>

#include "engine/wire/json.h"

namespace skald::wire {
namespace {

using google::protobuf::Value;

Result<void> append_number(double number, std::string& out) {
  if (!std::isfinite(number)) {
    return fail(Errc::invalid_argument, "a number is not finite");
  }
  if (std::abs(number) >= kExactIntegerMax) {
    return fail(
        Errc::invalid_argument,
        "a number beyond 2^53 is not exact here: write it as a string, or the body as text");
  }
  if (std::trunc(number) == number) {
    out += std::to_string(static_cast<std::int64_t>(number));
  } else {
    out += fmt::format("{}", number);  // the shortest text that reads back as this number
  }
  return {};
}

Result<void> append_value(const Value& value, int depth, std::string& out) {
  if (depth > kJsonDepthMax) {
    return fail(Errc::invalid_argument, "nested deeper than {}", kJsonDepthMax);
  }
  switch (value.kind_case()) {
    case Value::kNullValue:
      out += "null";
      return {};
    case Value::kBoolValue:
      out += value.bool_value() ? "true" : "false";
      return {};
    case Value::kNumberValue:
      return append_number(value.number_value(), out);
    case Value::kStringValue:
      append_json_string(out, value.string_value());
      return {};
    case Value::kListValue: {
      out += '[';
      for (int i = 0; i < value.list_value().values_size(); ++i) {
        if (i > 0) out += ',';
        if (auto done = append_value(value.list_value().values(i), depth + 1, out); !done) {
          return done;
        }
      }
      out += ']';
      return {};
    }
    case Value::kStructValue: {
      std::map<std::string_view, const Value*> sorted;
      for (const auto& [key, member] : value.struct_value().fields()) sorted[key] = &member;
      out += '{';
      bool first = true;
      for (const auto& [key, member] : sorted) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, key);
        out += ':';
        if (auto done = append_value(*member, depth + 1, out); !done) return done;
      }
      out += '}';
      return {};
    }
    case Value::KIND_NOT_SET:
      break;
  }
  return fail(Errc::invalid_argument, "a value has no kind");
}

Result<Bytes> json_text(std::string_view text) {
  if (const auto fault = find_json_fault(text)) {
    return fail(Errc::invalid_argument, "not JSON: byte {}: {}", fault->offset, fault->what);
  }
  return Bytes(text);
}

}  // namespace

Protocol default_protocol(const v1::Payload& payload) {
  return payload.form_case() == v1::Payload::kRaw ? Protocol::connect_proto
                                                  : Protocol::connect_json;
}

Result<std::string> canonical_json(const Value& value) {
  std::string out;
  if (auto done = append_value(value, 1, out); !done) return std::unexpected(done.error());
  return out;
}

Result<Bytes> payload_bytes(const v1::Payload& payload, Protocol protocol) {
  const bool json = protocol != Protocol::connect_proto;
  switch (payload.form_case()) {
    case v1::Payload::kJson:
    case v1::Payload::kText:
      if (!json) {
        return fail(Errc::invalid_argument,
                    "connect_proto sends bytes: give them as raw, or choose connect_json");
      }
      return payload.form_case() == v1::Payload::kJson ? canonical_json(payload.json())
                                                       : json_text(payload.text());
    case v1::Payload::kRaw:
      return json ? json_text(payload.raw()) : Result<Bytes>(payload.raw());
    case v1::Payload::FORM_NOT_SET:
      break;
  }
  return json ? Bytes("{}") : Bytes();
}

}  // namespace skald::wire
