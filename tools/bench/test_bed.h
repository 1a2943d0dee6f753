// The processes under test and what may be asked of them from outside: the mock mall, skaldd on a
// store of its own, and one sample of a load with everything that was used meanwhile.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
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
  std::uint64_t completed = 0;  // sagas, as the store has them: durable
  // These are not sums but what is just now.
  std::uint64_t in_memory = 0;   // sagas
  std::uint64_t calls_out = 0;   // not answered yet, all participants
  std::uint64_t calls_wait = 0;  // for room at their participant
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
  [[nodiscard]] Result<MallFigures> mall_figures();
  /// Another one with its own processes and store: in a folder within this one's, the store gone
  /// with it, or in any folder, the store kept.
  [[nodiscard]] Result<std::unique_ptr<TestBed>> beside(std::string_view name,
                                                        std::vector<std::string> more_flags = {});
  [[nodiscard]] Result<std::unique_ptr<TestBed>> in_folder(
      std::string folder, std::vector<std::string> more_flags = {});
  [[nodiscard]] std::string store_folder() const { return options_.folder + "/store"; }
  [[nodiscard]] std::string engine_log() const { return options_.folder + "/skaldd.log"; }
  void stop_engine() { engine_.reset(); }
  /// kill -9
  void crash_engine() {
    engine_->kill();
    engine_.reset();
  }
  /// Pre: stopped. On the store there is, with `more` flags.
  [[nodiscard]] Result<void> start_engine(const std::vector<std::string>& more = {});
  /// Waits until the engine does nothing any more (compaction), a few seconds at most.
  void wait_for_quiet();
  /// The same for long: until it has done nothing for a second.
  void wait_for_rest(std::chrono::duration<double> limit);
  /// Lets time pass.
  void pass(std::chrono::duration<double> time);
  /// Seconds from `begin` until the engine answers `target` with 200; as far as that goes.
  [[nodiscard]] double seconds_until(std::string_view target,
                                     std::chrono::steady_clock::time_point begin);
  /// Polls the engine's figures until `done` says so. Errors: deadline_exceeded, those of a figure.
  [[nodiscard]] Result<EngineFigures> watch(const std::function<bool(const EngineFigures&)>& done,
                                            std::chrono::duration<double> limit);

 private:
  explicit TestBed(BedOptions options);
  void wait_for_windows(int quiet, std::chrono::duration<double> limit);

  BedOptions options_;
  bool removes_store_ = false;
  boost::asio::io_context io_{1};
  std::uint64_t run_ = 0;
  std::uint64_t numbers_ = 0;
  std::optional<ChildProcess> mall_;
  std::optional<ChildProcess> engine_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace skald::bench
