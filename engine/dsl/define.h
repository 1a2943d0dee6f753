// define<Input>("name", version): where a definition written in C++ begins. This is the header that
// definitions include; README.md shows a whole one.
#pragma once

#include "engine/dsl/step_builder.h"

namespace skald::dsl {

/// `In` is what a submission brings. Ends with .build().
template <ProtoMessage In>
[[nodiscard]] SagaBuilder<In> define(std::string name, std::uint32_t version) {
  auto draft = std::make_unique<Draft>();
  draft->definition.name = std::move(name);
  draft->definition.version = version;
  draft->definition.input_type = In::descriptor()->full_name();
  draft->definition.read_input = input_reader<In>({});
  draft->definition.print_input = printer<In>(Protocol::connect_proto);
  return SagaBuilder<In>(std::move(draft));
}

}  // namespace skald::dsl
