// Participants and holds on them, and the notes by which holds are kept.
#include "engine/runtime/engine_on_threads.h"
#include "engine/wire/stored.h"

namespace skald {

std::vector<ParticipantFigures> EngineOnThreads::participants() const {
  std::vector<std::vector<Gates::Load>> loads;
  for (const auto& driver : drivers_) loads.push_back(driver->figures().participants);
  return sum_participants(loads, holds_);
}

void EngineOnThreads::write_notes(std::vector<Note> notes, std::optional<Alert> alert,
                                  Answer<bool> answer) {
  if (alert) return tell(std::move(*alert), std::move(notes), ~0U, std::move(answer));
  InputAnswer tell = typed<bool>(std::move(answer));
  auto make = [notes = std::move(notes)](Ticket ticket) mutable -> Input {
    return input::WriteNotes{.ticket = ticket, .notes = std::move(notes)};
  };
  if (!drivers_.front()->post(std::move(make), tell)) {
    tell(inbox_is_full());
  }
}

void EngineOnThreads::hold(ParticipantHold hold, Answer<ParticipantHold> answer) {
  if (holds_.size() >= kHoldsMax) {
    return answer(
        fail(Errc::resource_exhausted, "{} holds are in force (limit kHoldsMax)", holds_.size()));
  }
  hold.at = clock_->now();
  Note note{.name = hold_note_name(hold.participant, hold.path), .value = Bytes()};
  wire::encode_hold(hold, *note.value);
  write_notes(
      {std::move(note)}, std::nullopt,
      [this, hold = std::move(hold), answer = std::move(answer)](Result<bool> written) mutable {
        if (!written) return answer(std::unexpected(written.error()));
        holds_.add(hold);
        for (auto& driver : drivers_) {
          driver->post(input::Hold{.participant = hold.participant, .path = hold.path});
        }
        answer(std::move(hold));
      });
}

void EngineOnThreads::release(std::string participant, std::string path,
                              Answer<ParticipantHold> answer) {
  auto held = holds_.find(participant, path);
  if (!held) {
    return answer(
        fail(Errc::not_found, "{}{} is not held{}", participant, path,
             holds_.that_holds(participant, path) ? ": its participant is; release that" : ""));
  }
  Note note{.name = hold_note_name(participant, path), .value = {}};
  write_notes(
      {std::move(note)}, std::nullopt,
      [this, held = std::move(*held), answer = std::move(answer)](Result<bool> written) mutable {
        if (!written) return answer(std::unexpected(written.error()));
        holds_.remove(held.participant, held.path);
        for (auto& driver : drivers_) {
          driver->post(
              input::Hold{.participant = held.participant, .path = held.path, .held = false});
        }
        answer(std::move(held));
      });
}

}  // namespace skald
