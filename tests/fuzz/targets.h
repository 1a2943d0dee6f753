// The fuzz targets: each is given any bytes at all, and aborts (SKALD_CHECK, a sanitizer) when what
// it claims of them does not hold. fuzz_main.cc drives one with libFuzzer, replay_test.cc runs all
// of them over the corpora.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace skald::fuzz {

/// HTTP/1.1 messages: however they are cut, they read the same; what is written reads back.
void http_reader(std::string_view input);
/// A Connect call or answer: envelope, then every kind of request by its procedure.
void connect_call(std::string_view input);
/// Every message of the API, as JSON and protobuf: what was read, written and read is the same.
void api_message(std::string_view input);
/// A definition sent as data: its stored form is a fixed point and gives the same plan.
void inline_definition(std::string_view input);
/// A participant's answer, from bytes to outcome: the classifier is total and never guesses
/// success.
void participant_answer(std::string_view input);
/// A filter: what is read, printed and read is the same, and what it says of many sagas holds for
/// one of them.
void filter_text(std::string_view input);
/// Every kind of value as on disk: decoded, encoded and, where it is a history, folded without
/// harm.
void stored_record(std::string_view input);
/// The configuration file, the environment and flags: what is printed reads back.
void configuration(std::string_view input);
/// URLs of participants and the rules on addresses: no wide rule and no name opens a guarded one.
void participant_address(std::string_view input);
/// JSON text, payloads and the canonical form.
void json_payload(std::string_view input);
/// Keys, ids, page tokens and the headers of a saga's call.
void keys_and_tokens(std::string_view input);

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};

inline constexpr std::array<Target, 11> kTargets{{
    {"http_reader", http_reader},
    {"connect_call", connect_call},
    {"api_message", api_message},
    {"inline_definition", inline_definition},
    {"filter_text", filter_text},
    {"participant_answer", participant_answer},
    {"stored_record", stored_record},
    {"configuration", configuration},
    {"participant_address", participant_address},
    {"json_payload", json_payload},
    {"keys_and_tokens", keys_and_tokens},
}};

/// Takes one byte off the front; 0 when there is none. Targets choose their variant by it.
inline std::uint8_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

/// Takes up to and with the next line feed off the front, and returns what stood before it.
inline std::string_view take_line(std::string_view& input) {
  const std::string_view line = input.substr(0, input.find('\n'));
  input.remove_prefix(line.size() == input.size() ? line.size() : line.size() + 1);
  return line;
}

}  // namespace skald::fuzz
