#include "engine/transport/name_resolver.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <mutex>

namespace skald {
namespace {

constexpr Millis kLong{20'000};  // never reached by a test that passes

/// A lookup that answers when it is told to.
class Names {
 public:
  HostLookup lookup() {
    return [this](const std::string& host) -> Result<std::vector<IpAddress>> {
      std::unique_lock lock(mutex_);
      ++lookups;
      open_.wait_for(lock, kLong, [&] { return opened_; });
      if (host == "nowhere") return fail(Errc::unavailable, "name {} has no address", host);
      return std::vector{*IpAddress::parse("10.0.0.1")};
    };
  }
  void open() {
    const std::scoped_lock lock(mutex_);
    opened_ = true;
    open_.notify_all();
  }
  int lookups = 0;  // read when the pool has stopped, or between run_one()s

 private:
  std::mutex mutex_;
  std::condition_variable open_;
  bool opened_ = false;
};

struct World {
  Names names;
  boost::asio::io_context io{1};
  BlockingPool pool{1};
  std::optional<NameResolver> resolver{std::in_place, io, pool, names.lookup()};

  ~World() {
    names.open();
    resolver.reset();
    pool.stop();
  }
  /// Runs the loop until `fact`, which some handler brings about.
  template <class Fact>
  void until(Fact fact) {
    io.restart();
    auto work = boost::asio::make_work_guard(io);
    while (!fact() && io.run_one_for(kLong) > 0) {
    }
    ASSERT_TRUE(fact());
  }
};

TEST(NameResolver, SharesOneLookupAmongThoseWhoWait) {
  World world;
  int told = 0;
  for (int i = 0; i < 3; ++i) {
    world.resolver->resolve("a", kLong, [&](const auto& resolved) {
      ASSERT_TRUE(resolved.has_value());
      EXPECT_EQ(resolved->front().text(), "10.0.0.1");
      ++told;
    });
  }
  EXPECT_EQ(told, 0);
  world.names.open();
  world.until([&] { return told == 3; });
  EXPECT_EQ(world.names.lookups, 1);
}

TEST(NameResolver, RemembersAnswersAndRefusals) {
  World world;
  world.names.open();
  EXPECT_EQ(world.resolver->remembered("a"), nullptr);
  int told = 0;
  for (const std::string host : {"a", "nowhere"}) {
    world.resolver->resolve(host, kLong, [&](const auto&) { ++told; });
  }
  world.until([&] { return told == 2; });
  ASSERT_NE(world.resolver->remembered("a"), nullptr);
  EXPECT_TRUE(world.resolver->remembered("a")->has_value());
  ASSERT_NE(world.resolver->remembered("nowhere"), nullptr);
  EXPECT_EQ(world.resolver->remembered("nowhere")->error().code, Errc::unavailable);
}

TEST(NameResolver, ANameThatHangsTakesOneThreadHoweverOftenItIsAsked) {
  World world;
  int late = 0;
  for (int i = 0; i < 3; ++i) {
    world.resolver->resolve("a", Millis{1}, [&](const auto& resolved) {
      EXPECT_EQ(resolved.error().code, Errc::deadline_exceeded);
      ++late;
    });
    world.until([&] { return late == i + 1; });
  }
  world.names.open();
  world.until([&] { return world.resolver->remembered("a") != nullptr; });
  EXPECT_EQ(world.names.lookups, 1);
}

TEST(NameResolver, TellsThoseWhoWaitWhenItIsDestroyed) {
  World world;
  int told = 0;
  world.resolver->resolve("a", kLong, [&](const auto& resolved) {
    EXPECT_EQ(resolved.error().code, Errc::unavailable);
    ++told;
  });
  world.resolver.reset();
  EXPECT_EQ(told, 1);
}

TEST(SystemLookup, KnowsThisHost) {
  const auto addresses = system_lookup("localhost");
  ASSERT_TRUE(addresses.has_value());
  for (const IpAddress& address : *addresses) EXPECT_NE(guarded_range(address), nullptr);
  EXPECT_EQ(system_lookup("no such name").error().code, Errc::unavailable);
}

}  // namespace
}  // namespace skald
