#include "tools/skaldctl/exit_codes.h"

namespace skald::ctl {

Exit exit_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::out_of_range:
      return Exit::usage;
    case Errc::not_found:
      return Exit::not_found;
    case Errc::permission_denied:
    case Errc::unauthenticated:
      return Exit::not_allowed;
    case Errc::already_exists:
    case Errc::failed_precondition:
    case Errc::aborted:
      return Exit::refused;
    case Errc::deadline_exceeded:
    case Errc::canceled:
      return Exit::timed_out;
    case Errc::resource_exhausted:
    case Errc::unknown:
    case Errc::unimplemented:
    case Errc::internal:
    case Errc::unavailable:
    case Errc::data_loss:
      return Exit::server;
  }
  return Exit::server;
}

Exit exit_of(const v1::SagaAnswer& answer, v1::WaitMode::Value waited_for) {
  if (waited_for == v1::WaitMode::accepted) return Exit::ok;
  switch (answer.status()) {
    case v1::SagaStatus::compensated:
      return Exit::compensated;
    case v1::SagaStatus::stuck:
      return Exit::stuck;
    case v1::SagaStatus::abandoned:
      return Exit::abandoned;
    case v1::SagaStatus::completed:
      return Exit::ok;
    default:  // tidy: allow(default) protobuf adds sentinels to its enums
      break;
  }
  if (answer.timed_out()) return Exit::timed_out;
  // Decided and not finished: the way back is on its way to `compensated`.
  return answer.undoing() ? Exit::compensated : Exit::ok;
}

std::string_view hint_of(Errc code) {
  switch (code) {
    case Errc::unavailable:
      return "is skaldd running there? Start it with `skaldd --data DIR`, or name it with --server";
    case Errc::not_found:
      return "`skaldctl list` shows the sagas, `skaldctl definitions list` the definitions";
    case Errc::already_exists:
      return "a key belongs to one body: use a new key for a new submission";
    case Errc::failed_precondition:
      return "`skaldctl explain` says what is possible now";
    case Errc::aborted:
      return "`skaldctl explain` shows where it is now, `skaldctl wait` how it ends";
    case Errc::resource_exhausted:
      return "nothing was lost; try again later with the same key";
    case Errc::deadline_exceeded:
      return "the saga goes on: `skaldctl wait` again, or give a longer --timeout";
    case Errc::invalid_argument:
    case Errc::out_of_range:
    case Errc::permission_denied:
    case Errc::unauthenticated:
    case Errc::canceled:
    case Errc::unknown:
    case Errc::unimplemented:
    case Errc::internal:
    case Errc::data_loss:
      return "";
  }
  return "";
}

}  // namespace skald::ctl
