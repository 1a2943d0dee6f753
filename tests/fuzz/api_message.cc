#include "tests/fuzz/api_message.h"

#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/message_differencer.h>

#include <memory>
#include <vector>

#include "engine/api/request_checks.h"
#include "engine/base/check.h"
#include "engine/store/list_page.h"
#include "engine/wire/connect.h"
#include "engine/wire/json.h"
#include "skald/v1/service.pb.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

using google::protobuf::Message;
using wire::ConnectCodec;

bool same(const Message& a, const Message& b) {
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  return differencer.Compare(a, b);
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

void check_list(v1::ListRequest request) {
  if (const auto query = api::list_query(request)) static_cast<void>(check_query(*query));
}

}  // namespace

const std::vector<const Message*>& api_requests() {
  static const std::vector<const Message*> all{
      &v1::SubmitRequest::default_instance(),
      &v1::SubmitBatchRequest::default_instance(),
      &v1::GetRequest::default_instance(),
      &v1::WaitRequest::default_instance(),
      &v1::SignalRequest::default_instance(),
      &v1::ListRequest::default_instance(),
      &v1::HistoryRequest::default_instance(),
      &v1::CancelRequest::default_instance(),
      &v1::RetryRequest::default_instance(),
      &v1::ListDefinitionsRequest::default_instance(),
      &v1::GetDefinitionRequest::default_instance(),
  };
  return all;
}

void check_api_message(const Message& kind, ConnectCodec codec, std::string_view body) {
  const std::unique_ptr<Message> message(kind.New());
  if (const auto read = wire::decode_message(codec, body, *message); !read) {
    SKALD_CHECK(read.error().code == Errc::invalid_argument);
    return;
  }
  message->DiscardUnknownFields();
  check_round_trip(ConnectCodec::proto, *message);
  check_round_trip(ConnectCodec::json, *message);
  if (const auto* list = dynamic_cast<const v1::ListRequest*>(message.get())) check_list(*list);
}

void api_message(std::string_view input) {
  const std::uint8_t choice = take_byte(input);
  const auto& all = api_requests();
  const ConnectCodec codec = (choice & 1) != 0 ? ConnectCodec::json : ConnectCodec::proto;
  check_api_message(*all[(choice >> 1U) % all.size()], codec, input);
}

}  // namespace skald::fuzz
