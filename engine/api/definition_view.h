// Definitions as people look at them. Functions written in C++ appear by what they do, not as data;
// the other direction, from data to a definition, is wire/definition.h.
#pragma once

#include "engine/core/definition.h"
#include "skald/v1/definition.pb.h"

namespace skald::api {

/// `newest`: whether submissions that name no version get this one.
void fill_definition_summary(const Definition& definition, bool newest, v1::DefinitionSummary& to);
void fill_definition_view(const Definition& definition, bool newest, v1::DefinitionView& to);

}  // namespace skald::api
