// Reading what clients send: one function per kind of field, each refusing with the field's name.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/result.h"
#include "engine/runtime/engine.h"
#include "skald/v1/service.pb.h"

namespace skald::api {

struct TextRule {
  std::string_view field;
  std::string_view text;
  std::size_t size_max = 0;  // bytes
  bool required = false;
};
/// Errors: invalid_argument: missing, too long, or with control characters.
[[nodiscard]] Result<void> check_texts(std::span<const TextRule> rules);

/// The one key of a submission; header and message may both name it but not differ.
[[nodiscard]] Result<std::string> agreed_key(std::string in_message,
                                             const std::optional<std::string>& in_transport);

[[nodiscard]] Result<WaitMode> wait_mode(v1::WaitMode::Value mode, std::string_view field,
                                         WaitMode when_unspecified);
/// 0: kWaitDefault. Errors: above kWaitMax.
[[nodiscard]] Result<Millis> wait_timeout(std::uint32_t timeout_ms);

/// Canonical input. Takes the bytes out of `from`. Errors: as the definition's reader says;
/// resource_exhausted above `size_max`.
[[nodiscard]] Result<Bytes> read_input(v1::SubmitRequest& from, const Definition& definition,
                                       std::size_t size_max);

/// Errors of the three: invalid_argument; of a filter with its column.
[[nodiscard]] Result<ListQuery> list_query(v1::ListRequest& from);
[[nodiscard]] Result<CountQuery> count_query(v1::CountRequest& from);
[[nodiscard]] Result<GroupQuery> group_query(const v1::StuckGroupsRequest& from);

/// Errors: not a saga id.
[[nodiscard]] Result<SagaRef> saga_by_id(std::string_view text);
[[nodiscard]] Error no_saga_named();

/// The saga that a request names. Takes the keys out of it. A key that no saga can have is not
/// refused here: it is not found.
template <class Request>
[[nodiscard]] Result<SagaRef> saga_ref(Request& request) {
  switch (request.saga_case()) {
    case Request::kSagaId:
      return saga_by_id(request.saga_id());
    case Request::kIdempotencyKey:
      return ByIdempotencyKey{std::move(*request.mutable_idempotency_key())};
    case Request::kBusinessKey:
      return ByBusinessKey{std::move(*request.mutable_business_key())};
    case Request::SAGA_NOT_SET:
      break;
  }
  return std::unexpected(no_saga_named());
}

[[nodiscard]] Result<Actor> actor_of(std::string name, std::string reason);

template <class Request>
[[nodiscard]] Result<Actor> read_actor(Request& request) {
  return actor_of(std::move(*request.mutable_actor()), std::move(*request.mutable_reason()));
}

}  // namespace skald::api
