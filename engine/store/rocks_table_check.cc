#include "engine/store/rocks_table_check.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>

#include "engine/store/rocks_options.h"

namespace skald::rocks {

rocksdb::Status check_table(const std::string& path, rocksdb::Env* env) {
  const rocksdb::Options options(database_options(env, {}, {}), event_options(block_cache()));
  rocksdb::SstFileReader reader(options);
  auto status = reader.Open(path);
  if (status.ok()) status = reader.VerifyChecksum();
  return status;
}

std::vector<std::string> damaged_tables(const std::string& directory, rocksdb::Env* env) {
  std::vector<std::string> names;
  const auto& files = env->GetFileSystem();
  if (!files->GetChildren(directory, rocksdb::IOOptions(), &names, nullptr).ok()) return {};
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(".sst"); });
  std::ranges::sort(names);
  std::vector<std::string> damaged;
  for (const std::string& name : names) {
    const auto status = check_table(directory + "/" + name, env);
    if (!status.ok()) damaged.push_back(name + ": " + status.ToString());
  }
  return damaged;
}

}  // namespace skald::rocks
