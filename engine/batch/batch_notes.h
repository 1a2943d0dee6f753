// What is kept of batches: names and values of notes. A batch is one note with what is asked, and
// one for every hundred of its sagas.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch/batch.h"
#include "engine/shard/transition.h"

namespace skald::batch {

/// "batch/": all that are known. Stored.
inline constexpr std::string_view kBatchPrefix = "batch/";
/// "batch/00000000000000000017": numbers are padded, so that notes are in order. Stored.
[[nodiscard]] std::string batch_note_name(Number number);
/// "batch-sagas/00000000000000000017/": the sagas of one batch. Stored.
[[nodiscard]] std::string sagas_prefix(Number number);
/// "batch-sagas/00000000000000000017/000003". Stored.
[[nodiscard]] std::string sagas_note_name(Number number, std::size_t part);

[[nodiscard]] Note batch_note(const Batch& batch);
[[nodiscard]] Note sagas_note(Number number, std::size_t part, std::span<const Entry> entries);

/// Errors of both: data_loss, with the note's name.
[[nodiscard]] Result<Batch> read_batch(const Note& note);
[[nodiscard]] Result<std::vector<Entry>> read_sagas(const Note& note);

}  // namespace skald::batch
