// Batches for people: what one would do, how far it is, and what became of its sagas.
#pragma once

#include <string>

#include "skald/v1/batch.pb.h"
#include "tools/skaldctl/table.h"

namespace skald::ctl {

[[nodiscard]] std::string preview_text(const Terminal& terminal, const v1::BatchSpec& spec,
                                       const v1::BatchPreview& preview);
[[nodiscard]] std::string batch_text(const Terminal& terminal, const v1::Batch& batch);
/// "batch 17 running: 4210 of 10000 (4100 completed, 10 stuck), 100 under way"
[[nodiscard]] std::string progress_line(const v1::Batch& batch);
[[nodiscard]] std::string batches_table(const Terminal& terminal,
                                        const v1::ListBatchesResponse& list, bool wide);
[[nodiscard]] std::string results_table(const Terminal& terminal,
                                        const v1::BatchResultsResponse& page, bool wide);
/// Whether an act is meant to lead to this outcome. A saga that was replayed and undone again is
/// not mended.
[[nodiscard]] bool is_aim(v1::BatchAct::Value act, const std::string& outcome);

}  // namespace skald::ctl
