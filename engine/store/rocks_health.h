// Whether a RocksStore may still write. Once it may not, it never may again: only the next open
// knows what is on disk.
#pragma once

#include <rocksdb/listener.h>

#include <mutex>
#include <optional>
#include <string_view>

#include "engine/base/log.h"
#include "engine/base/result.h"

namespace skald::rocks {

/// Thread: every call from any thread; RocksDB reports from its own.
class Health final : public rocksdb::EventListener {
 public:
  explicit Health(Logger log) : log_(std::move(log)) {}

  /// Errors: unavailable, with the first reason why writing ended.
  [[nodiscard]] Result<void> may_write() const;
  void end_writing(std::string_view reason);

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override;
  /// Never: after a full disk 7.8 recovers by itself, whatever its options say, and may then wait
  /// for that for ever when it is closed.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status status,
                            bool* auto_recovery) override;

 private:
  Logger log_;
  mutable std::mutex mutex_;  // guards ended_
  std::optional<Error> ended_;
};

}  // namespace skald::rocks
