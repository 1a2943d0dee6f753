// What is ordered and how an order may end: the one thing that every system under test is asked
// for, so that their figures compare.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mall/sagas.pb.h"

namespace skald::bench {

inline constexpr int kSkusPerOrder = 3;
inline constexpr std::int64_t kSkusInStock = 1'024;      // SKU 1 and up
inline constexpr std::int64_t kSkuOutOfStock = 999'999;  // the third one of a short order
inline constexpr std::int64_t kPriceCents = 1'000;
inline constexpr std::int64_t kDiscountCents = 500;

/// One order of the run. Every order has a coupon.
struct Order {
  std::uint64_t number = 0;  // unique within a run
  bool is_short = false;     // its third SKU is out of stock: it must be undone
  int skus = kSkusPerOrder;
};

/// `number` is unique in one run, `run` tells runs on one store apart.
[[nodiscard]] std::string order_id(std::uint64_t run, const Order& order);
[[nodiscard]] ::mall::sagas::CreateOrderRequest order_request(const Order& order);

enum class Ending : std::uint8_t {
  completed = 1,
  undone,
  failed,   // neither: an error, a timeout; a run with one of these is not sound
  refused,  // for a limit (resource_exhausted)
};

/// Somebody who carries orders out. Thread: the load's one.
class OrderTaker {
 public:
  using Done = std::move_only_function<void(Ending)>;
  virtual ~OrderTaker() = default;
  /// Calls `done` once, not from inside place().
  virtual void place(const Order& order, Done done) = 0;
};

}  // namespace skald::bench
