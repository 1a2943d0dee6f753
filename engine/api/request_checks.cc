#include "engine/api/request_checks.h"

#include <algorithm>
#include <array>

#include "engine/api/payload.h"
#include "engine/api/saga_service.h"
#include "engine/batch/batch.h"

namespace skald::api {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

Instant instant_of(const google::protobuf::Timestamp& time) {
  constexpr std::int32_t kNanosPerMilli = 1'000'000;
  return from_unix_ms(time.seconds() * 1'000 + time.nanos() / kNanosPerMilli);
}

}  // namespace

Result<void> check_texts(std::span<const TextRule> rules) {
  for (const TextRule& rule : rules) {
    if (rule.required && rule.text.empty()) {
      return fail(Errc::invalid_argument, "{}: is required", rule.field);
    }
    if (rule.text.size() > rule.size_max) {
      return fail(Errc::invalid_argument, "{}: {} bytes, at most {} are allowed", rule.field,
                  rule.text.size(), rule.size_max);
    }
    if (std::ranges::any_of(rule.text, is_control)) {
      return fail(Errc::invalid_argument, "{}: holds control characters", rule.field);
    }
  }
  return {};
}

Result<std::string> agreed_key(std::string in_message,
                               const std::optional<std::string>& in_transport) {
  if (!in_transport) return in_message;
  if (in_message.empty() || in_message == *in_transport) return *in_transport;
  return fail(Errc::invalid_argument,
              "idempotency_key: differs from the Idempotency-Key header; send one of them");
}

Result<WaitMode> wait_mode(v1::WaitMode::Value mode, std::string_view field,
                           WaitMode when_unspecified) {
  switch (mode) {
    case v1::WaitMode::unspecified:
      return when_unspecified;
    case v1::WaitMode::accepted:
      return WaitMode::accepted;
    case v1::WaitMode::decided:
      return WaitMode::decided;
    case v1::WaitMode::done:
      return WaitMode::done;
    case v1::WaitMode_Value_WaitMode_Value_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::WaitMode_Value_WaitMode_Value_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return fail(Errc::invalid_argument, "{}: {} is none of accepted, decided, done", field,
              static_cast<int>(mode));
}

Result<Millis> wait_timeout(std::uint32_t timeout_ms) {
  const Millis timeout{timeout_ms};
  if (timeout > kWaitMax) {
    return fail(Errc::invalid_argument,
                "timeout_ms: {}, at most {} is allowed; wait again after it", timeout_ms,
                kWaitMax.count());
  }
  return timeout == Millis{0} ? kWaitDefault : timeout;
}

Result<Bytes> read_input(v1::SubmitRequest& from, const Definition& definition,
                         std::size_t size_max) {
  Bytes input;
  InputForm form = InputForm::proto;
  if (from.payload_case() == v1::SubmitRequest::kInput) {
    auto text = json_text(from.input(), "input");
    if (!text) return std::unexpected(text.error());
    input = std::move(*text);
    form = InputForm::json;
  } else {
    input = std::move(*from.mutable_input_proto());
  }
  if (input.size() > size_max) {
    return fail(Errc::resource_exhausted, "input: {} bytes, input_bytes_max is {}", input.size(),
                size_max);
  }
  if (!definition.read_input) return input;
  return definition.read_input(form, input);
}

Result<ListQuery> list_query(v1::ListRequest& from) {
  ListQuery query;
  for (const int status : from.status()) {
    if (status < 1 || status > int{kSagaStatusCount}) {
      return fail(Errc::invalid_argument, "status: {} is not a saga status", status);
    }
    query.statuses.push_back(static_cast<SagaStatus>(status));
  }
  if (from.limit() > kListPageMax) {
    return fail(Errc::invalid_argument, "limit: {}, at most {} is allowed", from.limit(),
                kListPageMax);
  }
  if (from.limit() != 0) query.limit = from.limit();
  query.definition = std::move(*from.mutable_definition());
  query.business_key = std::move(*from.mutable_business_key());
  if (from.has_started_after()) query.started_after = instant_of(from.started_after());
  if (from.has_started_before()) query.started_before = instant_of(from.started_before());
  auto filter = filter::parse(from.filter());
  if (!filter) return std::unexpected(filter.error());
  query.filter = std::move(*filter);
  if (from.order() < 0 || from.order() > static_cast<int>(ListOrder::longest_stuck)) {
    return fail(Errc::invalid_argument, "order: {} is none of newest, oldest, longest_stuck",
                static_cast<int>(from.order()));
  }
  if (from.order() != v1::ListOrder::unspecified) {
    query.order = static_cast<ListOrder>(from.order());
  }
  query.page_token = std::move(*from.mutable_page_token());
  return query;
}

Result<CountQuery> count_query(v1::CountRequest& from) {
  auto filter = filter::parse(from.filter());
  if (!filter) return std::unexpected(filter.error());
  return CountQuery{.filter = std::move(*filter),
                    .page_token = std::move(*from.mutable_page_token())};
}

Result<GroupQuery> group_query(const v1::StuckGroupsRequest& from) {
  auto filter = filter::parse(from.filter());
  if (!filter) return std::unexpected(filter.error());
  GroupQuery query{.filter = std::move(*filter)};
  if (!filter::mentions(query.filter, filter::Field::status)) {
    query.filter = filter::both(filter::where(filter::Field::status, SagaStatus::stuck),
                                std::move(query.filter));
  }
  if (from.by() < 0 || from.by() > static_cast<int>(GroupBy::participant)) {
    return fail(Errc::invalid_argument, "by: {} is none of cause, step, participant",
                static_cast<int>(from.by()));
  }
  if (from.by() != v1::GroupBy::unspecified) query.by = static_cast<GroupBy>(from.by());
  return query;
}

Result<SagaRef> saga_by_id(std::string_view text) {
  if (const auto id = SagaId::parse(text)) return ById{*id};
  return fail(Errc::invalid_argument, "saga_id: not the id of a saga ({} characters of base32)",
              SagaId::kTextSize);
}

Error no_saga_named() {
  return {Errc::invalid_argument,
          "saga_id: name the saga by saga_id, idempotency_key or business_key"};
}

Result<Actor> actor_of(std::string actor_name, std::string reason) {
  const std::array<TextRule, 2> rules{{
      {.field = "actor", .text = actor_name, .size_max = kActorTextMax},
      {.field = "reason", .text = reason, .size_max = kActorTextMax},
  }};
  if (auto checked = check_texts(rules); !checked) return std::unexpected(checked.error());
  if (batch::looks_marked(reason)) {
    return fail(Errc::invalid_argument,
                "reason: \"batch N\" at its beginning is how the acts of batches are told from "
                "others; say it in other words");
  }
  return Actor{std::move(actor_name), std::move(reason)};
}

}  // namespace skald::api
