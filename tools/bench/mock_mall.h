// The mall's services as a benchmark needs them: the wire contract, stock that is counted and the
// barrier's promises, all in memory and in one process, so that no participant is the bottleneck.
// The real services are in participants/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/net/http_message.h"

namespace skald::bench {

/// What is at rest, and what was asked. Read by the load as one line of `name value` pairs.
struct MallFigures {
  std::uint64_t calls = 0;
  std::int64_t locked = 0;  // units taken from stock and not given back, over all SKUs
  std::int64_t orders = 0;  // written and not voided
  std::int64_t coupons = 0;
  std::int64_t carts_cleared = 0;
  std::int64_t branches = 0;   // plain HTTP branches, less those undone
  std::uint64_t replays = 0;   // keys seen before
  std::uint64_t negative = 0;  // given back what was never taken
};

[[nodiscard]] std::string text_of(const MallFigures& figures);
[[nodiscard]] Result<MallFigures> parse_figures(std::string_view text);

/// Thread: one.
class MockMall {
 public:
  MockMall();
  /// The mall's procedures by the Connect protocol in protobuf, /branch/NAME in plain JSON, and
  /// GET /figures. /branch/due notes when it was called: GET /arrivals has, once, a line of saga id
  /// and microseconds since 1970 for each call.
  [[nodiscard]] HttpResponse answer(const HttpRequest& request);
  [[nodiscard]] MallFigures figures() const;

 private:
  enum class Verdict : std::uint8_t { done, refused, closed };
  struct Change {
    std::int64_t MallFigures::* counter;
    std::int64_t by;
  };

  /// The barrier: runs `effect` unless the request's leg says that it has been, or must not be.
  template <class Effect>
  HttpResponse once(const HttpRequest& request, const HttpResponse& success, Effect effect);
  HttpResponse cart(const HttpRequest& request) const;
  HttpResponse prices(const HttpRequest& request) const;
  HttpResponse discount(const HttpRequest& request) const;
  HttpResponse stock(const HttpRequest& request, std::int64_t sign);
  HttpResponse counted(const HttpRequest& request, const HttpResponse& success, Change change);

  /// What happened to legs, for as long as a retry may come: two generations, the older dropped.
  static constexpr std::size_t kLegsPerGeneration = 1'000'000;
  using Legs = std::unordered_map<std::uint64_t, std::uint8_t>;
  std::uint8_t& leg(const HttpRequest& request);
  Legs legs_;
  Legs older_;
  std::vector<std::int64_t> locked_;  // by SKU
  std::string arrivals_;
  MallFigures figures_;
};

}  // namespace skald::bench
