#include "participants/kit/saga_headers.h"

#include <algorithm>

namespace skald::kit {
namespace {

/// A structured-field string, or the bare token that older clients send.
Result<std::string> unquote(std::string_view text) {
  if (!text.starts_with('"')) return std::string(text);
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (i + 1 == text.size()) return out;
      break;
    }
    if (text[i] == '\\' && ++i == text.size()) break;
    out.push_back(text[i]);
  }
  return fail(Errc::invalid_argument, "{}: not a quoted string", kIdempotencyKeyHeader);
}

Result<std::string> parse_key(std::string_view text) {
  auto key = unquote(text);
  if (!key) return key;
  if (key->empty()) return fail(Errc::invalid_argument, "{}: empty", kIdempotencyKeyHeader);
  if (key->size() > kKeyBytesMax) {
    return fail(Errc::invalid_argument, "{}: longer than {} bytes", kIdempotencyKeyHeader,
                kKeyBytesMax);
  }
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (!std::ranges::all_of(*key, printable)) {
    return fail(Errc::invalid_argument, "{}: not printable ASCII", kIdempotencyKeyHeader);
  }
  return key;
}

std::optional<Operation> operation_of(std::string_view text) {
  for (const auto operation : {Operation::action, Operation::compensation, Operation::probe}) {
    if (text == name(operation)) return operation;
  }
  return std::nullopt;
}

struct KeyParts {
  std::string_view saga_id, leg, operation;
};

/// {saga}/{leg}/{operation}[/g2]; empty parts where the key has another form.
KeyParts split_key(std::string_view key) {
  const auto first = key.find('/');
  if (first == std::string_view::npos) return {};
  const auto second = key.find('/', first + 1);
  if (second == std::string_view::npos) return {};
  const auto third = std::min(key.find('/', second + 1), key.size());
  KeyParts parts{key.substr(0, first), key.substr(first + 1, second - first - 1),
                 key.substr(second + 1, third - second - 1)};
  if (!operation_of(parts.operation)) return {};
  return parts;
}

}  // namespace

std::string_view name(Operation operation) {
  switch (operation) {
    case Operation::action:
      return "action";
    case Operation::compensation:
      return "compensation";
    case Operation::probe:
      return "probe";
  }
  return "";
}

Result<std::optional<SagaCall>> parse_saga_call(const std::vector<HttpHeader>& headers) {
  const auto* raw = find_header(headers, kIdempotencyKeyHeader);
  if (!raw) return std::nullopt;
  auto key = parse_key(*raw);
  if (!key) return std::unexpected(key.error());

  const KeyParts parts = split_key(*key);
  SagaCall call;
  const auto* saga_id = find_header(headers, kSagaIdHeader);
  const auto* leg = find_header(headers, kLegHeader);
  call.saga_id = saga_id ? *saga_id : std::string(parts.saga_id);
  call.leg = leg ? *leg : std::string(parts.leg);
  if (call.saga_id.size() > kSagaIdBytesMax || call.saga_id.find('/') != std::string::npos) {
    return fail(Errc::invalid_argument, "{}: a slash, or longer than {} bytes", kSagaIdHeader,
                kSagaIdBytesMax);
  }
  if (call.leg.size() > kLegBytesMax) {
    return fail(Errc::invalid_argument, "{}: longer than {} bytes", kLegHeader, kLegBytesMax);
  }
  if (call.saga_id.empty() || call.leg.empty()) call.saga_id = call.leg = "";

  if (const auto* operation = find_header(headers, kOperationHeader)) {
    const auto known = operation_of(*operation);
    if (!known) {
      return fail(Errc::invalid_argument, "{}: action, compensation or probe", kOperationHeader);
    }
    call.operation = *known;
  } else {
    call.operation = operation_of(parts.operation).value_or(Operation::action);
  }
  call.key = std::move(*key);
  return call;
}

}  // namespace skald::kit
