// Result<T>: an expected failure as a value. What may fail says so in its type; exceptions are for
// start-up and for bugs.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <utility>

#include "engine/base/error.h"

namespace skald {

template <class T>
using Result = std::expected<T, Error>;

/// Makes the failed half of a Result:  `return fail(Errc::not_found, "saga_id={}", id);`
/// (fmt, because libstdc++ 12 has no std::format.)
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(Errc code, fmt::format_string<Args...> text,
                                          Args&&... args) {
  return std::unexpected(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}

}  // namespace skald
