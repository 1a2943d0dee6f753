#include "tools/bench/load.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kRestLimit{90};  // for what is still open at the end
constexpr Millis kArrivalTick{1};  // open loop: how often it is seen who is due
constexpr int kShortOf = 100;

class Load {
 public:
  Load(boost::asio::io_context& io, OrderTaker& taker, const LoadPlan& plan)
      : taker_(taker), plan_(plan), timer_(io), next_number_(plan.first_number) {}

  void start() {
    begin_ = SteadyClock::now();
    count_from_ = begin_ + std::chrono::duration_cast<SteadyClock::duration>(plan_.warm);
    end_ = count_from_ + std::chrono::duration_cast<SteadyClock::duration>(plan_.measured);
    if (plan_.per_second > 0) return arrive();
    for (std::size_t i = 0; i < plan_.in_flight; ++i) place(SteadyClock::now());
  }
  [[nodiscard]] bool at_rest() const {
    return open_ == 0 && !arriving_ && SteadyClock::now() >= end_;
  }
  [[nodiscard]] std::size_t open() const { return open_; }

  LoadResult result() {
    result_.per_second = static_cast<double>(counted_) / plan_.measured.count();
    return std::move(result_);
  }

 private:
  void place(SteadyClock::time_point intended) {
    const std::uint64_t number = next_number_++;
    const Order order{.number = number,
                      .is_short = static_cast<int>(number * 37 % kShortOf) < plan_.short_percent,
                      .skus = plan_.skus};
    ++result_.placed;
    ++open_;
    taker_.place(order, [this, intended](Ending ending) { ended(ending, intended); });
  }

  void ended(Ending ending, SteadyClock::time_point intended) {
    const auto now = SteadyClock::now();
    --open_;
    const bool well = ending == Ending::completed || ending == Ending::undone;
    result_.completed += ending == Ending::completed ? 1 : 0;
    result_.undone += ending == Ending::undone ? 1 : 0;
    result_.failed += ending == Ending::failed ? 1 : 0;
    result_.refused += ending == Ending::refused ? 1 : 0;
    const bool open_loop = plan_.per_second > 0;
    // The open loop counts what was due in the measured time, however late it ended.
    const auto at = open_loop ? intended : now;
    if (well && at >= count_from_ && at < end_) {
      ++counted_;
      result_.latencies.add(now - intended);
    }
    if (!open_loop && now < end_) place(now);
  }

  void arrive() {
    const auto now = SteadyClock::now();
    arriving_ = now < end_;
    while (arriving_ && open_ < plan_.in_flight) {
      const auto due = begin_ + std::chrono::duration_cast<SteadyClock::duration>(
                                    Seconds(static_cast<double>(arrived_) / plan_.per_second));
      if (due > now || due >= end_) break;
      ++arrived_;
      place(due);
    }
    if (!arriving_) return;
    timer_.expires_after(kArrivalTick);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) arrive();
    });
  }

  OrderTaker& taker_;
  const LoadPlan plan_;
  boost::asio::steady_timer timer_;
  std::uint64_t next_number_;
  SteadyClock::time_point begin_;
  SteadyClock::time_point count_from_;
  SteadyClock::time_point end_;
  std::size_t open_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t counted_ = 0;
  bool arriving_ = false;
  LoadResult result_;
};

}  // namespace

bool run_until(boost::asio::io_context& io, const std::function<bool()>& done, Seconds limit) {
  const auto until = SteadyClock::now() + limit;
  io.restart();
  while (!done()) {
    if (SteadyClock::now() >= until) return false;
    io.run_one_for(Millis{20});
    if (io.stopped()) io.restart();
  }
  return true;
}

Result<LoadResult> run_load(boost::asio::io_context& io, OrderTaker& taker, const LoadPlan& plan) {
  // Kept alive beyond an error: late answers still call it.
  auto load = std::make_unique<Load>(io, taker, plan);
  load->start();
  if (!run_until(io, [&load] { return load->at_rest(); }, plan.warm + plan.measured + kRestLimit)) {
    const std::size_t open = load.release()->open();
    return fail(Errc::deadline_exceeded, "{} orders have not ended after {} s", open,
                kRestLimit.count());
  }
  return load->result();
}

}  // namespace skald::bench
