// The processes under test and what may be asked of them from outside: the mock mall, skaldd on a
// store of its own, and one sample of a load with everything that was used meanwhile.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "engine/net/http_client.h"
#include "tools/bench/child_process.h"
#include "tools/bench/load.h"
#include "tools/bench/machine.h"
#include "tools/bench/mock_mall.h"

namespace skald::bench {

struct BedOptions {
  std::string engine;    // path of skaldd
  std::string mall;      // path of mock_mall
  std::string folder;    // on the disk that is measured; data and logs are made in it
  int pipeline_max = 1;  // calls on one connection to the mall at once, which it allows
  std::vector<std::string> engine_flags;
};

/// From skaldd's /metrics.
struct EngineFigures {
  std::uint64_t commits = 0;  // synced writes
  std::uint64_t transitions = 0;
  std::uint64_t record_bytes = 0;
  std::uint64_t queries = 0;
  std::uint64_t calls = 0;
};

/// What one order asks for at least. Syncs: the longest chain of writes of which each must be
/// durable before the next can happen.
struct Causal {
  int syncs_completed = 0;
  int syncs_undone = 0;
};

/// What must be at rest in the mall afterwards.
enum class Trace : std::uint8_t {
  orders = 1,  // completed: stock locked, order, coupon and cart; undone: nothing
  branches,    // completed: `branches` of them
};

struct Subject {
  std::string system;  // "direct", "skald"
  std::string shape;
  std::unique_ptr<OrderTaker> taker;
  Trace trace = Trace::orders;
  int branches = 0;
  std::optional<Causal> causal;  // of durable systems
};

struct Sample {
  LoadResult load;
  double wall_s = 0;
  double engine_cpu_s = 0;
  double committer_cpu_s = 0;
  double mall_cpu_s = 0;
  double client_cpu_s = 0;
  std::uint64_t mall_calls = 0;
  EngineFigures engine;             // differences
  std::uint64_t written_bytes = 0;  // by the engine to write()
  std::optional<DiskUse> disk;
  std::uint64_t resident = 0;  // the engine's, at the end
};

class TestBed {
 public:
  [[nodiscard]] static Result<std::unique_ptr<TestBed>> start(BedOptions options);
  ~TestBed();
  TestBed(const TestBed&) = delete;
  TestBed& operator=(const TestBed&) = delete;

  /// Errors: failed_precondition: an order failed, stock at rest is wrong, or fewer writes were
  /// synced than orders need.
  [[nodiscard]] Result<Sample> measure(Subject& subject, const LoadPlan& plan);

  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] HttpEndpoint engine_endpoint() const;
  [[nodiscard]] HttpEndpoint mall_endpoint() const;
  [[nodiscard]] pid_t engine_pid() const { return engine_->pid(); }
  /// The next order numbers that nobody has used yet.
  [[nodiscard]] std::uint64_t take_numbers();
  [[nodiscard]] std::uint64_t run() const { return run_; }
  /// The body of a GET, or of a POST of protobuf where there is a `body`.
  [[nodiscard]] Result<std::string> ask(const HttpEndpoint& endpoint, std::string_view target,
                                        std::string body = {});
  [[nodiscard]] Result<EngineFigures> engine_figures();
  void stop_engine() { engine_.reset(); }
  /// Pre: stopped. On the store there is, with `more` flags.
  [[nodiscard]] Result<void> start_engine(const std::vector<std::string>& more = {});
  /// Waits until the engine does nothing any more (compaction), a few seconds at most.
  void wait_for_quiet();

 private:
  explicit TestBed(BedOptions options);
  [[nodiscard]] Result<MallFigures> mall_figures();

  BedOptions options_;
  boost::asio::io_context io_{1};
  std::uint64_t run_ = 0;
  std::uint64_t numbers_ = 0;
  std::optional<ChildProcess> mall_;
  std::optional<ChildProcess> engine_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace skald::bench
