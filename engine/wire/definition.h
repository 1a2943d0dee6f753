// Definitions as data: from skald.v1.Definition to the same sealed value that the C++ builder
// makes. Showing definitions to people is api/definition_view.h.
#pragma once

#include <functional>
#include <string_view>

#include "engine/base/result.h"
#include "engine/core/definition.h"
#include "skald/v1/definition.pb.h"

namespace skald::wire {

/// Whether a participant at this URL (normalized: lower-case host, no default port), or of this
/// configured name, may be called. An error becomes one of the definition's mistakes.
using AddressRule = std::function<Result<void>(std::string_view url_or_name)>;

/// Where a method is, as data says it: a URL, or a configured participant and the path there.
struct EndpointWords {
  std::string_view url;
  std::string_view participant;
  std::string_view path;
};
/// `allowed` may be empty. Errors: invalid_argument with the field's name, never the URL;
/// permission_denied where `allowed` refuses it.
[[nodiscard]] Result<Endpoint> read_endpoint(const EndpointWords& words,
                                             const AddressRule& allowed);

inline constexpr std::size_t kInlineDefinitionBytesMax = 1 << 20;  // as protobuf

/// Reads a definition that a client sent. Its `source` is set to its canonical bytes; payloads
/// become builders of fixed requests. `allowed` may be empty: every URL is taken. Errors:
/// invalid_argument listing every mistake with step and field; permission_denied when all mistakes
/// are URLs that `allowed` refused; resource_exhausted beyond kInlineDefinitionBytesMax. No error
/// holds a payload, a URL or a header's value. Pure as far as `allowed` is.
[[nodiscard]] Result<DefinitionPtr> read_definition(const v1::Definition& from,
                                                    const AddressRule& allowed);

/// Reads what read_definition() stored as `source`. Addresses are judged again where they are
/// called. Errors: data_loss for bytes that are no definition; otherwise as above.
[[nodiscard]] Result<DefinitionPtr> definition_of_source(const Bytes& source);

}  // namespace skald::wire
