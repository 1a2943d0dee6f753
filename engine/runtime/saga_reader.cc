#include "engine/runtime/saga_reader.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "engine/core/evolve.h"
#include "engine/core/replay.h"
#include "engine/wire/stored.h"

namespace skald {

Result<std::optional<ReadHistory>> read_history(Store& store, const SagaId& id) {
  const auto stored = store.load(id);
  if (!stored) return std::unexpected(stored.error());
  if (!*stored) return std::nullopt;
  ReadHistory history;
  history.state.id = id;
  for (const StoredSaga::Record& record : (*stored)->records) {
    auto events = wire::decode_events(record.bytes);
    if (!events) {
      return fail(Errc::data_loss, "saga {} record seq={}: {}", id.text(), record.first_seq,
                  events.error().message);
    }
    if (record.first_seq != history.state.seq + 1) {
      return fail(Errc::data_loss, "saga {} lacks events {} to {}", id.text(),
                  history.state.seq + 1, record.first_seq - 1);
    }
    bool repeats = true;
    for (const Event& event : *events) {
      if (!fits(history.state, event)) {
        return fail(Errc::data_loss,
                    "saga {} event {} names a step or leg that its history does not have",
                    id.text(), history.state.seq + 1);
      }
      repeats = repeats && is_repeat(history.state, event);
      evolve(history.state, event);
    }
    history.run.take(record.first_seq, *events, repeats);
    std::ranges::move(*events, std::back_inserter(history.events));
  }
  return history;
}

Result<std::optional<SagaState>> read_saga(Store& store, const SagaId& id) {
  auto history = read_history(store, id);
  if (!history) return std::unexpected(history.error());
  if (!*history) return std::nullopt;
  return std::move((*history)->state);
}

input::SagaLoaded load_saga(Store& store, const SagaId& id) {
  auto history = read_history(store, id);
  if (!history) return {.id = id, .state = std::unexpected(history.error()), .run = {}};
  if (!*history) return {.id = id, .state = std::nullopt, .run = {}};
  return {.id = id, .state = std::move((*history)->state), .run = std::move((*history)->run)};
}

Result<std::vector<SagaId>> replays_of(Store& store, const SagaState& state) {
  std::vector<SagaId> found;
  if (!state.terminal || state.status == SagaStatus::completed) return found;
  const auto notes = store.notes(replay_note_prefix(state.id));
  if (!notes) return std::unexpected(notes.error());
  std::map<std::string, SagaId> noted;  // by key
  for (const Note& note : *notes) {
    const auto id = SagaId::parse(*note.value);
    if (id) noted.emplace(note.name, *id);
  }
  for (std::uint32_t number = 1; number <= kReplaysMax; ++number) {
    const std::string key = replay_key(state.id, number);
    if (const auto note = noted.find(key); note != noted.end()) {
      found.push_back(note->second);
      continue;
    }
    const auto row = store.find_key(key);  // of a build that wrote no notes
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    found.push_back((*row)->saga);
  }
  return found;
}

}  // namespace skald
