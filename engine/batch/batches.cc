#include "engine/batch/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "engine/batch/batch_notes.h"

namespace skald::batch {
namespace {

constexpr std::uint32_t kThreads = 2;       // for choosing, judging and reading
constexpr std::size_t kPartsPerWrite = 64;  // of a new batch
constexpr std::size_t kPartsPerPage = 40;   // looked at for one page of results
constexpr std::string_view kCancelledBefore = "the batch was cancelled before its turn";

std::unexpected<Error> no_batch(Number number) {
  return fail(Errc::not_found, "there is no batch {}; ended ones are kept for {} more", number,
              kBatchesKept);
}

/// "PART.ENTRY"
Result<std::pair<std::size_t, std::size_t>> place_of(const std::string& token) {
  std::pair<std::size_t, std::size_t> place{0, 0};
  if (token.empty()) return place;
  const char* end = token.data() + token.size();
  const auto part = std::from_chars(token.data(), end, place.first);
  const bool dotted = part.ec == std::errc{} && part.ptr != end && *part.ptr == '.';
  const auto entry = dotted ? std::from_chars(part.ptr + 1, end, place.second) : part;
  if (dotted && entry.ec == std::errc{} && entry.ptr == end) return place;
  return fail(Errc::invalid_argument, "page_token: is of no page of results");
}

}  // namespace

Batches::Batches(Parts parts)
    : parts_(std::move(parts)),
      runner_({.clock = parts_.clock,
               .engine = parts_.engine,
               .acts = parts_.acts,
               .told = [this](const Batch& batch) { keep(batch); },
               .ended = [this](const Batch& batch) { on_end(batch); },
               .log = parts_.log}),
      pool_(kThreads) {}

Result<void> Batches::open() {
  auto notes = waited<std::vector<Note>>([this](Answer<std::vector<Note>> answer) {
    parts_.engine.notes(std::string(kBatchPrefix), std::move(answer));
  });
  if (!notes) return std::unexpected(notes.error());
  runner_.start();
  for (const Note& note : *notes) {
    auto batch = read_batch(note);
    if (!batch) return std::unexpected(batch.error());
    keep(*batch);
    if (has_ended(batch->stage)) continue;
    auto parts = waited<std::vector<Note>>([&](Answer<std::vector<Note>> answer) {
      parts_.engine.notes(sagas_prefix(batch->number), std::move(answer));
    });
    if (!parts) return std::unexpected(parts.error());
    std::vector<Entry> entries;
    for (const Note& part : *parts) {
      auto more = read_sagas(part);
      if (!more) return std::unexpected(more.error());
      std::ranges::move(*more, std::back_inserter(entries));
    }
    if (entries.size() < batch->sagas) {
      return fail(Errc::data_loss, "batch {} has {} of its {} sagas", batch->number, entries.size(),
                  batch->sagas);
    }
    entries.resize(batch->sagas);  // more: of a beginning that was cut short, under this number
    parts_.log.info("batch taken up again number={} act={} sagas={}", batch->number,
                    name(batch->spec.act), batch->sagas);
    runner_.add(std::move(*batch), std::move(entries));
  }
  return {};
}

void Batches::stop() {
  stopping_ = true;
  runner_.stop();
  pool_.stop();
}

void Batches::preview(Spec spec, Answer<Preview> answer) {
  pool_.run([this, spec = std::move(spec), answer = std::move(answer)]() mutable {
    const auto stopped = [this] { return stopping_.load(); };
    const auto sagas = choose_sagas(parts_.engine, spec.filter, stopped);
    if (!sagas) return answer(std::unexpected(sagas.error()));
    answer(preview_of(parts_.acts, spec, *sagas, stopped));
  });
}

void Batches::start(Spec spec, std::uint64_t sagas_most, Answer<Batch> answer) {
  pool_.run([this, spec = std::move(spec), sagas_most, answer = std::move(answer)]() mutable {
    answer(begin(std::move(spec), sagas_most));
  });
}

Result<std::optional<Batch>> Batches::known_by_key(const Spec& spec) const {
  if (spec.key.empty()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  for (const auto& [number, batch] : book_) {
    if (batch.spec.key != spec.key) continue;
    if (batch.spec == spec) return batch;
    return fail(Errc::already_exists, "key: was used for batch {}, which asks something else",
                number);
  }
  return std::nullopt;
}

// The sagas first, then the batch: without its own note there is none, and its number is given
// again.
Result<Batch> Batches::begin(Spec spec, std::uint64_t sagas_most) {
  const std::lock_guard alone(beginning_);
  auto known = known_by_key(spec);
  if (!known) return std::unexpected(known.error());
  if (*known) return **known;
  if (open_count() >= kBatchesOpenMax) {
    return fail(Errc::resource_exhausted,
                "{} batches have not ended (limit kBatchesOpenMax); wait for one, or cancel one",
                kBatchesOpenMax);
  }
  const auto sagas = choose_sagas(parts_.engine, spec.filter, [this] { return stopping_.load(); });
  if (!sagas) return std::unexpected(sagas.error());
  if (sagas->empty()) return fail(Errc::not_found, "filter: no saga matches {}", spec.filter);
  if (sagas_most != 0 && sagas->size() > sagas_most) {
    return fail(Errc::aborted,
                "filter: {} sagas match now, {} did when it was looked at; look again",
                sagas->size(), sagas_most);
  }
  Batch batch{.number = 1, .spec = std::move(spec), .changed_by = {}};
  {
    const std::lock_guard lock(mutex_);
    if (!book_.empty()) batch.number = book_.rbegin()->first + 1;
  }
  batch.began_at = parts_.clock.wall();
  batch.sagas = sagas->size();
  std::vector<Entry> entries;
  for (const SagaId& saga : *sagas) entries.push_back({.saga = saga, .followed = {}, .why = {}});
  const Progress plan(batch, entries);
  std::vector<Note> notes;
  for (std::size_t part = 0; part < plan.notes(); ++part) {
    notes.push_back(sagas_note(batch.number, part, plan.entries_of_note(part)));
    if (notes.size() < kPartsPerWrite && part + 1 < plan.notes()) continue;
    if (auto written = write(std::exchange(notes, {})); !written) {
      return std::unexpected(written.error());
    }
  }
  batch = plan.batch();
  if (auto written = write({batch_note(batch)}); !written) return std::unexpected(written.error());
  keep(batch);
  parts_.log.info("batch began number={} act={} sagas={} actor={} filter={}", batch.number,
                  name(batch.spec.act), batch.sagas, batch.spec.actor.name, batch.spec.filter);
  runner_.add(batch, std::move(entries));
  return batch;
}

Result<void> Batches::write(std::vector<Note> notes) {
  const auto written = waited<bool>([&](Answer<bool> answer) {
    parts_.engine.write_notes(std::move(notes), std::nullopt, std::move(answer));
  });
  if (!written) return std::unexpected(written.error());
  return {};
}

void Batches::change(Number number, Change change, Actor by, Answer<Batch> answer) {
  if (auto batch = find(number); !batch) return answer(std::move(batch));
  runner_.change(number, change, std::move(by), std::move(answer));
}

Result<Batch> Batches::find(Number number) const {
  const std::lock_guard lock(mutex_);
  const auto found = book_.find(number);
  if (found == book_.end()) return no_batch(number);
  return found->second;
}

std::vector<Batch> Batches::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Batch> batches;
  for (const auto& [number, batch] : book_) batches.push_back(batch);
  std::ranges::reverse(batches);
  return batches;
}

std::size_t Batches::open_count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      book_, [](const auto& known) { return !has_ended(known.second.stage); }));
}

void Batches::results(ResultQuery query, Answer<ResultPage> answer) {
  pool_.run([this, query = std::move(query), answer = std::move(answer)]() mutable {
    answer(read_results(query));
  });
}

Result<ResultPage> Batches::read_results(const ResultQuery& query) {
  const auto batch = find(query.number);
  if (!batch) return std::unexpected(batch.error());
  auto place = place_of(query.page_token);
  if (!place) return std::unexpected(place.error());
  ResultPage page;
  const std::size_t parts = (batch->sagas + kSagasPerNote - 1) / kSagasPerNote;
  auto [part, from] = *place;
  for (std::size_t looked = 0; part < parts; ++part, from = 0) {
    if (looked++ == kPartsPerPage) break;
    const auto notes = waited<std::vector<Note>>([&](Answer<std::vector<Note>> answer) {
      parts_.engine.notes(sagas_note_name(query.number, part), std::move(answer));
    });
    if (!notes) return std::unexpected(notes.error());
    if (notes->empty()) return no_batch(query.number);
    auto entries = read_sagas(notes->front());
    if (!entries) return std::unexpected(entries.error());
    for (std::size_t i = from; i < entries->size(); ++i) {
      Entry& entry = (*entries)[i];
      if (batch->stage == Stage::cancelled && entry.outcome == Outcome::pending) {
        entry.outcome = Outcome::skipped;
        entry.why = kCancelledBefore;
      }
      if (query.outcome && entry.outcome != *query.outcome) continue;
      if (page.entries.size() == query.limit) {
        page.next_page_token = fmt::format("{}.{}", part, i);
        return page;
      }
      page.entries.push_back(std::move(entry));
    }
  }
  if (part < parts) page.next_page_token = fmt::format("{}.0", part);
  return page;
}

void Batches::keep(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  book_.insert_or_assign(batch.number, batch);
}

void Batches::on_end(const Batch& batch) {
  const Counts counts = told_counts(batch);
  parts_.log.info("batch ended number={} act={} stage={}: {}", batch.number, name(batch.spec.act),
                  name(batch.stage), in_words(counts));
  {
    const std::lock_guard lock(mutex_);
    book_.insert_or_assign(batch.number, batch);
    for (std::size_t i = 0; i < kOutcomes; ++i) settled_[i] += counts[i];
  }
  pool_.run([this] { forget_old(); });
}

// The newest stays whatever there is: numbers go on from it.
void Batches::forget_old() {
  std::vector<Batch> ended;
  std::uint64_t sagas = 0;
  for (Batch& batch : all()) {
    if (!has_ended(batch.stage)) continue;
    sagas += batch.sagas;
    const bool kept = ended.empty() || (ended.size() < kBatchesKept && sagas <= kSagasKeptMax);
    if (kept) {
      ended.push_back(std::move(batch));
      continue;
    }
    if (!forget(batch.number)) return;  // the next end of a batch tries again
  }
}

// Whatever is there under its number: a beginning that was cut short may have left more than it
// has.
Result<void> Batches::forget(Number number) {
  auto gone = waited<std::vector<Note>>([&](Answer<std::vector<Note>> answer) {
    parts_.engine.notes(sagas_prefix(number), std::move(answer));
  });
  if (!gone) return std::unexpected(gone.error());
  for (Note& note : *gone) note.value.reset();
  gone->push_back({.name = batch_note_name(number), .value = {}});
  if (auto written = write(std::move(*gone)); !written) return written;
  const std::lock_guard lock(mutex_);
  book_.erase(number);
  return {};
}

std::string Batches::metrics() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t open = 0;
  Counts settled = settled_;
  for (const auto& [number, batch] : book_) {
    if (has_ended(batch.stage)) continue;
    open += 1;
    for (std::size_t i = 0; i < kOutcomes; ++i) settled[i] += batch.counts[i];
  }
  std::string text = fmt::format(
      "# HELP skald_batches_open Batches that have not ended.\n# TYPE skald_batches_open gauge\n"
      "skald_batches_open {}\n# HELP skald_batch_sagas Sagas of batches by outcome: of open ones, "
      "and of those that ended since start.\n# TYPE skald_batch_sagas gauge\n",
      open);
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    text += fmt::format("skald_batch_sagas{{outcome=\"{}\"}} {}\n", name(static_cast<Outcome>(i)),
                        settled[i]);
  }
  return text;
}

}  // namespace skald::batch
