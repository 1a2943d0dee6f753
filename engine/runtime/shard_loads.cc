// What a shard wants from the store, read off its thread: keys, sagas, timers; and recovery, which
// hands it the open sagas page by page.
#include <boost/asio/post.hpp>
#include <utility>

#include "engine/runtime/saga_reader.h"
#include "engine/runtime/shard_driver.h"

namespace skald {
namespace {

constexpr std::size_t kRecoveryPage = 512;      // sagas listed at once
constexpr std::size_t kRecoveryLoadsMax = 128;  // loads out before the next page is listed
constexpr std::size_t kSagasPerLoad = 32;       // read by one thread of the pool in one go
constexpr std::chrono::seconds kRecoveryToldEvery{1};
constexpr double kPercent = 100;
constexpr std::size_t kTimersPage = 4'096;

}  // namespace

void ShardDriver::run_loads(std::vector<Load> wanted) {
  loads_ += wanted.size();
  std::vector<SagaId> sagas;
  for (Load& load : wanted) {
    if (const auto* saga = std::get_if<load::Saga>(&load)) {
      sagas.push_back(saga->id);
      if (sagas.size() == kSagasPerLoad) run_load(std::exchange(sagas, {}));
    } else if (auto* key = std::get_if<load::Key>(&load)) {
      run_load(std::move(*key));
    } else {
      run_load(std::move(std::get<load::Timers>(load)));
    }
  }
  if (!sagas.empty()) run_load(std::move(sagas));
}

void ShardDriver::run_load(load::Key load) {
  if (auto row = parts_.store.find_key_in_memory(load.key)) {
    loads_ -= 1;
    return post(input::KeyLoaded{.key = std::move(load.key), .row = std::move(*row)});
  }
  parts_.blocking.run([this, key = std::move(load.key)]() mutable {
    input::KeyLoaded loaded{.key = key, .row = parts_.store.find_key(key)};
    boost::asio::post(io_, [this, loaded = std::move(loaded)]() mutable {
      loads_ -= 1;
      post(std::move(loaded));
    });
  });
}

// Several by one thread of the pool: a hop there and back for each would cost more than the reads,
// when a thousand timers fall due at once or a hundred thousand sagas are taken up again.
void ShardDriver::run_load(std::vector<SagaId> sagas) {
  parts_.blocking.run([this, sagas = std::move(sagas)] {
    std::vector<input::SagaLoaded> loaded;
    loaded.reserve(sagas.size());
    for (const SagaId& id : sagas) loaded.push_back(load_saga(parts_.store, id));
    boost::asio::post(io_, [this, loaded = std::move(loaded)]() mutable {
      loads_ -= loaded.size();
      for (input::SagaLoaded& saga : loaded) {
        if (!saga.state) {
          parts_.log.error("saga cannot be loaded saga_id={} detail=\"{}\"", saga.id.text(),
                           saga.state.error().message);
        }
        post(std::move(saga));
      }
      if (page_wanted_ && loads_ < kRecoveryLoadsMax) recover_next_page();
    });
  });
}

void ShardDriver::run_load(load::Timers load) {
  parts_.blocking.run([this, until = load.until] {
    std::optional<TimerRow> after;
    for (;;) {
      auto rows = parts_.store.timers(parts_.range, until, after, kTimersPage);
      if (!rows) {
        parts_.log.error("timers cannot be read shard={} detail=\"{}\"", parts_.index,
                         rows.error().message);
        break;
      }
      if (rows->empty()) break;
      after = rows->back();
      input::TimersLoaded loaded;
      loaded.timers.reserve(rows->size());
      for (const TimerRow& row : *rows) loaded.timers.push_back({.due = row.due, .saga = row.id});
      post(std::move(loaded));
      if (rows->size() < kTimersPage) break;
    }
    boost::asio::post(io_, [this] { loads_ -= 1; });
  });
}

void ShardDriver::recover_next_page() {
  page_wanted_ = false;
  parts_.blocking.run([this, after = recovered_up_to_] {
    auto page = parts_.store.active(parts_.range, after, kRecoveryPage);
    boost::asio::post(io_, [this, page = std::move(page)]() mutable {
      if (!page) {
        parts_.log.error("open sagas cannot be listed shard={} detail=\"{}\"", parts_.index,
                         page.error().message);
        return;
      }
      recovered_page(std::move(*page));
    });
  });
}

void ShardDriver::recovered_page(std::vector<SagaId> page) {
  if (page.empty()) {
    tell_recovery(true);
    recovered_.store(true, std::memory_order_release);
    return;
  }
  recovered_up_to_ = page.back();
  recovered_count_ += page.size();
  if (std::chrono::steady_clock::now() - recovery_told_ >= kRecoveryToldEvery) {
    tell_recovery(false);
  }
  page_wanted_ = true;
  post(input::Recover{.sagas = std::move(page)});
  // The next page is listed when most of these are loaded; if all were in memory, at once.
  boost::asio::post(io_, [this] {
    boost::asio::post(io_, [this] {
      if (page_wanted_ && loads_ < kRecoveryLoadsMax) recover_next_page();
    });
  });
}

// How far: sagas come in the order of their ids, which are spread evenly over the shard's range.
void ShardDriver::tell_recovery(bool finished) {
  recovery_told_ = std::chrono::steady_clock::now();
  const std::chrono::duration<double> took = recovery_told_ - recovery_began_;
  const bool all = finished || !recovered_up_to_;
  const auto behind = all ? 1.0
                          : static_cast<double>(recovered_up_to_->placement - parts_.range.first) /
                                static_cast<double>(parts_.range.last - parts_.range.first);
  parts_.log.info("recovery {} shard={} sagas={} percent={:.0f} seconds={:.1f}",
                  finished ? "finished" : "goes on", parts_.index, recovered_count_,
                  behind * kPercent, took.count());
}

}  // namespace skald
