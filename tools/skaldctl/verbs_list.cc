// Verbs that find sagas: list, stuck.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

#include "skald/v1/service.pb.h"
#include "tools/skaldctl/saga_text.h"
#include "tools/skaldctl/stuck_text.h"
#include "tools/skaldctl/verbs.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

std::int64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

bool is_for_people(Format format) { return format == Format::table || format == Format::wide; }
/// Each line stands alone, so that pages are printed as they come.
bool is_line_by_line(Format format) { return format == Format::jsonl || format == Format::name; }

void print_page(const Session& session, const v1::ListResponse& page) {
  print_list(
      session, page, page.sagas(), [](const auto& saga) { return saga.saga_id(); },
      [&](bool wide) { return list_text(session.terminal, page, wall_ms(), wide); });
}

std::string duration_term(Millis duration) { return fmt::format("{}ms", duration.count()); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

constexpr std::string_view kWaiting = "waiting";  // shown like a status: running, and held

/// A status may be given in the words of the list's column.
Result<std::string> status_term(const std::vector<std::string>& words) {
  std::vector<std::string> statuses;
  bool waiting = false;
  for (const std::string& word : words) {
    v1::SagaStatus::Value status = v1::SagaStatus::unspecified;
    if (word == kWaiting) {
      waiting = true;
    } else if (v1::SagaStatus::Value_Parse(word, &status) &&
               status != v1::SagaStatus::unspecified) {
      statuses.push_back(word);
    } else {
      return fail(Errc::invalid_argument, "--status \"{}\": one of {}", word, kStatusWords);
    }
  }
  std::string term;
  if (!statuses.empty()) term = fmt::format("status in ({})", fmt::join(statuses, ", "));
  if (!waiting) return term;
  const std::string held = "(status = running and waiting = true)";
  return term.empty() ? held : fmt::format("({} or {})", term, held);
}

/// The flags and the filter, as one filter.
Result<std::string> whole_filter(const ListArguments& arguments) {
  std::vector<std::string> terms;
  auto status = status_term(arguments.statuses);
  if (!status) return status;
  if (!status->empty()) terms.push_back(std::move(*status));
  if (!arguments.definition.empty()) {
    terms.push_back("definition = " + quoted(arguments.definition));
  }
  if (!arguments.business_key.empty()) {
    terms.push_back("business_key = " + quoted(arguments.business_key));
  }
  if (!arguments.since.empty()) {
    const auto since = read_duration(arguments.since);
    if (!since) return std::unexpected(since.error());
    terms.push_back("age <= " + duration_term(*since));
  }
  if (!arguments.older_than.empty()) {
    const auto older = read_duration(arguments.older_than);
    if (!older) return std::unexpected(older.error());
    terms.push_back("age > " + duration_term(*older));
  }
  if (terms.empty()) return arguments.filter;
  if (!arguments.filter.empty()) terms.push_back("(" + arguments.filter + ")");
  return fmt::format("{}", fmt::join(terms, " and "));
}

Exit count(Session& session, const ListArguments& arguments) {
  v1::CountRequest request;
  const auto filter = whole_filter(arguments);
  if (!filter) return session.fail(filter.error());
  request.set_filter(*filter);
  v1::CountResponse sum;
  do {
    v1::CountResponse page;
    const Exit called = session.call("/skald.v1.SagaService/Count", request, page);
    if (called != Exit::ok) return called;
    sum.set_count(sum.count() + page.count());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  session.terminal.out(is_for_programs(session.format) ? print_message(session.format, sum)
                                                       : fmt::format("{}\n", sum.count()));
  return Exit::ok;
}

}  // namespace

Result<v1::ListRequest> list_request(const ListArguments& arguments) {
  v1::ListRequest request;
  auto filter = whole_filter(arguments);
  if (!filter) return std::unexpected(filter.error());
  request.set_filter(std::move(*filter));
  v1::ListOrder::Value order = v1::ListOrder::unspecified;
  if (!arguments.sort.empty() && !v1::ListOrder::Value_Parse(arguments.sort, &order)) {
    return fail(Errc::invalid_argument, "--sort \"{}\": one of newest, oldest, longest_stuck",
                arguments.sort);
  }
  request.set_order(order);
  return request;
}

Exit list(Session& session, const ListArguments& arguments) {
  if (arguments.count) return count(session, arguments);
  auto request = list_request(arguments);
  if (!request) return session.fail(request.error());
  v1::ListResponse all;
  std::uint32_t found = 0;
  do {
    v1::ListResponse page;
    // A page may be shorter than what was asked for: the server bounds its search.
    request->set_limit(arguments.all ? arguments.limit : arguments.limit - found);
    const Exit called = session.call("/skald.v1.SagaService/List", *request, page);
    if (called != Exit::ok) return called;
    found += static_cast<std::uint32_t>(page.sagas_size());
    request->set_page_token(page.next_page_token());
    all.set_next_page_token(page.next_page_token());
    if (is_line_by_line(session.format)) {
      print_page(session, page);
    } else {
      all.mutable_sagas()->MergeFrom(page.sagas());
    }
  } while (!all.next_page_token().empty() && (arguments.all || found < arguments.limit));
  if (!is_line_by_line(session.format)) print_page(session, all);
  if (is_for_people(session.format) && !all.next_page_token().empty()) {
    session.terminal.err("there are more: give --all or a larger --limit\n");
  }
  return Exit::ok;
}

namespace {

void print_groups(const Session& session, v1::GroupBy::Value by,
                  const v1::StuckGroupsResponse& groups) {
  print_list(
      session, groups, groups.groups(), [by](const auto& group) { return group_name(group, by); },
      [&](bool) { return groups_text(session.terminal, groups, by, wall_ms()); });
}

}  // namespace

Exit stuck(Session& session, const StuckArguments& arguments) {
  v1::StuckGroupsRequest request;
  v1::GroupBy::Value by = v1::GroupBy::cause;
  const bool known = arguments.by.empty() || v1::GroupBy::Value_Parse(arguments.by, &by);
  if (!known || by == v1::GroupBy::unspecified) {
    return session.fail(
        {Errc::invalid_argument,
         fmt::format("--by \"{}\": one of cause, step, participant", arguments.by)});
  }
  request.set_by(by);
  request.set_filter(arguments.filter);
  v1::StuckGroupsResponse groups;
  const Exit called = session.call("/skald.v1.SagaService/StuckGroups", request, groups);
  if (called != Exit::ok) return called;
  print_groups(session, by, groups);
  if (is_for_people(session.format) && !groups.complete()) {
    session.terminal.err("there are more: narrow them with --filter\n");
  }
  return Exit::ok;
}

}  // namespace skald::ctl
