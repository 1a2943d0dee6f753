// Submissions by the batch: how a great many sagas come to be open. Each is acknowledged when it is
// durable, and its end is not awaited.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/base/result.h"
#include "engine/net/http_client.h"
#include "skald/v1/service.pb.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {

/// Fills in one submission by its number.
using FillSubmission = std::function<void(std::uint64_t number, v1::SubmitRequest&)>;

/// Thread: the bed's one. The engine must not be stopped while a batch is open.
class Batches {
 public:
  static constexpr std::uint64_t kBatch = 500;  // submissions
  static constexpr std::size_t kUsual = 8;

  Batches(TestBed& bed, FillSubmission fill, std::size_t at_once = kUsual);

  /// Sends `count` submissions more, a few batches at a time; returns at once.
  void add(std::uint64_t count);
  /// Until every one is acknowledged. Errors: failed_precondition, some were not.
  [[nodiscard]] Result<void> wait();
  [[nodiscard]] Result<void> add_and_wait(std::uint64_t count) {
    add(count);
    return wait();
  }

  [[nodiscard]] std::uint64_t added() const { return wanted_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  void next();
  void answered(const Exchange& exchange, std::uint64_t count);

  TestBed& bed_;
  FillSubmission fill_;
  const std::size_t at_once_;
  std::unique_ptr<HttpClient> client_;
  std::uint64_t wanted_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t failed_ = 0;
  std::string complaint_;  // the first
  std::size_t open_ = 0;
};

/// Of one step: waits for a signal that does not come.
void fill_waiting(std::uint64_t run, std::uint64_t number, v1::SubmitRequest& to);
/// Of two steps: waits `timer`, then makes a call to the mall's /branch/due.
void fill_timer(std::uint64_t run, std::uint64_t number, Millis timer, v1::SubmitRequest& to);
/// Of one step: a call to the mall's /branch/held, which may be long in answering.
void fill_held(std::uint64_t run, std::uint64_t number, v1::SubmitRequest& to);
/// An order of the definition `order_parallel`.
void fill_order(std::uint64_t run, std::uint64_t number, v1::SubmitRequest& to);

/// The number in an idempotency key of the above.
[[nodiscard]] std::uint64_t number_of_key(std::string_view key);

}  // namespace skald::bench
