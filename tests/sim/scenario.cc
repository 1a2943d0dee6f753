#include "tests/sim/scenario.h"

#include <fmt/ranges.h>

#include <charconv>
#include <sstream>

namespace skald::sim {
namespace {

template <class Number>
bool read_number(std::string_view word, Number& out) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc{} && end == word.data() + word.size();
}

bool read_numbers(std::istringstream& words, std::vector<std::uint32_t>& out) {
  std::string word;
  while (words >> word) {
    if (!read_number(word, out.emplace_back())) return false;
  }
  return true;
}

bool read_faults(std::istringstream& words, std::bitset<kFaults>& out) {
  std::string word;
  while (words >> word) {
    const auto fault = fault_of(word);
    if (!fault) return false;
    out.set(index_of(*fault));
  }
  return true;
}

bool read_line(const std::string& line, Scenario& out) {
  std::istringstream words(line);
  std::string field;
  words >> field;
  if (field == "seed") {
    std::string word;
    return words >> word && read_number(word, out.seed);
  }
  if (field == "without") return read_faults(words, out.without);
  if (field == "sagas") return read_numbers(words, out.sagas.emplace());
  if (field == "disturbances") return read_numbers(words, out.disturbances.emplace());
  return false;
}

}  // namespace

std::string text_of(const Scenario& scenario) {
  std::string out = fmt::format("seed {}\n", scenario.seed);
  if (scenario.without.any()) {
    out += "without";
    for (std::size_t i = 0; i < kFaults; ++i) {
      if (scenario.without[i]) out += fmt::format(" {}", name(static_cast<Fault>(i)));
    }
    out += '\n';
  }
  if (scenario.sagas) out += fmt::format("sagas {}\n", fmt::join(*scenario.sagas, " "));
  if (scenario.disturbances) {
    out += fmt::format("disturbances {}\n", fmt::join(*scenario.disturbances, " "));
  }
  return out;
}

Result<Scenario> parse_scenario(std::string_view text) {
  Scenario scenario;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (!read_line(line, scenario)) {
      return fail(Errc::invalid_argument, "not a line of a scenario: {}", line);
    }
  }
  return scenario;
}

std::string rule_of(const std::vector<std::string>& wrongs) {
  return wrongs.empty() ? "" : wrongs.front().substr(0, wrongs.front().find(' '));
}

}  // namespace skald::sim
