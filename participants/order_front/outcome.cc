#include "participants/order_front/outcome.h"

#include <charconv>

#include "mall/sagas.pb.h"

namespace skald::mall::order_front {
namespace {

using Status = skald::v1::SagaStatus;

std::optional<std::int64_t> number_after(std::string_view text, std::string_view label) {
  const auto at = text.rfind(label);
  if (at == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(at + label.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

template <class Answer>
OrderOutcome outcome_of(const Answer& answer) {
  const bool closed =
      answer.status() == Status::compensated || answer.status() == Status::abandoned;
  if (answer.undoing() || closed) return OrderOutcome::failed;
  return answer.decided() || answer.status() == Status::completed ? OrderOutcome::created
                                                                  : OrderOutcome::processing;
}

template <class Answer>
void add_reasons(const Answer& answer, OrderVerdict& verdict) {
  verdict.leg = answer.failure().leg();
  verdict.code = answer.failure().code();
  verdict.message = answer.failure().message();
  for (const auto& refusal : answer.refusals()) {
    if (const auto sku = short_sku_of(refusal.message())) verdict.short_skus.push_back(*sku);
  }
}

}  // namespace

std::string_view name(OrderOutcome outcome) {
  switch (outcome) {
    case OrderOutcome::created:
      return "created";
    case OrderOutcome::processing:
      return "processing";
    case OrderOutcome::failed:
      return "failed";
  }
  return "";
}

OrderVerdict verdict_of(const skald::v1::SagaAnswer& answer) {
  OrderVerdict verdict{.outcome = outcome_of(answer)};
  if (verdict.outcome == OrderOutcome::failed) add_reasons(answer, verdict);
  ::mall::sagas::CreateOrderReply reply;
  if (answer.has_output_proto() && reply.ParseFromString(answer.output_proto())) {
    verdict.pay_cents = reply.pay_cents();
  }
  return verdict;
}

OrderVerdict verdict_of(const skald::v1::Saga& saga) {
  OrderVerdict verdict{.outcome = outcome_of(saga)};
  if (verdict.outcome == OrderOutcome::failed) add_reasons(saga, verdict);
  return verdict;
}

std::optional<ShortSku> short_sku_of(std::string_view message) {
  if (message.find(" short ") == std::string_view::npos) return std::nullopt;
  const auto sku_id = number_after(message, "sku_id=");
  const auto available = number_after(message, "available=");
  const auto wanted = number_after(message, "wanted=");
  if (!sku_id || !available || !wanted) return std::nullopt;
  return ShortSku{*sku_id, *available, *wanted};
}

std::optional<std::int32_t> winner_status_of(std::string_view message) {
  const auto status = number_after(message, "status=");
  if (!status) return std::nullopt;
  return static_cast<std::int32_t>(*status);
}

}  // namespace skald::mall::order_front
