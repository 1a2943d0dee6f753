// A simulation: an exported saga, rehearsed with a definition against the answers it got, and
// compared request by request.
#pragma once

#include "engine/base/result.h"
#include "engine/core/definition.h"
#include "skald/v1/operator.pb.h"

namespace skald::api {

/// Errors: invalid_argument: the export cannot be read (the field is named), or does
/// not hold every leg. Pure.
[[nodiscard]] Result<v1::SimulateResponse> simulate(const v1::Saga& saga,
                                                    const Definition& definition);

}  // namespace skald::api
