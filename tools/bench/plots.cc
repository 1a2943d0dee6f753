#include "tools/bench/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

namespace skald::bench {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 420;
constexpr double kLeft = 76;
constexpr double kRight = 170;
constexpr double kTop = 44;
constexpr double kBottom = 52;
constexpr int kLines = 5;
constexpr std::array kColours{"#1f4e79", "#c0504d", "#4f8f4f", "#8064a2", "#d08f2c", "#3f9fb0"};

struct Scale {
  double low = 0;
  double high = 1;
  bool logarithmic = false;

  [[nodiscard]] double y(double value) const {
    const auto at = [this](double v) { return logarithmic ? std::log10(std::max(v, 1e-9)) : v; };
    const double share = (at(value) - at(low)) / (at(high) - at(low));
    return kHeight - kBottom - share * (kHeight - kTop - kBottom);
  }
};

Scale scale_of(const Chart& chart) {
  double least = std::numeric_limits<double>::max();
  double most = 0;
  for (const Series& series : chart.series) {
    for (const double value : series.values) {
      if (std::isnan(value)) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    for (const Spread& spread : series.spreads) most = std::max(most, spread.most);
  }
  if (most <= 0) return {};
  if (!chart.logarithmic) return {.low = 0, .high = most * 1.08};
  return {.low = std::pow(10, std::floor(std::log10(least))),
          .high = std::pow(10, std::ceil(std::log10(most))),
          .logarithmic = true};
}

std::string number(double value) {
  if (value >= 10'000) return fmt::format("{:.0f}k", value / 1e3);
  return fmt::format("{:.3g}", value);
}

void draw_grid(std::string& out, const Chart& chart, const Scale& scale) {
  const int lines = scale.logarithmic
                        ? static_cast<int>(std::lround(std::log10(scale.high / scale.low)))
                        : kLines;
  for (int i = 0; i <= lines; ++i) {
    const double value = scale.logarithmic ? scale.low * std::pow(10, i)
                                           : scale.low + (scale.high - scale.low) * i / lines;
    const double y = scale.y(value);
    fmt::format_to(std::back_inserter(out),
                   "<line x1='{}' y1='{:.1f}' x2='{}' y2='{:.1f}' stroke='#ddd'/>"
                   "<text x='{}' y='{:.1f}' text-anchor='end'>{}</text>\n",
                   kLeft, y, kWidth - kRight, y, kLeft - 8, y + 4, number(value));
  }
  fmt::format_to(std::back_inserter(out),
                 "<text x='{}' y='24' font-size='15' font-weight='bold'>{}</text>"
                 "<text x='{}' y='{}' text-anchor='middle'>{}</text>\n",
                 kLeft, chart.title, (kLeft + kWidth - kRight) / 2, kHeight - 12, chart.below);
}

double x_of(const Chart& chart, std::size_t index) {
  const double room = kWidth - kLeft - kRight;
  return kLeft +
         room * (static_cast<double>(index) + 0.5) / static_cast<double>(chart.labels.size());
}

void draw_series(std::string& out, const Chart& chart, const Scale& scale, std::size_t which) {
  const Series& series = chart.series[which];
  const char* colour = kColours.at(which % kColours.size());
  std::string points;
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (std::isnan(series.values[i])) continue;
    const double x = x_of(chart, i);
    const double y = scale.y(series.values[i]);
    fmt::format_to(std::back_inserter(points), "{:.1f},{:.1f} ", x, y);
    fmt::format_to(std::back_inserter(out),
                   "<circle cx='{:.1f}' cy='{:.1f}' r='3' fill='{}'><title>{}: {:.4g}</title>"
                   "</circle>\n",
                   x, y, colour, series.name, series.values[i]);
    if (i >= series.spreads.size()) continue;
    fmt::format_to(std::back_inserter(out),
                   "<line x1='{0:.1f}' y1='{1:.1f}' x2='{0:.1f}' y2='{2:.1f}' stroke='{3}'/>\n", x,
                   scale.y(series.spreads[i].least), scale.y(series.spreads[i].most), colour);
  }
  fmt::format_to(std::back_inserter(out),
                 "<polyline points='{}' fill='none' stroke='{}' stroke-width='2'/>"
                 "<text x='{}' y='{}' fill='{}'>{}</text>\n",
                 points, colour, kWidth - kRight + 12, kTop + 14 + 20 * static_cast<double>(which),
                 colour, series.name);
}

using ValueOf = double (*)(const Row&);
using SpreadOf = std::optional<Spread> (*)(const Row&);

/// A curve for each system and shape of the closed loop, over orders in flight.
Chart chart_of(std::string title, std::span<const Row> rows, int short_percent, ValueOf value,
               SpreadOf spread) {
  std::set<std::size_t> columns;
  std::vector<std::string> names;
  const auto taken = [&](const Row& row) {
    const bool order = row.shape == "eight_calls" || row.shape.starts_with("order_");
    return order && row.rate == 0 && row.short_percent == short_percent && !std::isnan(value(row));
  };
  const auto name_of = [](const Row& row) {
    return row.system == "direct" ? std::string("direct chain") : row.system + " " + row.shape;
  };
  for (const Row& row : rows) {
    if (!taken(row)) continue;
    columns.insert(row.in_flight);
    if (std::ranges::find(names, name_of(row)) == names.end()) names.push_back(name_of(row));
  }
  Chart chart{.title = std::move(title), .below = "orders in flight", .labels = {}, .series = {}};
  for (const std::size_t column : columns) chart.labels.push_back(fmt::to_string(column));
  for (const std::string& name : names) {
    Series& series = chart.series.emplace_back(Series{.name = name, .values = {}, .spreads = {}});
    for (const std::size_t column : columns) {
      const auto row = std::ranges::find_if(rows, [&](const Row& r) {
        return taken(r) && r.in_flight == column && name_of(r) == name;
      });
      const bool found = row != rows.end();
      series.values.push_back(found ? value(*row) : std::nan(""));
      if (const auto bars = found ? spread(*row) : std::nullopt) series.spreads.push_back(*bars);
    }
  }
  return chart;
}

std::optional<Spread> no_spread(const Row&) { return std::nullopt; }

}  // namespace

std::string svg(const Chart& chart) {
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' width='{0}' height='{1}' "
      "font-family='sans-serif' font-size='12'><rect width='{0}' height='{1}' fill='white'/>\n",
      kWidth, kHeight);
  const Scale scale = scale_of(chart);
  draw_grid(out, chart, scale);
  for (std::size_t i = 0; i < chart.labels.size(); ++i) {
    fmt::format_to(std::back_inserter(out),
                   "<text x='{:.1f}' y='{}' text-anchor='middle'>{}</text>\n", x_of(chart, i),
                   kHeight - kBottom + 18, chart.labels[i]);
  }
  for (std::size_t i = 0; i < chart.series.size(); ++i) draw_series(out, chart, scale, i);
  return out + "</svg>\n";
}

Result<std::vector<std::string>> write_plots(const std::string& folder, std::span<const Row> rows) {
  std::set<int> shares;
  for (const Row& row : rows) {
    if (row.shape == "eight_calls" && row.rate == 0) shares.insert(row.short_percent);
  }
  std::vector<std::string> files;
  for (const int share : shares) {
    const std::string suffix = fmt::format("{} % short", share);
    const auto rate = [](const Row& row) { return row.per_second.middle; };
    const auto rates = [](const Row& row) { return std::optional(row.per_second); };
    const auto ratio = [](const Row& row) { return row.ratio ? row.ratio->middle : std::nan(""); };
    const auto ratios = [](const Row& row) { return row.ratio; };
    const auto middle = [](const Row& row) { return row.latency.p50_ms; };
    const auto late = [](const Row& row) { return row.latency.p99_ms; };
    std::array<std::pair<std::string, Chart>, 4> charts{{
        {"orders", chart_of("Orders a second, " + suffix, rows, share, rate, rates)},
        {"ratio", chart_of("Ratio to the direct chain, " + suffix, rows, share, ratio, ratios)},
        {"p50", chart_of("Latency p50 in ms, " + suffix, rows, share, middle, no_spread)},
        {"p99", chart_of("Latency p99 in ms, " + suffix, rows, share, late, no_spread)},
    }};
    for (auto& [name, chart] : charts) {
      chart.logarithmic = name.starts_with("p");
      const std::string path = fmt::format("{}/{}_{}.svg", folder, name, share);
      std::ofstream file(path);
      if (!(file << svg(chart)).flush()) return fail(Errc::unavailable, "cannot write {}", path);
      files.push_back(path);
    }
  }
  return files;
}

}  // namespace skald::bench
