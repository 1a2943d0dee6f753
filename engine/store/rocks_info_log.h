// What RocksDB has to say goes to our log, from warnings on. Its own LOG file would be one more
// file that can fail: 7.8 ends the process at the second write to one that a full disk cut short.
#pragma once

#include <rocksdb/env.h>

#include "engine/base/log.h"

namespace skald::rocks {

/// Thread: every call from any thread.
class InfoLog final : public rocksdb::Logger {
 public:
  explicit InfoLog(skald::Logger log)
      : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL), log_(std::move(log)) {}

  using rocksdb::Logger::Logv;
  void LogHeader(const char*, va_list) override {}  // every option, at every start
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list values) override;

 private:
  skald::Logger log_;
};

}  // namespace skald::rocks
