#include "tools/bench/mock_mall.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <iterator>
#include <numeric>
#include <utility>

#include "engine/base/hash.h"
#include "engine/wire/connect.h"
#include "mall/cart.pb.h"
#include "mall/inventory.pb.h"
#include "mall/product.pb.h"
#include "mall/promotion.pb.h"
#include "tools/bench/orders.h"

namespace skald::bench {
namespace {

// What is known of a leg.
constexpr std::uint8_t kActionDone = 1;
constexpr std::uint8_t kActionRefused = 2;
constexpr std::uint8_t kClosed = 4;  // a compensation has been here

constexpr std::string_view kSuccess = "\x08\x01";  // field 1, a bool: every mutating answer has it

HttpResponse proto(std::string body) {
  return {
      .status = 200, .headers = {{"Content-Type", "application/proto"}}, .body = std::move(body)};
}

HttpResponse refused(std::string message) {
  return wire::connect_error({Errc::failed_precondition, std::move(message)});
}

template <class Message>
Message parse(const HttpRequest& request) {
  Message message;
  message.ParseFromString(request.body);
  return message;
}

const HttpResponse& done() {
  static const HttpResponse response = proto(std::string(kSuccess));
  return response;
}

const HttpResponse& json_done() {
  static const HttpResponse response{
      .status = 200, .headers = {{"Content-Type", "application/json"}}, .body = "{}"};
  return response;
}

/// When a call came: by the wall clock, since whoever reads it is another process.
void note_arrival(const HttpRequest& request, std::string& to) {
  const std::string* saga = find_header(request.headers, "Skald-Saga-Id");
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  fmt::format_to(std::back_inserter(to), "{} {}\n", saga == nullptr ? "?" : *saga,
                 std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count());
}

using Named = std::pair<std::string_view, std::int64_t>;

std::array<Named, 8> named(const MallFigures& f) {
  return {{{"calls", static_cast<std::int64_t>(f.calls)},
           {"locked", f.locked},
           {"orders", f.orders},
           {"coupons", f.coupons},
           {"carts_cleared", f.carts_cleared},
           {"branches", f.branches},
           {"replays", static_cast<std::int64_t>(f.replays)},
           {"negative", static_cast<std::int64_t>(f.negative)}}};
}

}  // namespace

std::string text_of(const MallFigures& figures) {
  std::string out;
  for (const auto& [name, value] : named(figures)) out += fmt::format("{} {}\n", name, value);
  return out;
}

Result<MallFigures> parse_figures(std::string_view text) {
  std::array<std::int64_t, 8> values{};
  const auto names = named({});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string wanted = fmt::format("{} ", names.at(i).first);
    const std::size_t at = text.find(wanted);
    if (at == std::string_view::npos) {
      return fail(Errc::internal, "the mock's figures lack {}", names.at(i).first);
    }
    const char* begin = text.data() + at + wanted.size();
    std::from_chars(begin, text.data() + text.size(), values.at(i));
  }
  return MallFigures{.calls = static_cast<std::uint64_t>(values[0]),
                     .locked = values[1],
                     .orders = values[2],
                     .coupons = values[3],
                     .carts_cleared = values[4],
                     .branches = values[5],
                     .replays = static_cast<std::uint64_t>(values[6]),
                     .negative = static_cast<std::uint64_t>(values[7])};
}

MockMall::MockMall() : locked_(kSkusInStock + 1) { legs_.reserve(kLegsPerGeneration); }

MallFigures MockMall::figures() const {
  MallFigures figures = figures_;
  figures.locked = std::accumulate(locked_.begin(), locked_.end(), std::int64_t{0});
  for (const std::int64_t locked : locked_) figures.negative += locked < 0 ? 1 : 0;
  return figures;
}

std::uint8_t& MockMall::leg(const HttpRequest& request) {
  const std::string* saga = find_header(request.headers, "Skald-Saga-Id");
  const std::string* name = find_header(request.headers, "Skald-Leg");
  const std::uint64_t id = hash64(name == nullptr ? "" : *name, hash64(*saga));
  if (legs_.size() >= kLegsPerGeneration) {
    older_ = std::exchange(legs_, {});
    legs_.reserve(kLegsPerGeneration);
  }
  const auto [found, fresh] = legs_.try_emplace(id, std::uint8_t{0});
  if (fresh && !older_.empty()) {
    if (const auto old = older_.find(id); old != older_.end()) found->second = old->second;
  }
  return found->second;
}

template <class Effect>
HttpResponse MockMall::once(const HttpRequest& request, const HttpResponse& success,
                            Effect effect) {
  const std::string* operation = find_header(request.headers, "Skald-Operation");
  if (operation == nullptr) return effect() ? success : refused("out of stock");
  std::uint8_t& known = leg(request);
  if (*operation == "compensation") {
    if ((known & kClosed) != 0) {
      ++figures_.replays;
    } else if ((known & kActionDone) != 0) {
      static_cast<void>(effect());
    }
    known |= kClosed;
    return success;
  }
  if ((known & (kActionDone | kActionRefused | kClosed)) != 0) {
    ++figures_.replays;
    if ((known & kActionDone) != 0) return success;
    return refused((known & kClosed) != 0 ? "undone before it ran" : "out of stock");
  }
  const bool succeeded = effect();
  known |= succeeded ? kActionDone : kActionRefused;
  return succeeded ? success : refused("out of stock");
}

HttpResponse MockMall::cart(const HttpRequest& request) const {
  const auto asked = parse<cart::GetCartItemsRequest>(request);
  cart::GetCartItemsResponse out;
  for (const std::int64_t sku : asked.sku_ids()) {
    cart::CartItem& item = *out.add_items();
    item.set_sku_id(sku);
    item.set_product_id(10);
    item.set_product_name("mechanical keyboard");
    item.set_sku_specs("blue");
    item.set_quantity(1);
    item.set_price_cents(kPriceCents);
  }
  return proto(out.SerializeAsString());
}

HttpResponse MockMall::prices(const HttpRequest& request) const {
  const auto asked = parse<product::GetSkuPricesRequest>(request);
  product::GetSkuPricesResponse out;
  for (const std::int64_t sku : asked.sku_ids()) {
    product::SkuPrice& price = *out.add_prices();
    price.set_sku_id(sku);
    price.set_product_id(10);
    price.set_price_cents(kPriceCents);
    price.set_product_status(1);
  }
  return proto(out.SerializeAsString());
}

HttpResponse MockMall::discount(const HttpRequest& request) const {
  const auto asked = parse<promotion::CalculateDiscountRequest>(request);
  promotion::CalculateDiscountResponse out;
  out.set_valid(true);
  out.set_discount_cents(kDiscountCents);
  out.set_pay_cents(asked.total_cents() - kDiscountCents);
  return proto(out.SerializeAsString());
}

HttpResponse MockMall::stock(const HttpRequest& request, std::int64_t sign) {
  const auto asked = parse<inventory::DeductStockRequest>(request);
  return once(request, done(), [&] {
    if (asked.sku_id() < 1 || asked.sku_id() > kSkusInStock) return false;
    locked_[static_cast<std::size_t>(asked.sku_id())] += sign * asked.quantity();
    return true;
  });
}

HttpResponse MockMall::counted(const HttpRequest& request, const HttpResponse& success,
                               Change change) {
  return once(request, success, [&] {
    figures_.*change.counter += change.by;
    return true;
  });
}

HttpResponse MockMall::answer(const HttpRequest& request) {
  const std::string_view target = request.target;
  const std::string_view method = target.substr(target.rfind('/') + 1);
  if (method == "figures") return {.status = 200, .headers = {}, .body = text_of(figures())};
  if (method == "arrivals") {
    return {.status = 200, .headers = {}, .body = std::exchange(arrivals_, {})};
  }
  if (method == "due") note_arrival(request, arrivals_);
  ++figures_.calls;
  if (method == "DeductStock") return stock(request, 1);
  if (method == "RollbackStock") return stock(request, -1);
  if (method == "GetCartItems") return cart(request);
  if (method == "CalculateDiscount") return discount(request);
  if (method == "GetSkuPrices") return prices(request);
  if (method == "CreateOrder") {
    return counted(request, done(), {.counter = &MallFigures::orders, .by = 1});
  }
  if (method == "VoidOrder") {
    return counted(request, done(), {.counter = &MallFigures::orders, .by = -1});
  }
  if (method == "UseCoupon") {
    return counted(request, done(), {.counter = &MallFigures::coupons, .by = 1});
  }
  if (method == "ClearCartItems") {
    return counted(request, done(), {.counter = &MallFigures::carts_cleared, .by = 1});
  }
  if (method == "ChangeOrderStatus") {
    return once(request, done(), [] { return true; });
  }
  if (target.starts_with("/branch/")) {
    const std::int64_t by = method == "undo" ? -1 : 1;
    return counted(request, json_done(), {.counter = &MallFigures::branches, .by = by});
  }
  return {.status = 404, .headers = {}, .body = {}};
}

}  // namespace skald::bench
