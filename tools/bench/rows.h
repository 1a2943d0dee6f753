// One line of the report: a system in a cell, made from its samples. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/bench/machine.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {

/// The median of the rounds, and the least and the most.
struct Spread {
  double middle = 0;
  double least = 0;
  double most = 0;
};
[[nodiscard]] Spread spread_of(const std::vector<double>& values);

struct Row {
  std::string shape;
  std::string system;
  double rate = 0;  // open loop: orders a second asked for; 0: closed loop
  std::size_t in_flight = 0;
  int short_percent = 0;
  std::uint64_t orders = 0;
  std::uint64_t undone = 0;
  std::uint64_t refused = 0;
  Spread per_second;
  std::optional<Spread> ratio;  // to the direct chain of the same round
  Quantiles latency;            // over all rounds
  double engine_cpu_us = 0;     // per order, as the next two
  double mall_cpu_us = 0;
  double client_cpu_us = 0;
  double mall_headroom = 0;  // how often over the mock could have done its part, on its one core
  // Of durable systems, per saga where nothing else is said.
  double committer_cpu_us = 0;  // per transition
  double resident_mb = 0;
  double record_bytes = 0;   // events as encoded
  double written_bytes = 0;  // handed to write()
  std::optional<double> device_bytes;
  std::optional<double> device_flushes;
  double syncs = 0;
  double transitions = 0;
  std::vector<std::pair<std::string, double>> more;  // what only this shape has
};

struct Cell {
  std::size_t in_flight = 1;
  double rate = 0;
  int short_percent = 0;
  int skus = kSkusPerOrder;
};

/// `samples` of one subject and `direct` of the same rounds (empty: nothing to compare with).
[[nodiscard]] Row make_row(const Subject& subject, const Cell& cell, std::vector<Sample>& samples,
                           std::span<const Sample> direct);

/// What stands above a report.
struct RunHead {
  Machine machine;
  std::string commit;
  std::string settings;
  std::string started;  // UTC
};

[[nodiscard]] std::string table_text(std::span<const Row> rows);
[[nodiscard]] std::string head_text(const RunHead& head);
[[nodiscard]] std::string json_text(const RunHead& head, std::span<const Row> rows);

}  // namespace skald::bench
