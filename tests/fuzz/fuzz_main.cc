// One libFuzzer program for all targets; SKALD_FUZZ_TARGET names the one that is driven.
#include <cstdio>
#include <cstdlib>

#include "engine/wire/connect.h"
#include "tests/fuzz/targets.h"

namespace {

const skald::fuzz::Target* chosen() {
  skald::wire::keep_protobuf_quiet();
  const char* name = std::getenv("SKALD_FUZZ_TARGET");
  for (const auto& target : skald::fuzz::kTargets) {
    if (name != nullptr && target.name == name) return &target;
  }
  std::fputs("SKALD_FUZZ_TARGET names no target; tests/fuzz/targets.h lists them\n", stderr);
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const skald::fuzz::Target* const target = chosen();
  target->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
