// The order front in a program: its flags, its rows, its connections.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "participants/kit/program.h"
#include "participants/order_front/front.h"
#include "participants/order_front/snowflake.h"

namespace CLI {
class App;
}

namespace skald::mall::order_front {

inline constexpr std::uint16_t kPort = 8807;

struct FrontFlags {
  std::string engine;                     // HOST:PORT or http://HOST:PORT of skaldd
  std::string orders = "127.0.0.1:9906";  // likewise of the order service
  std::uint32_t patience_ms = 3'000;
  FrontOptions front;
};

/// --engine, --orders, --definition, --cancel-definition, --worker, --patience-ms.
/// `flags` is filled by the app's parse and outlives it.
void add_front_flags(CLI::App& app, FrontFlags& flags);

/// A front that is served by a program. Destroyed before the program.
class ServedFront {
 public:
  /// Errors: invalid_argument, an address that is no IP address and port; those of Program::open.
  [[nodiscard]] static Result<std::unique_ptr<ServedFront>> open(kit::Program& program,
                                                                 const FrontFlags& flags);
  virtual ~ServedFront() = default;
};

/// "127.0.0.1:7900", "http://127.0.0.1:7900", "localhost:7900", "[::1]:7900".
/// Errors: invalid_argument naming the text.
[[nodiscard]] Result<HttpEndpoint> parse_endpoint(std::string_view text);

}  // namespace skald::mall::order_front
