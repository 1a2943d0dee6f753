// Canonical bytes and JSON of protobuf messages; see the header.
#include "engine/dsl/message_bytes.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <memory>

namespace skald::dsl {
namespace {

namespace util = google::protobuf::util;
using google::protobuf::Message;

constexpr std::string_view kTypePrefix = "type.skald";
constexpr std::size_t kReasonMax = 200;  // bytes of protobuf's own words in an error

/// Shared by all threads: protobuf's resolver locks inside.
util::TypeResolver& resolver() {
  static const std::unique_ptr<util::TypeResolver> kResolver(util::NewTypeResolverForDescriptorPool(
      std::string(kTypePrefix), google::protobuf::DescriptorPool::generated_pool()));
  return *kResolver;
}

Bytes proto_bytes(const Message& message) {
  Bytes out;
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return out;
}

/// Goes through the deterministic protobuf form, because JSON straight from a message would list
/// map entries in the order of their hash table.
std::string json_text(const Message& message, bool keep_names) {
  util::JsonPrintOptions options;
  options.preserve_proto_field_names = keep_names;
  std::string out;
  const std::string type =
      std::string(kTypePrefix) + "/" + std::string(message.GetDescriptor()->full_name());
  const auto status =
      util::BinaryToJsonString(&resolver(), type, proto_bytes(message), &out, options);
  return status.ok() ? out : "{}";
}

bool parse_proto(std::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

/// protobuf's reason without the payload it quotes: where, and what was expected there.
std::string reason_without_payload(std::string_view text) {
  constexpr std::string_view kInvalid = "invalid value ";
  constexpr std::string_view kForType = " for type ";
  const auto invalid = text.find(kInvalid);
  const auto type = text.rfind(kForType);
  std::string out;
  if (invalid != std::string_view::npos && type != std::string_view::npos && type >= invalid) {
    out = std::string(text.substr(0, invalid)) + "not a valid " +
          std::string(text.substr(type + kForType.size()));
  } else {
    out = text.substr(0, text.find('\n'));
  }
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  out.resize(std::min(out.size(), kReasonMax));
  return out;
}

Result<void> parse_json(std::string_view text, bool ignore_unknown, Message& message) {
  util::JsonParseOptions options;
  options.ignore_unknown_fields = ignore_unknown;
  const auto status = util::JsonStringToMessage(
      google::protobuf::StringPiece(text.data(), text.size()), &message, options);
  if (status.ok()) return {};
  const auto why = status.message();
  return fail(Errc::invalid_argument, "{}",
              reason_without_payload(std::string_view(why.data(), why.size())));
}

}  // namespace

Bytes encode(const Message& message, Protocol protocol) {
  switch (protocol) {
    case Protocol::connect_proto:
      return proto_bytes(message);
    case Protocol::connect_json:
      return json_text(message, false);
    case Protocol::http_json:
      return json_text(message, true);
  }
  return {};
}

Result<void> decode(std::string_view bytes, Protocol protocol, Message& message) {
  bool parsed = false;
  switch (protocol) {
    case Protocol::connect_proto:
      parsed = parse_proto(bytes, message);
      break;
    case Protocol::connect_json:
    case Protocol::http_json:
      parsed = bytes.empty() || parse_json(bytes, true, message).has_value();
      break;
  }
  if (!parsed) {
    return fail(Errc::data_loss, "{} bytes are not a {}", bytes.size(),
                message.GetDescriptor()->full_name());
  }
  return {};
}

Result<void> read_input(InputForm form, std::string_view input, Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  switch (form) {
    case InputForm::proto:
      if (!parse_proto(input, message)) {
        return fail(Errc::invalid_argument, "input: {} bytes are not a {}", input.size(), type);
      }
      message.DiscardUnknownFields();
      return {};
    case InputForm::json:
      if (input.empty()) return {};
      if (const auto parsed = parse_json(input, false, message); !parsed) {
        return fail(Errc::invalid_argument, "input: {}: {}", type, parsed.error().message);
      }
      return {};
  }
  return fail(Errc::invalid_argument, "input: neither protobuf nor JSON");
}

std::string print(const Bytes& bytes, Protocol protocol, const Message& prototype) {
  const std::unique_ptr<Message> message(prototype.New());
  if (!decode(bytes, protocol, *message)) {
    return "(" + std::to_string(bytes.size()) + " bytes that are no " +
           prototype.GetDescriptor()->full_name() + ")";
  }
  return json_text(*message, true);
}

}  // namespace skald::dsl
