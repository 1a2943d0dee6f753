// The composition root: every part of skaldd is made here and nowhere else, and taken down in the
// opposite order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/server/config.h"

namespace skald::server {

/// A running skaldd.
class Daemon {
 public:
  /// Opens the store, starts the engine with every shipped definition, and listens on every engine
  /// thread. Errors: the data directory is in use (names the holder), the address is taken, a
  /// configured participant or rule cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> start(const ServerConfig& config,
                                                             Logger log);
  virtual ~Daemon() = default;

  /// "127.0.0.1:7900", with the port that was chosen where 0 was asked for.
  [[nodiscard]] virtual std::string listen() const = 0;
  /// Answers what is under way, lets attempts in flight be recorded, stops. Blocks, at most twice
  /// the grace and a moment.
  virtual void drain() = 0;
};

}  // namespace skald::server
