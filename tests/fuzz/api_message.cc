#include "tests/fuzz/api_message.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/message_differencer.h>

#include <memory>
#include <vector>

#include "engine/api/request_checks.h"
#include "engine/base/check.h"
#include "engine/store/list_page.h"
#include "engine/wire/connect.h"
#include "engine/wire/json.h"
#include "skald/v1/alert.pb.h"
#include "skald/v1/batch.pb.h"
#include "skald/v1/operator.pb.h"
#include "skald/v1/participant.pb.h"
#include "skald/v1/service.pb.h"
#include "skald/v1/stats.pb.h"
#include "skald/v1/upkeep.pb.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using wire::ConnectCodec;

bool same(const Message& a, const Message& b) {
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  return differencer.Compare(a, b);
}

/// JSON has one word for a Value of no kind and for one that is null.
void say_null(Message& message) {
  if (auto* value = dynamic_cast<google::protobuf::Value*>(&message)) {
    if (value->kind_case() == google::protobuf::Value::KIND_NOT_SET) {
      value->set_null_value(google::protobuf::NULL_VALUE);
    }
  }
  const auto* reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      say_null(*reflection->MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      say_null(*reflection->MutableRepeatedMessage(&message, field, i));
    }
  }
}

/// Written in a codec and read again, it is the same message; or it has no such form.
void check_round_trip(ConnectCodec codec, const Message& message) {
  const auto bytes = wire::encode_message(codec, message);
  if (!bytes) {
    SKALD_CHECK(codec == ConnectCodec::json, "every message has a protobuf form");
    return;
  }
  if (codec == ConnectCodec::json) SKALD_CHECK(!wire::find_json_fault(*bytes));
  const std::unique_ptr<Message> again(message.New());
  const auto read = wire::decode_message(codec, *bytes, *again);
  SKALD_CHECK(read.has_value(), "{}", read.error().message);
  SKALD_CHECK(same(message, *again));
}

/// The key that a submission is refused by before it is read is the one that is read from it.
void check_key(const Message& message, std::string_view body) {
  const auto* submission = dynamic_cast<const v1::SubmitRequest*>(&message);
  if (submission == nullptr) return;
  const auto key = wire::find_text_field(body, v1::SubmitRequest::kIdempotencyKeyFieldNumber);
  SKALD_CHECK(key.has_value() && *key == submission->idempotency_key());
}

/// What the API makes of a search. Refused is fine; what is taken is sound.
void check_search(Message& message) {
  if (auto* list = dynamic_cast<v1::ListRequest*>(&message)) {
    if (const auto query = api::list_query(*list)) static_cast<void>(check_query(*query));
  } else if (auto* count = dynamic_cast<v1::CountRequest*>(&message)) {
    if (const auto query = api::count_query(*count)) static_cast<void>(check_count(*query));
  } else if (const auto* groups = dynamic_cast<v1::StuckGroupsRequest*>(&message)) {
    static_cast<void>(api::group_query(*groups));
  }
}

}  // namespace

const std::vector<const MethodDescriptor*>& api_methods() {
  static const auto all = [] {
    std::vector<const MethodDescriptor*> methods;
    for (const auto* file :
         {v1::SubmitRequest::descriptor()->file(), v1::ActRequest::descriptor()->file(),
          v1::BatchRequest::descriptor()->file(), v1::HoldRequest::descriptor()->file(),
          v1::TestWebhookRequest::descriptor()->file(), v1::GetStatsRequest::descriptor()->file(),
          v1::BackUpRequest::descriptor()->file()}) {
      for (int i = 0; i < file->service_count(); ++i) {
        for (int j = 0; j < file->service(i)->method_count(); ++j) {
          methods.push_back(file->service(i)->method(j));
        }
      }
    }
    return methods;
  }();
  return all;
}

void check_api_message(const Descriptor& kind, ConnectCodec codec, std::string_view body) {
  const std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&kind)->New());
  if (const auto read = wire::decode_message(codec, body, *message); !read) {
    SKALD_CHECK(read.error().code == Errc::invalid_argument);
    return;
  }
  if (codec == ConnectCodec::proto) check_key(*message, body);
  message->DiscardUnknownFields();
  check_round_trip(ConnectCodec::proto, *message);
  say_null(*message);
  check_round_trip(ConnectCodec::json, *message);
  check_search(*message);
}

void api_message(std::string_view input) {
  const std::uint8_t choice = take_byte(input);
  const auto& all = api_methods();
  const ConnectCodec codec = (choice & 1) != 0 ? ConnectCodec::json : ConnectCodec::proto;
  check_api_message(*all[(choice >> 1U) % all.size()]->input_type(), codec, input);
}

}  // namespace skald::fuzz
