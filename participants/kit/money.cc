#include "participants/kit/money.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace skald::kit {
namespace {

/// Room for the rounding of a short sum of products in binary; far below a third decimal.
constexpr double kNoise = 0x1p-49;

}  // namespace

Result<std::int64_t> cents_of(double amount, std::string_view field) {
  if (!std::isfinite(amount)) return fail(Errc::invalid_argument, "{} is not finite", field);
  if (amount < 0) return fail(Errc::invalid_argument, "{} is negative", field);
  const double cents = amount * 100;
  if (cents > static_cast<double>(kCentsMax)) {
    return fail(Errc::invalid_argument, "{} is larger than {} cents", field, kCentsMax);
  }
  const double whole = std::round(cents);
  if (std::abs(cents - whole) > std::max(cents, 1.0) * kNoise) {
    return fail(Errc::invalid_argument, "{} has more than two decimals", field);
  }
  return static_cast<std::int64_t>(whole);
}

double amount_of(std::int64_t cents) {
  SKALD_CHECK(cents <= kCentsMax && cents >= -kCentsMax, "cents={}", cents);
  return static_cast<double>(cents) / 100;
}

Result<std::int64_t> line_cents(std::int64_t price_cents, std::int64_t quantity,
                                std::string_view field) {
  if (price_cents < 0) return fail(Errc::invalid_argument, "{} price is negative", field);
  if (quantity <= 0) return fail(Errc::invalid_argument, "{} quantity must be positive", field);
  std::int64_t product = 0;
  if (__builtin_mul_overflow(price_cents, quantity, &product) || product > kCentsMax) {
    return fail(Errc::invalid_argument, "{} amounts to more than {} cents", field, kCentsMax);
  }
  return product;
}

}  // namespace skald::kit
