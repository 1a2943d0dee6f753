#include "engine/batch/batch_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/batch/batch_notes.h"

namespace skald::batch {
namespace {

/// Told to whoever asked to be told of the end of batches.
Alert end_alert(const Batch& batch) {
  return {.kind = AlertKind::batch_finished,
          .subject = fmt::format("batch-{}", batch.number),
          .text = fmt::format("batch {} ({}) is {}: {}", batch.number, name(batch.spec.act),
                              name(batch.stage), in_words(told_counts(batch)))};
}

}  // namespace

void BatchRunner::start() {
  thread_ = std::jthread([this] { work(); });
}

void BatchRunner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    inbox_.clear();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BatchRunner::post(Input input) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    inbox_.push_back(std::move(input));
  }
  wake_.notify_one();
}

Instant BatchRunner::now() const {
  return Instant{std::chrono::duration_cast<Millis>(parts_.clock.steady())};
}

void BatchRunner::work() {
  Instant wake = kNever;
  for (;;) {
    std::vector<Input> inputs;
    {
      std::unique_lock lock(mutex_);
      const auto called = [this] { return stopping_ || !inbox_.empty(); };
      if (wake == kNever) {
        wake_.wait(lock, called);
      } else {
        wake_.wait_for(lock, std::max(Millis{0}, wake - now()), called);
      }
      if (stopping_) return;
      inputs = std::exchange(inbox_, {});
    }
    for (Input& input : inputs) input();
    wake = kNever;
    for (auto& [number, run] : runs_) wake = std::min(wake, turn(run));
  }
}

Instant BatchRunner::turn(Run& run) {
  begin_acts(run, run.progress.next(now()));
  parts_.told(run.progress.batch());
  write_if_due(run);
  const bool writes_later = !run.writing && (run.progress.has_changed() || run.head_changed);
  return std::min(run.progress.wake_at(), writes_later ? run.write_after : kNever);
}

void BatchRunner::begin_acts(Run& run, const Progress::Todo& todo) {
  const Batch& batch = run.progress.batch();
  const Number number = batch.number;
  for (const std::size_t entry : todo.acts) {
    auto answer = [this, number, entry](Result<Verdict> verdict) {
      post([this, number, entry, verdict = std::move(verdict)]() mutable {
        take(number, entry, std::move(verdict));
      });
    };
    parts_.acts.act(number, batch.spec, run.progress.entries()[entry].saga, std::move(answer));
  }
  for (const Progress::Look& look : todo.looks) {
    auto answer = [this, number, entry = look.entry](Result<std::optional<End>> end) {
      post([this, number, entry, end = std::move(end)]() mutable {
        take(number, entry, std::move(end));
      });
    };
    parts_.acts.follow(look.saga, look.patience, std::move(answer));
  }
}

Progress* BatchRunner::find(Number number) {
  const auto run = runs_.find(number);
  return run == runs_.end() ? nullptr : &run->second.progress;
}

void BatchRunner::take(Number number, std::size_t entry, Result<Verdict> verdict) {
  Progress* progress = find(number);
  if (progress == nullptr) return;
  if (!verdict) return progress->later(entry, now());
  switch (verdict->kind) {
    case Verdict::Kind::acts:
      return progress->acted(entry, verdict->followed);
    case Verdict::Kind::skips:
      return progress->settled(entry, Outcome::skipped, std::move(verdict->why));
    case Verdict::Kind::refuses:
      return progress->settled(entry, Outcome::refused, std::move(verdict->why));
  }
}

void BatchRunner::take(Number number, std::size_t entry, Result<std::optional<End>> end) {
  Progress* progress = find(number);
  if (progress == nullptr) return;
  if (!end) return progress->later(entry, now());
  if (!*end) return progress->not_yet(entry);
  progress->settled(entry, (*end)->outcome, std::move((*end)->why));
}

// The end of a batch is in the same write as its last outcomes, and so is what tells of it.
void BatchRunner::write_if_due(Run& run) {
  Progress& progress = run.progress;
  if (run.writing || now() < run.write_after) return;
  Run::Write write{.parts = progress.take_changed(kNotesPerWrite), .head = false, .waiting = {}};
  if (progress.is_over() && !progress.has_changed() && !has_ended(progress.batch().stage)) {
    progress.end(parts_.clock.wall());
    run.head_changed = true;
  }
  std::vector<Note> notes;
  const Number number = progress.batch().number;
  for (const std::size_t part : write.parts) {
    notes.push_back(sagas_note(number, part, progress.entries_of_note(part)));
  }
  if (run.head_changed) notes.push_back(batch_note(progress.batch()));
  if (notes.empty()) return;
  write.head = std::exchange(run.head_changed, false);
  write.waiting = std::exchange(run.waiting, {});
  run.write = std::move(write);
  run.writing = true;
  run.write_after = now() + kWriteEvery;
  auto answer = [this, number](Result<bool> result) {
    post([this, number, result = std::move(result)] { written(number, result); });
  };
  std::optional<Alert> alert;
  if (has_ended(progress.batch().stage)) alert = end_alert(progress.batch());
  parts_.engine.write_notes(std::move(notes), std::move(alert), std::move(answer));
}

void BatchRunner::written(Number number, const Result<bool>& result) {
  const auto found = runs_.find(number);
  if (found == runs_.end()) return;
  Run& run = found->second;
  run.writing = false;
  Run::Write write = std::exchange(run.write, {});
  if (!result) {
    parts_.log.warn("batch not written number={}: {}", number, result.error().message);
    run.progress.changed_again(write.parts);
    run.head_changed = run.head_changed || write.head;
    run.write_after = now() + kAgainAfter;
    for (auto& answer : write.waiting) answer(std::unexpected(result.error()));
    return;
  }
  const Batch batch = run.progress.batch();
  for (auto& answer : write.waiting) answer(batch);
  if (!write.head || !has_ended(batch.stage)) return;
  runs_.erase(found);
  parts_.ended(batch);
}

void BatchRunner::add(Batch batch, std::vector<Entry> entries) {
  post([this, batch = std::move(batch), entries = std::move(entries)]() mutable {
    const Number number = batch.number;
    runs_.emplace(number, Progress(std::move(batch), std::move(entries)));
  });
}

void BatchRunner::change(Number number, Change change, Actor by, Answer<Batch> answer) {
  post([this, number, change, by = std::move(by), answer = std::move(answer)]() mutable {
    const auto found = runs_.find(number);
    if (found == runs_.end()) {
      return answer(fail(Errc::failed_precondition, "batch {} has ended", number));
    }
    Run& run = found->second;
    const auto changed = [&]() -> Result<void> {
      switch (change) {
        case Change::pause:
          return run.progress.pause(std::move(by));
        case Change::resume:
          return run.progress.resume(std::move(by));
        case Change::cancel:
          return run.progress.cancel(std::move(by));
      }
      return {};
    }();
    if (!changed) return answer(std::unexpected(changed.error()));
    run.head_changed = true;
    run.write_after = Instant::min();
    run.waiting.push_back(std::move(answer));
  });
}

}  // namespace skald::batch
