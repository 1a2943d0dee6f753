#include "engine/base/error.h"

namespace skald {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::canceled:
      return "canceled";
    case Errc::unknown:
      return "unknown";
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::deadline_exceeded:
      return "deadline_exceeded";
    case Errc::not_found:
      return "not_found";
    case Errc::already_exists:
      return "already_exists";
    case Errc::permission_denied:
      return "permission_denied";
    case Errc::resource_exhausted:
      return "resource_exhausted";
    case Errc::failed_precondition:
      return "failed_precondition";
    case Errc::aborted:
      return "aborted";
    case Errc::out_of_range:
      return "out_of_range";
    case Errc::unimplemented:
      return "unimplemented";
    case Errc::internal:
      return "internal";
    case Errc::unavailable:
      return "unavailable";
    case Errc::data_loss:
      return "data_loss";
    case Errc::unauthenticated:
      return "unauthenticated";
  }
  return "unknown";  // a number that is no Errc
}

bool is_error_name(std::string_view text) {
  for (auto code = static_cast<int>(Errc::canceled);
       code <= static_cast<int>(Errc::unauthenticated); ++code) {
    if (name(static_cast<Errc>(code)) == text) return true;
  }
  return false;
}

}  // namespace skald
