// Payloads between google.protobuf.Value and JSON text. Boost.JSON reads; the walk over a
// Value is ours, because protobuf's own printer neither sorts keys nor keeps integers plain.
#include "engine/api/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <vector>

#include "engine/wire/json.h"

namespace skald::api {
namespace {

using google::protobuf::Value;
namespace json = boost::json;

class CanonicalWriter {
 public:
  explicit CanonicalWriter(std::string_view field) : path_(field) {}

  Result<void> write(const Value& value, int depth) {
    if (depth > wire::kJsonDepthMax) {
      return fail(Errc::invalid_argument, "{}: nested deeper than {} levels", path_,
                  wire::kJsonDepthMax);
    }
    switch (value.kind_case()) {
      case Value::kNullValue:
      case Value::KIND_NOT_SET:
        out_ += "null";
        return {};
      case Value::kBoolValue:
        out_ += value.bool_value() ? "true" : "false";
        return {};
      case Value::kNumberValue:
        return write_number(value.number_value());
      case Value::kStringValue:
        write_string(value.string_value());
        return {};
      case Value::kListValue:
        return write_list(value.list_value(), depth);
      case Value::kStructValue:
        return write_object(value.struct_value(), depth);
    }
    return {};
  }

  std::string take() { return std::move(out_); }

 private:
  void write_string(std::string_view text) { wire::append_json_string(out_, text); }

  Result<void> write_number(double number) {
    if (!std::isfinite(number)) {
      return fail(Errc::invalid_argument, "{}: not a finite number", path_);
    }
    if (std::trunc(number) != number) {
      out_ += fmt::format("{}", number);  // the shortest text that reads back as the same double
      return {};
    }
    if (std::abs(number) > kExactIntegerMax) {
      return fail(Errc::invalid_argument,
                  "{}: integers beyond 2^53 lose digits as JSON numbers; send it as a string",
                  path_);
    }
    out_ += fmt::format("{}", static_cast<std::int64_t>(number));
    return {};
  }

  Result<void> write_list(const google::protobuf::ListValue& list, int depth) {
    out_ += '[';
    for (int i = 0; i < list.values_size(); ++i) {
      if (i > 0) out_ += ',';
      const std::size_t length = path_.size();
      path_ += fmt::format("[{}]", i);
      if (auto written = write(list.values(i), depth + 1); !written) return written;
      path_.resize(length);
    }
    out_ += ']';
    return {};
  }

  Result<void> write_object(const google::protobuf::Struct& object, int depth) {
    std::vector<const std::string*> keys;
    keys.reserve(object.fields().size());
    for (const auto& [key, value] : object.fields()) keys.push_back(&key);
    std::ranges::sort(keys, {}, [](const std::string* key) -> const std::string& { return *key; });
    out_ += '{';
    for (const std::string* key : keys) {
      if (key != keys.front()) out_ += ',';
      write_string(*key);
      out_ += ':';
      const std::size_t length = path_.size();
      path_ += '.';
      path_ += *key;
      if (auto written = write(object.fields().at(*key), depth + 1); !written) return written;
      path_.resize(length);
    }
    out_ += '}';
    return {};
  }

  std::string out_;
  std::string path_;  // where we are, for errors
};

void fill(const json::value& from, Value& to);

void fill_number(std::int64_t number, Value& to) {
  if (std::abs(static_cast<double>(number)) > kExactIntegerMax) {
    to.set_string_value(fmt::format("{}", number));
  } else {
    to.set_number_value(static_cast<double>(number));
  }
}

void fill(const json::value& from, Value& to) {
  switch (from.kind()) {
    case json::kind::null:
      to.set_null_value(google::protobuf::NULL_VALUE);
      return;
    case json::kind::bool_:
      to.set_bool_value(from.get_bool());
      return;
    case json::kind::int64:
      fill_number(from.get_int64(), to);
      return;
    case json::kind::uint64:  // only beyond the range of int64
      to.set_string_value(fmt::format("{}", from.get_uint64()));
      return;
    case json::kind::double_:
      to.set_number_value(from.get_double());
      return;
    case json::kind::string:
      to.set_string_value(from.get_string().data(), from.get_string().size());
      return;
    case json::kind::array: {
      auto* list = to.mutable_list_value();
      for (const json::value& item : from.get_array()) fill(item, *list->add_values());
      return;
    }
    case json::kind::object: {
      auto& fields = *to.mutable_struct_value()->mutable_fields();
      for (const auto& [key, item] : from.get_object()) {
        fill(item, fields[std::string(key.data(), key.size())]);
      }
      return;
    }
  }
}

}  // namespace

Result<std::string> json_text(const Value& value, std::string_view field) {
  CanonicalWriter writer(field);
  if (auto written = writer.write(value, 1); !written) return std::unexpected(written.error());
  return writer.take();
}

bool read_json(std::string_view text, Value& value) {
  json::parse_options options;
  options.max_depth = wire::kJsonDepthMax;
  json::error_code ec;
  const json::value parsed = json::parse(json::string_view(text), ec, {}, options);
  if (ec) return false;
  fill(parsed, value);
  return true;
}

}  // namespace skald::api
