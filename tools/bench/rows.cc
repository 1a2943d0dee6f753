#include "tools/bench/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

namespace skald::bench {
namespace {

constexpr double kMicros = 1e6;

struct Totals {
  double orders = 0;
  double wall_s = 0;
  double engine_cpu_s = 0;
  double committer_cpu_s = 0;
  double mall_cpu_s = 0;
  double client_cpu_s = 0;
  EngineFigures engine;
  double written_bytes = 0;
  DiskUse disk;
  bool disk_known = true;
};

Totals totals_of(std::span<const Sample> samples) {
  Totals t;
  for (const Sample& s : samples) {
    t.orders += static_cast<double>(s.load.placed);
    t.wall_s += s.wall_s;
    t.engine_cpu_s += s.engine_cpu_s;
    t.committer_cpu_s += s.committer_cpu_s;
    t.mall_cpu_s += s.mall_cpu_s;
    t.client_cpu_s += s.client_cpu_s;
    t.engine.commits += s.engine.commits;
    t.engine.transitions += s.engine.transitions;
    t.engine.record_bytes += s.engine.record_bytes;
    t.written_bytes += static_cast<double>(s.written_bytes);
    t.disk_known = t.disk_known && s.disk.has_value();
    if (!s.disk) continue;
    t.disk.written_bytes += s.disk->written_bytes;
    t.disk.flushes += s.disk->flushes;
  }
  return t;
}

void fill_durable(Row& row, const Totals& t) {
  const auto per_order = [&](auto value) { return static_cast<double>(value) / t.orders; };
  if (t.engine.transitions > 0) {
    row.committer_cpu_us = t.committer_cpu_s * kMicros / static_cast<double>(t.engine.transitions);
  }
  row.record_bytes = per_order(t.engine.record_bytes);
  row.written_bytes = per_order(t.written_bytes);
  row.syncs = per_order(t.engine.commits);
  row.transitions = per_order(t.engine.transitions);
  if (!t.disk_known) return;
  row.device_bytes = per_order(t.disk.written_bytes);
  row.device_flushes = per_order(t.disk.flushes);
}

boost::json::object json_of(const Row& row) {
  boost::json::object out{{"shape", row.shape},
                          {"system", row.system},
                          {"loop", row.rate > 0 ? "open" : "closed"},
                          {"rate", row.rate},
                          {"in_flight", row.in_flight},
                          {"short_percent", row.short_percent},
                          {"orders", row.orders},
                          {"undone", row.undone},
                          {"orders_per_s", row.per_second.middle},
                          {"orders_per_s_min", row.per_second.least},
                          {"orders_per_s_max", row.per_second.most},
                          {"p50_ms", row.latency.p50_ms},
                          {"p95_ms", row.latency.p95_ms},
                          {"p99_ms", row.latency.p99_ms},
                          {"p999_ms", row.latency.p999_ms},
                          {"engine_cpu_us", row.engine_cpu_us},
                          {"mall_cpu_us", row.mall_cpu_us},
                          {"client_cpu_us", row.client_cpu_us},
                          {"mall_headroom", row.mall_headroom}};
  if (row.ratio) {
    out["ratio"] = row.ratio->middle;
    out["ratio_min"] = row.ratio->least;
    out["ratio_max"] = row.ratio->most;
  }
  if (row.system != "direct") {
    out["committer_cpu_us_per_transition"] = row.committer_cpu_us;
    out["resident_mb"] = row.resident_mb;
    out["record_bytes_per_saga"] = row.record_bytes;
    out["written_bytes_per_saga"] = row.written_bytes;
    out["syncs_per_saga"] = row.syncs;
    out["transitions_per_saga"] = row.transitions;
    if (row.device_bytes) out["device_bytes_per_saga"] = *row.device_bytes;
    if (row.device_flushes) out["device_flushes_per_saga"] = *row.device_flushes;
  }
  for (const auto& [name, value] : row.more) out[name] = value;
  return out;
}

std::string ratio_text(const Row& row) {
  if (!row.ratio) return "";
  return fmt::format("{:.3f} ({:.2f}-{:.2f})", row.ratio->middle, row.ratio->least,
                     row.ratio->most);
}

std::string saga_text(const Row& row) {
  if (row.system == "direct") return "";
  return fmt::format("{:>6.0f} {:>6.2f} {:>6} {:>6.0f} {:>5.1f} {:>5.1f}", row.resident_mb,
                     row.syncs,
                     row.device_bytes ? fmt::format("{:.1f}", *row.device_bytes / 1e3) : "?",
                     row.written_bytes, row.transitions, row.committer_cpu_us);
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  return {.middle = median(values),
          .least = std::ranges::min(values),
          .most = std::ranges::max(values)};
}

Row make_row(const Subject& subject, const Cell& cell, std::vector<Sample>& samples,
             std::span<const Sample> direct) {
  Row row{.shape = subject.shape,
          .system = subject.system,
          .rate = cell.rate,
          .in_flight = cell.in_flight,
          .short_percent = cell.short_percent};
  Latencies all;
  std::vector<double> rates;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const LoadResult& load = samples[i].load;
    row.orders += load.placed;
    row.undone += load.undone;
    row.refused += load.refused;
    rates.push_back(load.per_second);
    if (i < direct.size()) ratios.push_back(load.per_second / direct[i].load.per_second);
    all.add(load.latencies);
    row.resident_mb = std::max(row.resident_mb, static_cast<double>(samples[i].resident) / 1e6);
  }
  row.per_second = spread_of(rates);
  if (!ratios.empty()) row.ratio = spread_of(ratios);
  row.latency = all.quantiles();
  const Totals t = totals_of(samples);
  row.engine_cpu_us = t.engine_cpu_s / t.orders * kMicros;
  row.mall_cpu_us = t.mall_cpu_s / t.orders * kMicros;
  row.client_cpu_us = t.client_cpu_s / t.orders * kMicros;
  row.mall_headroom = t.mall_cpu_s > 0 ? t.wall_s / t.mall_cpu_s : 0;
  if (subject.causal) fill_durable(row, t);
  return row;
}

std::string table_text(std::span<const Row> rows) {
  std::string out = fmt::format(
      "{:<15}{:<7}{:>9} {:>5} {:>9}  {:<19}{:>8} {:>8} {:>8} {:>8}  {:>6} {:>5} {:>6} {:>5}  "
      "{:>6} {:>6} {:>6} {:>6} {:>5} {:>5}\n",
      "shape", "system", "in flight", "short", "orders/s", "ratio (least-most)", "p50 ms", "p95",
      "p99", "p99.9", "engine", "mall", "client", "head", "RSS MB", "syncs", "dev KB", "log B",
      "trans", "us/tr");
  for (const Row& row : rows) {
    const std::string load =
        row.rate > 0 ? fmt::format("{:.0f}/s", row.rate) : fmt::to_string(row.in_flight);
    fmt::format_to(
        std::back_inserter(out),
        "{:<15}{:<7}{:>9} {:>4}% {:>9.0f}  {:<19}{:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f}  {:>6.0f} "
        "{:>5.0f} {:>6.0f} {:>5.1f}  {}\n",
        row.shape, row.system, load, row.short_percent, row.per_second.middle, ratio_text(row),
        row.latency.p50_ms, row.latency.p95_ms, row.latency.p99_ms, row.latency.p999_ms,
        row.engine_cpu_us, row.mall_cpu_us, row.client_cpu_us, row.mall_headroom, saga_text(row));
    for (const auto& [name, value] : row.more) {
      fmt::format_to(std::back_inserter(out), "{:>22} {:<32} {:.6g}\n", "", name, value);
    }
  }
  out +=
      "engine, mall, client: us of processor per order; head: the mock's headroom; syncs, dev KB "
      "(device),\nlog B (handed to write), trans(itions): per saga; us/tr: committer per "
      "transition\n";
  return out;
}

std::string head_text(const RunHead& head) {
  const Machine& m = head.machine;
  return fmt::format("{} · commit {} · {} cores of {}, {:.0f} GB, Linux {}, {} on {}\n{}\n",
                     head.started, head.commit, m.cores, m.processor, m.memory_gb, m.kernel,
                     m.file_system, m.disk.empty() ? "an unknown device" : m.disk, head.settings);
}

std::string json_text(const RunHead& head, std::span<const Row> rows) {
  boost::json::array list;
  for (const Row& row : rows) list.push_back(json_of(row));
  const Machine& m = head.machine;
  boost::json::object out{{"started", head.started},
                          {"commit", head.commit},
                          {"settings", head.settings},
                          {"machine", boost::json::object{{"processor", m.processor},
                                                          {"cores", m.cores},
                                                          {"memory_gb", m.memory_gb},
                                                          {"kernel", m.kernel},
                                                          {"disk", m.disk},
                                                          {"file_system", m.file_system}}},
                          {"rows", std::move(list)}};
  return boost::json::serialize(out) + "\n";
}

}  // namespace skald::bench
