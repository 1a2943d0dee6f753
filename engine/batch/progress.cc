#include "engine/batch/progress.h"

#include <algorithm>
#include <utility>

namespace skald::batch {
namespace {

constexpr std::int64_t kOneAct = 1'000;   // in what is saved up: acts per second times milliseconds
constexpr std::int64_t kSavedUpMs = 100;  // so long a rate may be saved up while nothing is done

}  // namespace

Progress::Progress(Batch batch, std::vector<Entry> entries)
    : batch_(std::move(batch)),
      entries_(std::move(entries)),
      patience_(entries_.size(), kPatienceFirst) {
  batch_.counts = count(entries_);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].outcome == Outcome::pending) waiting_.push_back(i);
    if (entries_[i].outcome != Outcome::following) continue;
    in_flight_ += 1;
    to_look_.push_back({.entry = i, .saga = entries_[i].followed, .patience = kPatienceFirst});
  }
}

bool Progress::has_room() const {
  return batch_.stage == Stage::running && !waiting_.empty() &&
         in_flight_ < batch_.spec.in_flight_max;
}

void Progress::save_up(Instant now) {
  const std::int64_t rate = batch_.spec.rate;
  const std::int64_t most = std::max(kOneAct, rate * kSavedUpMs);
  if (saved_at_ == Instant::min()) {
    saved_up_ = kOneAct;
  } else {
    const std::int64_t waited = std::min<std::int64_t>((now - saved_at_).count(), most);
    saved_up_ = std::min(most, saved_up_ + waited * rate);
  }
  saved_at_ = now;
}

Progress::Todo Progress::next(Instant now) {
  Todo todo;
  while (!again_.empty() && again_.front().at <= now) {
    const std::size_t entry = again_.front().entry;
    again_.pop_front();
    if (entries_[entry].outcome == Outcome::pending) {
      waiting_.push_front(entry);
    } else {
      not_yet(entry);
    }
  }
  todo.looks = std::exchange(to_look_, {});
  save_up(now);
  while (has_room() && saved_up_ >= kOneAct) {
    saved_up_ -= kOneAct;
    todo.acts.push_back(waiting_.front());
    waiting_.pop_front();
    in_flight_ += 1;
  }
  return todo;
}

Instant Progress::wake_at() const {
  Instant wake = again_.empty() ? kNever : again_.front().at;
  if (!has_room()) return wake;
  const std::int64_t rate = batch_.spec.rate;
  const std::int64_t lacks = std::max<std::int64_t>(0, kOneAct - saved_up_);
  return std::min(wake, saved_at_ + Millis{(lacks + rate - 1) / rate});
}

void Progress::set(std::size_t entry, Outcome outcome) {
  batch_.counts[std::to_underlying(entries_[entry].outcome)] -= 1;
  batch_.counts[std::to_underlying(outcome)] += 1;
  entries_[entry].outcome = outcome;
  changed_.insert(entry / kSagasPerNote);
}

void Progress::acted(std::size_t entry, SagaId followed) {
  entries_[entry].followed = followed;
  set(entry, Outcome::following);
  to_look_.push_back({.entry = entry, .saga = followed, .patience = patience_[entry]});
}

void Progress::settled(std::size_t entry, Outcome outcome, std::string why) {
  entries_[entry].why = shortened(std::move(why));
  set(entry, outcome);
  in_flight_ -= 1;
}

void Progress::not_yet(std::size_t entry) {
  patience_[entry] = std::min(patience_[entry] * 2, kPatienceMax);
  to_look_.push_back(
      {.entry = entry, .saga = entries_[entry].followed, .patience = patience_[entry]});
}

// Everybody waits equally long, so that the queue stays in order.
void Progress::later(std::size_t entry, Instant now) {
  if (entries_[entry].outcome == Outcome::pending) in_flight_ -= 1;
  again_.push_back({.at = now + kAgainAfter, .entry = entry});
}

Result<void> Progress::check_open(std::string_view act) const {
  const Stage stage = batch_.stage;
  if (stage == Stage::running || stage == Stage::paused) return {};
  return fail(Errc::failed_precondition, "batch {} is {} and cannot be {}", batch_.number,
              name(stage), act);
}

Result<void> Progress::pause(Actor by) {
  if (auto open = check_open("paused"); !open) return open;
  if (batch_.stage == Stage::paused) {
    return fail(Errc::failed_precondition, "batch {} is paused already", batch_.number);
  }
  batch_.stage = Stage::paused;
  batch_.changed_by = std::move(by);
  return {};
}

Result<void> Progress::resume(Actor by) {
  if (auto open = check_open("resumed"); !open) return open;
  if (batch_.stage == Stage::running) {
    return fail(Errc::failed_precondition, "batch {} is not paused", batch_.number);
  }
  batch_.stage = Stage::running;
  batch_.changed_by = std::move(by);
  return {};
}

Result<void> Progress::cancel(Actor by) {
  if (auto open = check_open("cancelled"); !open) return open;
  batch_.stage = Stage::cancelling;
  batch_.changed_by = std::move(by);
  return {};
}

bool Progress::is_over() const {
  if (in_flight_ > 0) return false;
  if (batch_.stage == Stage::cancelling) return true;
  return batch_.counts[std::to_underlying(Outcome::pending)] == 0;
}

void Progress::end(Instant at) {
  batch_.stage = batch_.stage == Stage::cancelling ? Stage::cancelled : Stage::finished;
  batch_.ended_at = at;
}

std::vector<std::size_t> Progress::take_changed(std::size_t most) {
  std::vector<std::size_t> taken;
  while (!changed_.empty() && taken.size() < most) {
    taken.push_back(*changed_.begin());
    changed_.erase(changed_.begin());
  }
  return taken;
}

void Progress::changed_again(std::span<const std::size_t> notes) {
  changed_.insert(notes.begin(), notes.end());
}

std::span<const Entry> Progress::entries_of_note(std::size_t note) const {
  const std::size_t from = note * kSagasPerNote;
  return std::span(entries_).subspan(from, std::min(kSagasPerNote, entries_.size() - from));
}

std::size_t Progress::notes() const {
  return (entries_.size() + kSagasPerNote - 1) / kSagasPerNote;
}

}  // namespace skald::batch
