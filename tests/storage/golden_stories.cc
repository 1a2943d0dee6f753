#include "tests/storage/golden_stories.h"

#include "engine/core/evolve.h"
#include "engine/shard/saga_rows.h"
#include "engine/wire/stored.h"
#include "tests/support/given.h"

namespace skald::storage {
namespace {

using test::Given;
using test::given;
using test::Plan;

Plan trip(std::string name) {
  Plan plan(std::move(name));
  plan.query("rates").call("hotel").pivot("flight").retriable("mail");
  return plan;
}

// A saga as far as it got; of every two events the second record has the rest.
Story story(std::uint64_t number, const Given& told) {
  Story made{.id = {.placement = 0x1111111111111111ULL * number, .serial = number},
             .history = told.history()};
  auto& started = std::get<event::Started>(made.history.front().body);
  started.idempotency_key = number % 3 == 0 ? "" : "key-" + std::to_string(number);
  started.business_key = number % 2 == 0 ? "trip-2" : "trip-" + std::to_string(number);
  const std::size_t first = 1 + made.history.size() / 2;
  made.records = {std::min(first, made.history.size())};
  if (first < made.history.size()) made.records.push_back(made.history.size() - first);
  for (const Event& event : made.history) {
    if (const auto* wait = std::get_if<event::WaitBegan>(&event.body)) {
      made.waiting = true;
      if (wait->due_at != kNever) made.timer = wait->due_at;
    }
  }
  return made;
}

}  // namespace

SagaState fold(std::span<const Event> events) {
  SagaState state;
  for (const Event& event : events) evolve(state, event);
  return state;
}

Transition transition_of(const Story& story, std::size_t which) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < which; ++i) from += story.records[i];
  const std::span<const Event> all(story.history);
  const std::size_t to = from + story.records[which];
  Transition t{.id = story.id,
               .first_seq = from + 1,
               .count = static_cast<std::uint32_t>(story.records[which])};
  wire::encode_events(all.subspan(from, to - from), t.record);
  const bool last = to == all.size();
  const SagaState state = fold(all.first(to));
  if (from != 0) t.before = summary_of(nullptr, fold(all.first(from)), false);
  t.after = summary_of(nullptr, state, last && story.waiting);
  if (last) t.timer_after = story.timer;
  if (from == 0 && !state.idempotency_key.empty()) {
    t.new_key =
        KeyRow{.key = state.idempotency_key, .saga = story.id, .body_hash = state.body_hash};
  }
  return t;
}

std::vector<Story> golden_stories() {
  using namespace test;
  std::vector<Story> stories;
  const auto add = [&](const Given& told) { stories.push_back(story(stories.size() + 1, told)); };
  add(given(trip("running")).start().reply("do rates", succeeded()));
  add(given(Plan("waiting_for_a_timer").call("hotel").wait("rest").pivot("flight"))
          .start()
          .reply("do hotel", succeeded()));
  add(given(Plan("waiting_for_a_signal").wait("paid", "paid").is_pivot().retriable("mail"))
          .start());
  add(given(Plan("stuck").call("hotel").pivot("flight").keys(KeysMode::none))
          .start()
          .reply("do hotel", succeeded())
          .reply("do flight", unknown())
          .status(SagaStatus::stuck));
  add(given(trip("completed"))
          .start()
          .reply("do rates", succeeded())
          .reply("do hotel", succeeded())
          .reply("do flight", succeeded())
          .reply("do mail", succeeded())
          .status(SagaStatus::completed));
  add(given(trip("compensating"))
          .start()
          .reply("do rates", succeeded())
          .reply("do hotel", succeeded())
          .reply("do flight", rejected())
          .status(SagaStatus::compensating));
  add(given(trip("compensated"))
          .start()
          .reply("do rates", succeeded())
          .reply("do hotel", succeeded())
          .reply("do flight", rejected())
          .reply("undo hotel", succeeded())
          .status(SagaStatus::compensated));
  add(given(Plan("fanned_out").call("stock").for_each({"7", "8", "9"}).finish_all().pivot("pay"))
          .start()
          .reply("do stock[7]", succeeded())
          .reply("do stock[8]", rejected("out_of_stock"))
          .reply("do stock[9]", unknown()));
  return stories;
}

}  // namespace skald::storage
