// Programs of participants: rows on disk, sockets and signals around one or several services (and
// whatever else a program serves). No request is understood here; flags are in flags.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/net/http_server.h"
#include "participants/kit/host.h"
#include "participants/kit/service.h"

namespace skald::kit {

struct ProgramOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;        // of a program with one service; 0: the service's own
  std::uint16_t port_shift = 0;  // added to every service's own port
  std::string data = "data";     // rows of service X are in data/X
  std::string seed;              // JSON file, put once into rows that were never seeded
  KeysMode keys = KeysMode::barrier;
  std::chrono::hours key_lifetime{24 * 30};  // a leg that was idle for longer is forgotten
  Millis drain_grace{5'000};
};

/// Thread: open() and run() on one thread, the io_context's.
class Program {
 public:
  Program(ProgramOptions options, Logger log);
  /// Finishes what was accepted.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Opens the service's rows, seeds them if they are new, listens.
  /// Errors: unavailable or invalid_argument, naming folder, file or address.
  [[nodiscard]] Result<void> open(const Service& service);

  /// Something that is no Service: served at its port, told when draining begins.
  struct Guest {
    std::string_view name;
    std::uint16_t port = 0;
    HttpHandler handler;
    std::function<void()> retire;
    HttpRefusal refusal = nullptr;  // see HttpServerOptions
  };
  [[nodiscard]] Result<void> open(Guest guest);

  [[nodiscard]] boost::asio::io_context& io();
  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] const ProgramOptions& options() const;
  /// Where rows of `name` live; the folder exists afterwards.
  [[nodiscard]] std::string folder(std::string_view name) const;

  /// Serves until SIGTERM or SIGINT, then drains: ends readiness, answers what has come.
  void run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Puts the seed for `service`, unless its rows were seeded before.
/// Errors: the seed's and the store's.
[[nodiscard]] Result<void> seed_once(TxnRunner& runner, const Service& service,
                                     const std::string& json);

}  // namespace skald::kit
