// The forms of an answer: `-o table|wide|json|jsonl|yaml|name`, and how errors are said.
#pragma once

#include <google/protobuf/message.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/error.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

enum class Format : std::uint8_t { table = 1, wide, json, jsonl, yaml, name };

[[nodiscard]] std::optional<Format> format_named(std::string_view text);
/// Whether programs read it: then nothing is asked and errors are JSON.
[[nodiscard]] bool is_for_programs(Format format);

/// The message as indented JSON, one JSON line, or YAML. Pre: json, jsonl or yaml.
[[nodiscard]] std::string print_message(Format format, const google::protobuf::Message& message);

/// The same of a few facts that are no message of the API.
[[nodiscard]] std::string print_facts(
    Format format, std::initializer_list<std::pair<std::string_view, std::string_view>> facts);

/// On the error stream: {"error":{"code","message","hint"}} for programs, sentences for people,
/// within the width of a terminal.
void say_error(const Terminal& terminal, Format format, const Error& error, std::string_view hint);

}  // namespace skald::ctl
