// The fingerprint of a definition: what an open saga relies on, as text that people can review.
// Kept as golden files; a change without a new version fails the tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/core/definition.h"
#include "engine/dsl/dry_run.h"

namespace skald::dsl {

/// Structure (steps, order, classes, methods, keys) and the exact request bytes that each sample
/// leads to, there and back. Timeouts and retry policies are left out: they may be tuned under one
/// version. Pre: `definition` is sealed. Pure; the same on every machine.
[[nodiscard]] std::string fingerprint(const Definition& definition,
                                      std::span<const Sample> samples);

}  // namespace skald::dsl
