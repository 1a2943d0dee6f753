// Commits pairs of sagas to a RocksStore, for ever, and prints the number of each pair once it is
// acknowledged. Made to be killed: see rocks_store_crash_test.cc.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "engine/store/rocks_store.h"
#include "tests/conformance/store_world.h"

int main(int argc, char** argv) {
  using namespace skald;
  if (argc != 3) return 2;
  auto store = RocksStore::open({.directory = argv[1]});
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message.c_str());
    return 1;
  }
  conformance::ShardWriter writer(**store, 0);
  for (std::uint64_t number = std::strtoull(argv[2], nullptr, 10);; ++number) {
    conformance::Tale a(conformance::id(number, 1));
    conformance::Tale b(conformance::id(number, 2));
    std::vector<Transition> pair = {a.start(conformance::at(0)), b.start(conformance::at(0))};
    if (!writer.try_commit(std::move(pair))) return 1;
    const std::string line = std::to_string(number) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return 1;
  }
}
