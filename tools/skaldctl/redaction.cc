#include "tools/skaldctl/redaction.h"

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace skald::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Value;

/// Fields whose text comes from customers, participants or people.
constexpr std::array<std::string_view, 14> kWords = {
    "message",         "text",   "reason",       "actor",         "business_key",
    "idempotency_key", "before", "after",        "why",           "next",
    "needs_person",    "effect", "stuck_reason", "no_undo_reason"};

std::string length_of(std::string_view what, std::string_view text) {
  return fmt::format("redacted {}, {} bytes", what, text.size());
}

void redact_value(Value& value) {
  switch (value.kind_case()) {
    case Value::kStringValue:
      value.set_string_value(length_of("string", value.string_value()));
      return;
    case Value::kNumberValue:
      value.set_string_value("redacted number");
      return;
    case Value::kBoolValue:
      value.set_string_value("redacted bool");
      return;
    case Value::kStructValue:
      for (auto& [name, member] : *value.mutable_struct_value()->mutable_fields()) {
        redact_value(member);
      }
      return;
    case Value::kListValue:
      for (Value& item : *value.mutable_list_value()->mutable_values()) redact_value(item);
      return;
    case Value::kNullValue:
    case Value::KIND_NOT_SET:
      return;
  }
}

void redact_text(google::protobuf::Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (std::ranges::find(kWords, std::string_view(field.name())) == kWords.end()) return;
  if (!field.is_repeated()) {
    const std::string text = reflection.GetString(message, &field);
    if (!text.empty()) reflection.SetString(&message, &field, length_of("text", text));
    return;
  }
  if (field.name() == "after") return;  // of a step: names of others
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const std::string text = reflection.GetRepeatedString(message, &field, i);
    reflection.SetRepeatedString(&message, &field, i, length_of("text", text));
  }
}

}  // namespace

void redact(google::protobuf::Message& message) {
  if (message.GetDescriptor() == Value::descriptor()) {
    return redact_value(static_cast<Value&>(message));
  }
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      redact_text(message, *field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        redact(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      redact(*reflection.MutableMessage(&message, field));
    }
  }
}

}  // namespace skald::ctl
