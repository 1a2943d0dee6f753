#include "engine/base/check.h"
#include "engine/core/facts.h"
#include "engine/core/state.h"
#include "engine/transport/address_rules.h"
#include "engine/wire/connect.h"
#include "engine/wire/definition.h"
#include "engine/wire/json.h"
#include "skald/v1/definition.pb.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

/// As skaldd judges URLs: what is no address is judged when it is resolved.
Result<void> loopback_only(std::string_view url) {
  static const AddressRules rules;
  const auto parsed = parse_http_url(url);
  if (!parsed) return std::unexpected(parsed.error());
  const auto address = literal_address(parsed->host);
  return address ? rules.check(*parsed, *address) : Result<void>{};
}

void check_request(const Definition& definition, const StepDefinition& step) {
  SagaState state;
  state.steps.resize(definition.steps.size());
  if (!step.legs) return;
  const auto legs = step.legs(Facts(definition, state));
  SKALD_CHECK(legs.has_value() && legs->size() == 1, "step={}", step.name);
  const Bytes& request = legs->front().request;
  if (step.action.method.protocol != Protocol::connect_proto) {
    SKALD_CHECK(!wire::find_json_fault(request), "step={}", step.name);
  }
  if (!step.undo) return;
  const auto undo = step.undo(Facts(definition, state), request, nullptr);
  SKALD_CHECK(undo.has_value(), "step={}", step.name);
}

void check_sound(const Definition& definition) {
  SKALD_CHECK(validate(definition).empty());
  const auto again = wire::definition_of_source(definition.source);
  SKALD_CHECK(again.has_value(), "{}", again.error().message);
  const Definition& stored = **again;
  SKALD_CHECK(stored.source == definition.source && stored.name == definition.name);
  SKALD_CHECK(stored.version == definition.version && stored.deadline == definition.deadline);
  SKALD_CHECK(stored.steps.size() == definition.steps.size());
  for (std::size_t i = 0; i < stored.steps.size(); ++i) {
    SKALD_CHECK(stored.steps[i].action == definition.steps[i].action);
    SKALD_CHECK(stored.steps[i].compensation == definition.steps[i].compensation);
    check_request(definition, definition.steps[i]);
  }
}

}  // namespace

void inline_definition(std::string_view input) {
  const std::uint8_t choice = take_byte(input);
  const auto codec = (choice & 1) != 0 ? wire::ConnectCodec::json : wire::ConnectCodec::proto;
  v1::Definition message;
  if (!wire::decode_message(codec, input, message)) return;
  const auto read =
      wire::read_definition(message, (choice & 2) != 0 ? loopback_only : wire::AddressRule{});
  if (read) return check_sound(**read);
  const Errc code = read.error().code;
  SKALD_CHECK(code == Errc::invalid_argument || code == Errc::permission_denied ||
              code == Errc::resource_exhausted);
  SKALD_CHECK(!read.error().message.empty());
}

}  // namespace skald::fuzz
