// Which tables are damaged: all at once for the message of an open that failed, one after another
// beside whatever goes on. Slow: reads a table whole.
#pragma once

#include <rocksdb/status.h>

#include <string>
#include <vector>

namespace rocksdb {
class Env;
}

namespace skald::rocks {

/// The first block of the table at `path` that does not have its checksum, or why it cannot be
/// read.
[[nodiscard]] rocksdb::Status check_table(const std::string& path, rocksdb::Env* env);

/// "NAME: what is wrong", for each table file in the directory that is not sound.
[[nodiscard]] std::vector<std::string> damaged_tables(const std::string& directory,
                                                      rocksdb::Env* env);

}  // namespace skald::rocks
