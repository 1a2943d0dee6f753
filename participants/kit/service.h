// What makes a service: its name, its port, its methods and its seed. Programs are made of these
// (program.h); tests install them on a host without sockets.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/result.h"
#include "participants/kit/host.h"
#include "participants/kit/txn.h"

namespace skald::kit {

struct Service {
  std::string_view name;   // also its folder below --data
  std::uint16_t port = 0;  // by default
  /// Registers every method.
  void (*install)(Host& host) = nullptr;
  /// Puts this service's part of a seed file (JSON). Errors: invalid_argument, names the row.
  Result<void> (*seed)(Txn& txn, std::string_view seed_json) = nullptr;
};

}  // namespace skald::kit
