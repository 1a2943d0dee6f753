// Verbs about batches: previewed, asked for and begun; then shown, watched and stopped. The server
// does the work: nothing here has to stay.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "skald/v1/batch.pb.h"
#include "tools/skaldctl/batch_text.h"
#include "tools/skaldctl/verbs.h"

namespace skald::ctl {
namespace {

constexpr Millis kJudging{300'000};  // of a hundred thousand sagas
constexpr Millis kLookEvery{500};
constexpr std::uint32_t kPageLimit = 1'000;

Result<v1::BatchSpec> spec_of(const Session& session, v1::BatchAct::Value act,
                              const BatchArguments& arguments) {
  v1::BatchSpec spec;
  spec.set_act(act);
  spec.set_filter(arguments.filter);
  spec.set_actor(session.actor);
  spec.set_reason(arguments.reason);
  spec.set_leg(arguments.leg);
  spec.set_hold(arguments.hold);
  spec.set_version(arguments.version);
  spec.set_newest(arguments.newest);
  spec.set_from(arguments.from);
  spec.set_again(arguments.again);
  spec.set_rate(arguments.rate);
  spec.set_in_flight_max(arguments.in_flight);
  if (act != v1::BatchAct::resolve) return spec;
  if (arguments.happened == arguments.did_not_happen) {
    return skald::fail(Errc::invalid_argument, "say --happened or --did-not-happen");
  }
  spec.set_answer(arguments.happened ? v1::BatchAnswer::happened : v1::BatchAnswer::did_not_happen);
  return spec;
}

void print_batch(const Session& session, const v1::Batch& batch) {
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, batch));
  } else if (session.format == Format::name) {
    session.terminal.out(fmt::format("{}\n", batch.number()));
  } else {
    session.terminal.out(batch_text(session.terminal, batch));
  }
}

/// A batch that was seen to its end: whether every saga is where it was meant to be.
Exit exit_of_batch(const v1::Batch& batch) {
  if (batch.stage() != v1::BatchStage::finished) return Exit::partly;
  for (const auto& count : batch.counts()) {
    if (count.outcome() != "skipped" && !is_aim(batch.spec().act(), count.outcome())) {
      return Exit::partly;
    }
  }
  return Exit::ok;
}

bool has_ended(const v1::Batch& batch) {
  return batch.stage() == v1::BatchStage::finished || batch.stage() == v1::BatchStage::cancelled;
}

/// One line that is written over on a terminal; elsewhere a line for each tenth.
class ProgressLine {
 public:
  explicit ProgressLine(const Terminal& terminal) : terminal_(terminal) {}

  void show(const v1::Batch& batch) {
    const std::string line = progress_line(batch);
    const std::uint64_t tenth = batch.sagas() == 0 ? 0 : batch.settled() * 10 / batch.sagas();
    if (terminal_.err_width > 0) {
      terminal_.err("\r" + padded(line, terminal_.err_width - 1));
      open_ = true;
    } else if (line != last_ && (last_.empty() || tenth != tenth_ || batch.stage() != stage_)) {
      terminal_.err(line + "\n");
    } else {
      return;
    }
    last_ = line;
    tenth_ = tenth;
    stage_ = batch.stage();
  }
  void end() {
    if (std::exchange(open_, false)) terminal_.err("\n");
  }

 private:
  const Terminal& terminal_;
  std::string last_;
  std::uint64_t tenth_ = 0;
  int stage_ = 0;
  bool open_ = false;
};

Exit begin(Session& session, v1::StartBatchRequest& request, const BatchArguments& arguments) {
  v1::Batch batch;
  const Exit called = session.call("/skald.v1.BatchService/Start", request, batch, kJudging);
  if (called != Exit::ok) return called;
  if (arguments.watch) return watch_batch(session, batch.number());
  print_batch(session, batch);
  if (session.format == Format::table || session.format == Format::wide) {
    session.terminal.err(
        fmt::format("the server goes on with it: skaldctl batch watch {}\n", batch.number()));
  }
  return Exit::ok;
}

}  // namespace

Exit start_batch(Session& session, const std::string& act, const BatchArguments& arguments) {
  v1::BatchAct::Value parsed = v1::BatchAct::unspecified;
  v1::BatchAct::Value_Parse(act, &parsed);
  auto spec = spec_of(session, parsed, arguments);
  if (!spec) return session.fail(spec.error());
  v1::StartBatchRequest request;
  *request.mutable_spec() = *spec;
  request.set_key(arguments.key);
  if (!arguments.dry_run && session.yes) return begin(session, request, arguments);
  v1::BatchPreview preview;
  const Exit called = session.call("/skald.v1.BatchService/Preview", *spec, preview, kJudging);
  if (called != Exit::ok) return called;
  const std::string text = is_for_programs(session.format)
                               ? print_message(session.format, preview)
                               : preview_text(session.terminal, *spec, preview);
  if (arguments.dry_run) return session.terminal.out(text), Exit::ok;
  session.terminal.err(text);
  if (preview.acted_on() == 0) {
    return session.fail({Errc::failed_precondition, "there is nothing to act on"});
  }
  const Exit confirmed = confirm(session, fmt::format("{} {} sagas?", act, preview.acted_on()));
  if (confirmed != Exit::ok) return confirmed;
  request.set_sagas_most(preview.sagas());  // what was shown, and no more
  return begin(session, request, arguments);
}

Exit change_batch(Session& session, const std::string& change, std::uint64_t number,
                  const std::string& reason) {
  v1::BatchRequest request;
  request.set_number(number);
  request.set_actor(session.actor);
  request.set_reason(reason);
  v1::Batch batch;
  const Exit called = session.call("/skald.v1.BatchService/" + change, request, batch);
  if (called == Exit::ok) print_batch(session, batch);
  return called;
}

Exit watch_batch(Session& session, std::uint64_t number) {
  v1::BatchRequest request;
  request.set_number(number);
  ProgressLine line(session.terminal);
  Millis away{0};  // a server that is being restarted is waited for
  for (;;) {
    v1::Batch batch;
    const auto called =
        session.api.call("/skald.v1.BatchService/Get", request, batch, kCallTimeout);
    if (called) {
      away = Millis{0};
      line.show(batch);
      if (has_ended(batch)) {
        line.end();
        print_batch(session, batch);
        return exit_of_batch(batch);
      }
    } else if (called.error().code != Errc::unavailable || away >= session.timeout) {
      line.end();
      return session.fail(called.error());
    } else {
      away += kLookEvery;
    }
    session.terminal.pause(kLookEvery);
  }
}

Exit list_batches(Session& session) {
  v1::ListBatchesResponse list;
  const Exit called = session.call("/skald.v1.BatchService/List", v1::ListBatchesRequest(), list);
  if (called != Exit::ok) return called;
  print_list(
      session, list, list.batches(),
      [](const auto& one) { return fmt::format("{}", one.number()); },
      [&](bool wide) { return batches_table(session.terminal, list, wide); });
  return Exit::ok;
}

namespace {

void print_results(const Session& session, const v1::BatchResultsResponse& page) {
  print_list(
      session, page, page.results(), [](const auto& one) { return one.saga_id(); },
      [&](bool wide) { return results_table(session.terminal, page, wide); });
}

}  // namespace

Exit batch_results(Session& session, std::uint64_t number, const BatchArguments& arguments) {
  v1::BatchResultsRequest request;
  request.set_number(number);
  request.set_outcome(arguments.outcome);
  const bool line_by_line = session.format == Format::jsonl || session.format == Format::name;
  v1::BatchResultsResponse all;
  std::uint32_t found = 0;
  do {
    request.set_limit(arguments.all ? kPageLimit : arguments.limit - found);
    request.set_page_token(all.next_page_token());
    v1::BatchResultsResponse page;
    const Exit called = session.call("/skald.v1.BatchService/Results", request, page);
    if (called != Exit::ok) return called;
    found += static_cast<std::uint32_t>(page.results_size());
    all.set_next_page_token(page.next_page_token());
    if (line_by_line) {
      print_results(session, page);
    } else {
      all.mutable_results()->MergeFrom(page.results());
    }
  } while (!all.next_page_token().empty() && (arguments.all || found < arguments.limit));
  if (!line_by_line) print_results(session, all);
  const bool for_people = session.format == Format::table || session.format == Format::wide;
  if (for_people && !all.next_page_token().empty()) {
    session.terminal.err("there are more: give --all or a larger --limit\n");
  }
  return Exit::ok;
}

}  // namespace skald::ctl
