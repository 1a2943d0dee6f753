// Which tables are damaged, for the message of an open that failed. Slow: reads every table whole.
#pragma once

#include <string>
#include <vector>

namespace rocksdb {
class Env;
}

namespace skald::rocks {

/// "NAME: what is wrong", for each table file in the directory that is not sound.
[[nodiscard]] std::vector<std::string> damaged_tables(const std::string& directory,
                                                      rocksdb::Env* env);

}  // namespace skald::rocks
