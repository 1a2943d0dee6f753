// What a saga's answer means to somebody who ordered: created, still processing, or refused and
// why. Pure: answers of the engine in, values out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skald/v1/saga.pb.h"

namespace skald::mall::order_front {

enum class OrderOutcome : std::uint8_t { created = 1, processing, failed };

[[nodiscard]] std::string_view name(OrderOutcome outcome);

/// A SKU that the stock could not serve.
struct ShortSku {
  std::int64_t sku_id = 0;
  std::int64_t available = 0;
  std::int64_t wanted = 0;
  bool operator==(const ShortSku&) const = default;
};

struct OrderVerdict {
  OrderOutcome outcome = OrderOutcome::processing;
  std::optional<std::int64_t> pay_cents;  // when the saga has said so
  std::string leg;                        // when failed: where, and the participant's own words
  std::string code;
  std::string message;
  std::vector<ShortSku> short_skus;  // every one of them
};

/// Created from the moment the pivot is passed; failed from the moment the way back has begun (it
/// is never taken again); anything else is still processing.
[[nodiscard]] OrderVerdict verdict_of(const skald::v1::SagaAnswer& answer);
[[nodiscard]] OrderVerdict verdict_of(const skald::v1::Saga& saga);

/// Reads "sku_id=7 short available=1 wanted=3"; nothing if the message says something else.
[[nodiscard]] std::optional<ShortSku> short_sku_of(std::string_view message);

/// The number after the last "status=" of a refused compare-and-set.
[[nodiscard]] std::optional<std::int32_t> winner_status_of(std::string_view message);

}  // namespace skald::mall::order_front
