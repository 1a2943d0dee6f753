#include "engine/api/merge_patch.h"

namespace skald::api {

// Recursion is bounded by the depth of the patch, which its reader bounds.
void merge_patch(const google::protobuf::Value& patch, google::protobuf::Value& target) {
  if (!patch.has_struct_value()) {
    target = patch;
    return;
  }
  if (!target.has_struct_value()) target.mutable_struct_value()->Clear();
  auto& members = *target.mutable_struct_value()->mutable_fields();
  for (const auto& [name, value] : patch.struct_value().fields()) {
    if (value.has_null_value()) {
      members.erase(name);
    } else {
      merge_patch(value, members[name]);
    }
  }
}

}  // namespace skald::api
