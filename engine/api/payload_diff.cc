#include "engine/api/payload_diff.h"

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <map>

#include "engine/api/payload.h"

namespace skald::api {
namespace {

using google::protobuf::Value;
using Lines = std::vector<std::string>;

/// One member or item a line, so that a difference is as small as what differs.
class Layout {
 public:
  Lines take() && { return std::move(lines_); }

  void write(const Value& value, std::string lead, std::size_t indent, std::string_view tail) {
    switch (value.kind_case()) {
      case Value::kStructValue: {
        const auto& fields = value.struct_value().fields();
        const std::map<std::string_view, const Value*> sorted = by_key(fields);
        std::size_t left = sorted.size();
        open(std::move(lead), '{', indent);
        for (const auto& [key, member] : sorted) {
          write(*member, fmt::format("\"{}\": ", key), indent + 2, --left == 0 ? "" : ",");
        }
        return add(indent, fmt::format("}}{}", tail));
      }
      case Value::kListValue: {
        std::size_t left = static_cast<std::size_t>(value.list_value().values_size());
        open(std::move(lead), '[', indent);
        for (const Value& item : value.list_value().values()) {
          write(item, "", indent + 2, --left == 0 ? "" : ",");
        }
        return add(indent, fmt::format("]{}", tail));
      }
      case Value::kNullValue:
      case Value::kNumberValue:
      case Value::kStringValue:
      case Value::kBoolValue:
      case Value::KIND_NOT_SET:
        break;
    }
    const auto text = json_text(value, "");
    add(indent, fmt::format("{}{}{}", lead, text ? *text : "?", tail));
  }

 private:
  template <class Fields>
  static std::map<std::string_view, const Value*> by_key(const Fields& fields) {
    std::map<std::string_view, const Value*> sorted;
    for (const auto& [key, member] : fields) sorted.emplace(key, &member);
    return sorted;
  }
  void open(std::string lead, char bracket, std::size_t indent) {
    lead += bracket;
    add(indent, lead);
  }
  void add(std::size_t indent, std::string_view text) {
    lines_.push_back(std::string(indent, ' ').append(text));
  }

  Lines lines_;
};

Lines laid_out(std::string_view payload) {
  Value value;
  if (!read_json(payload, value)) return {std::string(payload)};
  Layout layout;
  layout.write(value, "", 0, "");
  return std::move(layout).take();
}

/// Longest common subsequence, by the table: payloads of people are short.
Lines diff(const Lines& before, const Lines& after) {
  const std::size_t n = before.size();
  const std::size_t m = after.size();
  std::vector<std::vector<std::uint16_t>> common(n + 1, std::vector<std::uint16_t>(m + 1));
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;) {
      common[i][j] = before[i] == after[j] ? static_cast<std::uint16_t>(common[i + 1][j + 1] + 1)
                                           : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  Lines out;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && before[i] == after[j]) {
      out.push_back("  " + before[i++]);
      ++j;
    } else if (i < n && (j == m || common[i + 1][j] >= common[i][j + 1])) {
      out.push_back("- " + before[i++]);
    } else {
      out.push_back("+ " + after[j++]);
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> payload_diff(std::string_view before, std::string_view after) {
  const Lines old_lines = laid_out(before);
  const Lines new_lines = laid_out(after);
  if (old_lines == new_lines) return {};
  if (old_lines.size() <= kDiffLinesMax && new_lines.size() <= kDiffLinesMax) {
    return diff(old_lines, new_lines);
  }
  Lines out;
  for (const std::string& line : old_lines) out.push_back("- " + line);
  for (const std::string& line : new_lines) out.push_back("+ " + line);
  return out;
}

}  // namespace skald::api
