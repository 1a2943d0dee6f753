// Amounts and their bounds; see the header.
#include "sagas/money.h"

#include <cmath>

namespace skald::sagas {
namespace {

constexpr double kCentsPerYuan = 100.0;
/// A double that stands for whole cents differs from them by no more than this after the
/// multiplication, within kAmountCentsMax.
constexpr double kCentTolerance = 1e-3;

}  // namespace

Result<std::int64_t> line_cents(std::int64_t price_cents, std::int32_t quantity) {
  if (quantity < 1) return fail(Errc::invalid_argument, "quantity must be at least 1");
  if (price_cents < 0) return fail(Errc::invalid_argument, "price must not be negative");
  if (price_cents > kAmountCentsMax / quantity) {
    return fail(Errc::out_of_range, "price times quantity exceeds {} cents", kAmountCentsMax);
  }
  return price_cents * quantity;
}

Result<std::int64_t> add_cents(std::int64_t sum, std::int64_t amount) {
  if (sum > kAmountCentsMax - amount) {
    return fail(Errc::out_of_range, "the total exceeds {} cents", kAmountCentsMax);
  }
  return sum + amount;
}

Result<std::int64_t> cents_of_yuan(double yuan) {
  const double cents = yuan * kCentsPerYuan;
  // Written so that NaN is refused too.
  if (!(cents >= 0.0 && cents <= static_cast<double>(kAmountCentsMax))) {
    return fail(Errc::invalid_argument, "amount is not between 0 and {} cents", kAmountCentsMax);
  }
  const double whole = std::round(cents);
  if (std::abs(cents - whole) > kCentTolerance) {
    return fail(Errc::invalid_argument, "amount has more than two decimals");
  }
  return static_cast<std::int64_t>(whole);
}

double yuan_of_cents(std::int64_t cents) { return static_cast<double>(cents) / kCentsPerYuan; }

}  // namespace skald::sagas
