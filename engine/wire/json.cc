#include "engine/wire/json.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace skald::wire {
namespace {

constexpr std::size_t kFieldNameShownMax = 64;

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (point >> 6)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (point >> 12)));
    out.push_back(static_cast<char>(0x80 | ((point >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (point >> 18)));
    out.push_back(static_cast<char>(0x80 | ((point >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((point >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
  }
}

/// Length of the UTF-8 sequence at the start of `text` (1 to 4); 0 when there is none.
/// Source: the Unicode Standard, table 3-7 (overlong forms and surrogates are not well-formed).
std::size_t utf8_sequence_size(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0) == 0x80; };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (lead == 0xE0 && at(1) < 0xA0) return 0;
    if (lead == 0xED && at(1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xF0 && at(1) < 0x90) return 0;
    if (lead == 0xF4 && at(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

/// Walks one JSON text. With a wanted key it also copies out that member of the outermost object.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}
  /// With this, an object that names a member twice is a fault.
  JsonScanner& demand_unique_members() {
    unique_ = true;
    return *this;
  }
  JsonScanner(std::string_view text, std::string_view wanted) : text_(text), wanted_(wanted) {}

  bool run() {
    skip_space();
    if (!value(0)) return false;
    skip_space();
    return at_ == text_.size() || stop("text after the value");
  }
  [[nodiscard]] JsonFault fault() const { return {at_, what_}; }
  [[nodiscard]] std::optional<std::string>& found() { return found_; }

 private:
  bool stop(std::string_view what) {
    if (what_.empty()) what_ = what;
    return false;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
      ++at_;
    }
  }

  bool value(int depth) {
    switch (peek()) {
      case '{':
        return depth < kJsonDepthMax ? object(depth + 1) : stop("nested too deeply");
      case '[':
        return depth < kJsonDepthMax ? array(depth + 1) : stop("nested too deeply");
      case '"':
        return string(nullptr);
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  struct Member {
    std::string name;
    std::size_t at;
    bool operator<(const Member& other) const {
      return name != other.name ? name < other.name : at < other.at;
    }
  };

  bool object(int depth) {
    std::vector<Member> members;
    return members_of_object(depth, members) && all_differ(members);
  }

  bool all_differ(std::vector<Member>& members) {
    std::ranges::sort(members, std::less<>());
    const auto twice = std::ranges::adjacent_find(members, {}, &Member::name);
    if (twice == members.end()) return true;
    at_ = std::next(twice)->at;
    return stop("a member that is there already");
  }

  bool members_of_object(int depth, std::vector<Member>& members) {
    ++at_;
    skip_space();
    if (peek() == '}') return ++at_, true;
    while (true) {
      if (peek() != '"') return stop("a member name in quotes expected");
      const bool look = depth == 1 && !wanted_.empty();
      const std::size_t from = at_;
      std::string key;
      if (!string(look || unique_ ? &key : nullptr)) return false;
      if (unique_) members.push_back({.name = key, .at = from});
      skip_space();
      if (peek() != ':') return stop("':' expected");
      ++at_;
      skip_space();
      if (look && key == wanted_ && peek() == '"') {
        if (!string(&found_.emplace())) return false;
      } else if (!value(depth)) {
        return false;
      }
      skip_space();
      if (peek() == '}') return ++at_, true;
      if (peek() != ',') return stop("',' or '}' expected");
      ++at_;
      skip_space();
    }
  }

  bool array(int depth) {
    ++at_;
    skip_space();
    if (peek() == ']') return ++at_, true;
    while (true) {
      if (!value(depth)) return false;
      skip_space();
      if (peek() == ']') return ++at_, true;
      if (peek() != ',') return stop("',' or ']' expected");
      ++at_;
      skip_space();
    }
  }

  bool word(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return stop("a value expected");
    at_ += expected.size();
    return true;
  }

  bool digits() {
    const std::size_t from = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > from;
  }

  bool number() {
    if (at_ == text_.size()) return stop("a value expected, the text ends");
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else if (!digits()) {
      return stop("a value expected");
    }
    if (peek() == '.') {
      ++at_;
      if (!digits()) return stop("a digit expected");
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return stop("a digit expected");
    }
    return true;
  }

  bool hex4(std::uint32_t& unit) {
    unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const bool decimal = c >= '0' && c <= '9';
      const char lower = static_cast<char>(c | 0x20);
      if (!decimal && (lower < 'a' || lower > 'f')) return stop("four hexadecimal digits expected");
      unit = unit * 16 + static_cast<std::uint32_t>(decimal ? c - '0' : lower - 'a' + 10);
    }
    return true;
  }

  bool unicode_escape(std::string* out) {
    std::uint32_t point = 0;
    if (!hex4(point)) return false;
    if (point >= 0xDC00 && point <= 0xDFFF) return stop("a lone low surrogate");
    if (point >= 0xD800 && point <= 0xDBFF) {
      std::uint32_t low = 0;
      if (!text_.substr(at_).starts_with("\\u")) return stop("a lone high surrogate");
      at_ += 2;
      if (!hex4(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return stop("a lone high surrogate");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    if (out != nullptr) append_utf8(*out, point);
    return true;
  }

  bool escape(std::string* out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (peek() == 'u') return ++at_, unicode_escape(out);
    const auto which = kNames.find(peek());
    if (at_ == text_.size() || which == std::string_view::npos) return stop("an unknown escape");
    ++at_;
    if (out != nullptr) out->push_back(kValues[which]);
    return true;
  }

  bool string(std::string* out) {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return stop("a control character in a string");
      if (c == '\\') {
        ++at_;
        if (!escape(out)) return false;
        continue;
      }
      const std::size_t size = utf8_sequence_size(text_.substr(at_));
      if (size == 0) return stop("not UTF-8");
      if (out != nullptr) out->append(text_, at_, size);
      at_ += size;
    }
    return stop("a string without its end");
  }

  std::string_view text_;
  std::string_view wanted_;
  bool unique_ = false;
  std::size_t at_ = 0;
  std::string_view what_;
  std::optional<std::string> found_;
};

/// protobuf's sentence holds values of the payload; what is kept of it is the place and the reason.
/// Its forms (protobuf 3.21): "(path): invalid value V for type T", "(path) name: Cannot find
/// field.", "name: Cannot find field.", ": invalid value oneof ...", ": Root element ...".
std::string reason_without_payload(std::string_view text) {
  constexpr std::string_view kUnknownField = ": Cannot find field.";
  std::string path;
  if (text.starts_with('(')) {
    const std::size_t close = text.find(')');
    path = text.substr(1, close == std::string_view::npos ? close : close - 1);
    text.remove_prefix(std::min(text.size(), path.size() + 2));
  }
  if (text.ends_with(kUnknownField)) {
    text.remove_suffix(kUnknownField.size());
    if (text.starts_with(' ')) text.remove_prefix(1);
    std::string field(text.substr(0, kFieldNameShownMax));
    const auto shown = [](char c) { return c >= '!' && c <= '~'; };
    std::ranges::replace_if(field, std::not_fn(shown), '?');
    return fmt::format("unknown field {}{}{}", path, path.empty() ? "" : ".", field);
  }
  if (!path.empty()) return fmt::format("field {} has a value that does not fit its type", path);
  if (text.find("oneof") != std::string_view::npos) return "two members of one oneof are set";
  if (text.find("Root element") != std::string_view::npos) return "the body is not a JSON object";
  return "it does not fit the message";
}

}  // namespace

std::optional<JsonFault> find_json_fault(std::string_view text) {
  JsonScanner scanner(text);
  if (scanner.run()) return std::nullopt;
  return scanner.fault();
}

std::optional<std::string> json_string_member(std::string_view text, std::string_view key) {
  JsonScanner scanner(text, key);
  if (!scanner.run()) return std::nullopt;
  return std::move(scanner.found());
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  // Nearly all of nearly every text: taken in runs.
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  out.push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    const auto from = text.begin() + static_cast<std::ptrdiff_t>(i);
    const auto run = static_cast<std::size_t>(std::find_if_not(from, text.end(), is_plain) - from);
    out.append(text, i, run);
    i += run;
    if (i == text.size()) break;
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out.append("\\u00");
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[c & 0xF]);
    } else if (const std::size_t size = utf8_sequence_size(text.substr(i)); size != 0) {
      out.append(text, i, size);
      i += size;
      continue;
    } else {
      out.append("\xEF\xBF\xBD");
    }
    ++i;
  }
  out.push_back('"');
}

void cut_utf8(std::string& text, std::size_t size_max) {
  if (text.size() <= size_max) return;
  while (size_max > 0 && (static_cast<unsigned char>(text[size_max]) & 0xC0) == 0x80) --size_max;
  text.resize(size_max);
}

Result<void> message_from_json(std::string_view text, google::protobuf::Message& message) {
  // protobuf's own reader is laxer than JSON and quotes the text in its errors; after this check
  // what it can still refuse is a field.
  // Which of two equal members counts nobody should have to guess (RFC 8259 leaves it open).
  JsonScanner scanner(text);
  if (!scanner.demand_unique_members().run()) {
    const JsonFault fault = scanner.fault();
    return fail(Errc::invalid_argument, "body is not valid JSON at byte {}: {}", fault.offset,
                fault.what);
  }
  const auto status =
      google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &message);
  if (status.ok()) return {};
  const auto reason = status.message();
  return fail(Errc::invalid_argument, "body is not a {}: {}", message.GetTypeName(),
              reason_without_payload({reason.data(), reason.size()}));
}

Result<std::string> message_to_json(const google::protobuf::Message& message) {
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text);
  if (status.ok()) return text;
  return fail(Errc::internal, "a {} has no JSON form; ask for application/proto",
              message.GetTypeName());
}

}  // namespace skald::wire
