#include "tools/skaldctl/output.h"

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <boost/json.hpp>

#include "engine/wire/json.h"
#include "tools/skaldctl/table.h"

namespace skald::ctl {
namespace {

namespace json = boost::json;

/// JSON written as YAML: block style, strings quoted as JSON where they need it.
class YamlWriter {
 public:
  explicit YamlWriter(std::string& out) : out_(out) {}

  void value(const json::value& from, std::size_t indent) {
    if (from.is_object() && !from.get_object().empty()) {
      return object(from.get_object(), indent);
    }
    if (from.is_array() && !from.get_array().empty()) return array(from.get_array(), indent);
    out_ += ' ';
    out_ += scalar(from);
    out_ += '\n';
  }

 private:
  void object(const json::object& from, std::size_t indent) {
    if (!out_.empty() && out_.back() != '\n' && !in_item_) out_ += '\n';
    for (const auto& [key, item] : from) {
      if (!in_item_) out_.append(indent, ' ');
      in_item_ = false;
      out_ += text({key.data(), key.size()});
      out_ += ':';
      value(item, indent + 2);
    }
  }

  void array(const json::array& from, std::size_t indent) {
    if (!out_.empty() && out_.back() != '\n') out_ += '\n';
    for (const json::value& item : from) {
      out_.append(indent, ' ');
      out_ += '-';
      if (item.is_object() && !item.get_object().empty()) {
        out_ += ' ';
        in_item_ = true;
      }
      value(item, indent + 2);
    }
  }

  static std::string scalar(const json::value& from) {
    if (from.is_string()) return text({from.get_string().data(), from.get_string().size()});
    return json::serialize(from);
  }

  static std::string text(std::string_view plain) {
    constexpr std::string_view kSafe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./()[] ";
    const bool word = !plain.empty() && plain.find_first_not_of(kSafe) == plain.npos &&
                      plain.find_first_of("0123456789-. [") != 0 && plain.back() != ' ' &&
                      plain != "true" && plain != "false" && plain != "null" && plain != "yes" &&
                      plain != "no";
    if (word) return std::string(plain);
    std::string quoted;
    wire::append_json_string(quoted, plain);
    return quoted;
  }

  std::string& out_;
  bool in_item_ = false;  // just behind "- ": the first key goes on this line
};

}  // namespace

std::optional<Format> format_named(std::string_view text) {
  if (text == "table") return Format::table;
  if (text == "wide") return Format::wide;
  if (text == "json") return Format::json;
  if (text == "jsonl") return Format::jsonl;
  if (text == "yaml") return Format::yaml;
  if (text == "name") return Format::name;
  return std::nullopt;
}

bool is_for_programs(Format format) {
  return format == Format::json || format == Format::jsonl || format == Format::yaml;
}

std::string print_message(Format format, const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = format == Format::json;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return "";
  if (format != Format::yaml) {
    if (!text.ends_with('\n')) text += '\n';
    return text;
  }
  json::error_code ec;
  const json::value parsed = json::parse(text, ec);
  std::string yaml;
  if (!ec) YamlWriter(yaml).value(parsed, 0);
  return yaml;
}

std::string print_facts(
    Format format, std::initializer_list<std::pair<std::string_view, std::string_view>> facts) {
  google::protobuf::Struct message;
  for (const auto& [key, value] : facts) {
    (*message.mutable_fields())[std::string(key)].set_string_value(std::string(value));
  }
  return print_message(format, message);
}

void say_error(const Terminal& terminal, Format format, const Error& error, std::string_view hint) {
  if (!is_for_programs(format)) {
    std::string text = fmt::format("skaldctl: {}: {}", name(error.code), error.message);
    if (!hint.empty()) text += fmt::format("\nhint: {}", hint);
    if (terminal.err_width != 0) text = wrapped_lines(text, terminal.err_width);
    return terminal.err(text + "\n");
  }
  std::string text = R"({"error":{"code":")";
  text += name(error.code);
  text += R"(","message":)";
  wire::append_json_string(text, error.message);
  if (!hint.empty()) {
    text += R"(,"hint":)";
    wire::append_json_string(text, hint);
  }
  text += "}}\n";
  terminal.err(text);
}

}  // namespace skald::ctl
