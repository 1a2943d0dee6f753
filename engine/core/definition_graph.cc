// Graph of a definition's steps; see the header.
#include "engine/core/definition_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <string_view>
#include <unordered_map>

namespace skald {
namespace {

using Index = std::uint16_t;

/// Removes, from `alive`, every step all of whose `edges` lead to removed steps, until none is
/// left.
void trim(const StepEdges& edges, const StepEdges& reverse, std::vector<bool>& alive) {
  std::vector<std::size_t> open(edges.size(), 0);
  std::vector<Index> bare;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (!alive[i]) continue;
    open[i] = static_cast<std::size_t>(
        std::ranges::count_if(edges[i], [&](Index to) { return alive[to]; }));
    if (open[i] == 0) bare.push_back(static_cast<Index>(i));
  }
  while (!bare.empty()) {
    const Index step = bare.back();
    bare.pop_back();
    alive[step] = false;
    for (const Index from : reverse[step]) {
      if (alive[from] && --open[from] == 0) bare.push_back(from);
    }
  }
}

}  // namespace

std::string shown_name(std::string_view text) {
  std::string out(text.substr(0, kStepNameMax));
  std::ranges::replace_if(out, [](char c) { return c <= ' ' || c > '~'; }, '?');
  return out.empty() ? "(unnamed)" : out;
}

DefinitionGraph definition_graph(const Definition& definition, std::vector<std::string>* mistakes) {
  const std::size_t count = std::min(definition.steps.size(), kStepsMax);
  DefinitionGraph graph{.needs = StepEdges(count), .needed_by = StepEdges(count)};
  std::unordered_map<std::string_view, Index> by_name;
  for (std::size_t i = 0; i < count; ++i) {
    by_name.try_emplace(definition.steps[i].name, static_cast<Index>(i));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const StepDefinition& step = definition.steps[i];
    auto& needs = graph.needs[i];
    if (!step.after) {
      if (i > 0) needs.push_back(static_cast<Index>(i - 1));
      continue;
    }
    for (const std::string& name : *step.after) {
      const auto found = by_name.find(name);
      if (found == by_name.end()) {
        mistakes->push_back(fmt::format("step {}: after {}: no step has this name",
                                        shown_name(step.name), shown_name(name)));
      } else if (found->second == i) {
        mistakes->push_back(fmt::format("step {}: after itself", shown_name(step.name)));
      } else {
        needs.push_back(found->second);
      }
    }
    std::ranges::sort(needs);
    const auto repeats = std::ranges::unique(needs);
    if (!repeats.empty()) {
      mistakes->push_back(fmt::format("step {}: after names a step twice", shown_name(step.name)));
      needs.erase(repeats.begin(), repeats.end());
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (const Index need : graph.needs[i]) graph.needed_by[need].push_back(static_cast<Index>(i));
  }
  return graph;
}

std::vector<std::uint16_t> topological_order(const DefinitionGraph& graph) {
  std::vector<Index> order;
  std::vector<std::size_t> open(graph.needs.size());
  std::priority_queue<Index, std::vector<Index>, std::greater<>> next;
  for (std::size_t i = 0; i < open.size(); ++i) {
    open[i] = graph.needs[i].size();
    if (open[i] == 0) next.push(static_cast<Index>(i));
  }
  while (!next.empty()) {
    const Index step = next.top();
    next.pop();
    order.push_back(step);
    for (const Index follower : graph.needed_by[step]) {
      if (--open[follower] == 0) next.push(follower);
    }
  }
  return order;
}

std::vector<std::uint16_t> cyclic_steps(const DefinitionGraph& graph) {
  std::vector<bool> alive(graph.needs.size(), true);
  trim(graph.needs, graph.needed_by, alive);
  trim(graph.needed_by, graph.needs, alive);
  std::vector<Index> steps;
  for (std::size_t i = 0; i < alive.size(); ++i) {
    if (alive[i]) steps.push_back(static_cast<Index>(i));
  }
  return steps;
}

std::vector<bool> reachable(const StepEdges& edges, std::uint16_t from) {
  std::vector<bool> seen(edges.size(), false);
  std::vector<Index> open{from};
  while (!open.empty()) {
    const Index step = open.back();
    open.pop_back();
    for (const Index next : edges[step]) {
      if (seen[next]) continue;
      seen[next] = true;
      open.push_back(next);
    }
  }
  return seen;
}

}  // namespace skald
