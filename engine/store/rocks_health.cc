#include "engine/store/rocks_health.h"

namespace skald::rocks {

Result<void> Health::may_write() const {
  const std::scoped_lock lock(mutex_);
  if (ended_) return std::unexpected(*ended_);
  return {};
}

void Health::end_writing(std::string_view reason) {
  const std::scoped_lock lock(mutex_);
  if (ended_) return;
  ended_ =
      Error{Errc::unavailable,
            fmt::format("store: writing has ended: {}; what was being written may or may not be "
                        "on disk: restart to find out",
                        reason)};
  log_.error("writing has ended, restart needed reason=\"{}\"", reason);
}

void Health::OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) {
  end_writing(status == nullptr ? "background error" : status->ToString());
}

void Health::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                                  bool* auto_recovery) {
  *auto_recovery = false;
}

}  // namespace skald::rocks
