// Reading definitions that arrive as data; see the header. What a sound definition is, is
// validate()'s business: here every field becomes a value, or a mistake with a stand-in, so that
// all are told.
#include "engine/wire/definition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <map>

#include "engine/core/definition_graph.h"
#include "engine/wire/fixed_payload.h"
#include "engine/wire/participant_url.h"

namespace skald::wire {
namespace {

/// Stands where a mistake has been told already, so that validate() does not tell it again.
constexpr std::string_view kStandInParticipant = "http://mistake";
constexpr std::string_view kStandInPath = "/";

struct Mistakes {
  std::vector<std::string> told;
  std::size_t refused_urls = 0;
};

/// Beyond the horizon everything is equally absurd; validate() says so.
Millis millis(std::uint64_t value) {
  const auto most = static_cast<std::uint64_t>(kHorizonMax.count()) + 1;
  return Millis{static_cast<std::int64_t>(std::min(value, most))};
}

/// One step's reader: knows its name for the mistakes.
class StepReader {
 public:
  StepReader(const v1::Step& from, const AddressRule& allowed, Mistakes& mistakes)
      : from_(from), allowed_(allowed), mistakes_(mistakes) {}

  StepDefinition read() {
    out_.name = from_.name();
    out_.kind = kind();
    out_.call_class = call_class();
    if (from_.has_after()) {
      out_.after.emplace(from_.after().steps().begin(), from_.after().steps().end());
    }
    out_.no_undo_reason = from_.no_undo();
    if (out_.kind == StepKind::wait) {
      read_wait();
    } else {
      read_action();
    }
    return std::move(out_);
  }

 private:
  template <class... Args>
  void mistake(fmt::format_string<Args...> text, Args&&... args) {
    mistakes_.told.push_back("step " + shown_name(from_.name()) + ": " +
                             fmt::format(text, std::forward<Args>(args)...));
  }

  StepKind kind() {
    switch (from_.kind()) {
      case v1::StepKind::unspecified:
        return from_.has_wait() ? StepKind::wait : StepKind::call;
      case v1::StepKind::query:
        return StepKind::query;
      case v1::StepKind::call:
        return StepKind::call;
      case v1::StepKind::wait:
        return StepKind::wait;
      case v1::StepKind::compute:
        mistake("kind: data carries no functions, so it cannot compute");
        return StepKind::call;
      default:  // tidy: allow(default) proto3 enums are open, and their sentinels are no cases
        mistake("kind: {} is not known", static_cast<int>(from_.kind()));
        return StepKind::call;
    }
  }

  CallClass call_class() {
    const bool has_way_back = from_.has_compensation() || !from_.no_undo().empty();
    switch (from_.class_()) {
      case v1::CallClass::unspecified:
        return has_way_back ? CallClass::compensatable : CallClass::none;
      case v1::CallClass::compensatable:
        return CallClass::compensatable;
      case v1::CallClass::pivot:
        return CallClass::pivot;
      case v1::CallClass::retriable:
        return CallClass::retriable;
      default:  // tidy: allow(default) proto3 enums are open, and their sentinels are no cases
        mistake("class: {} is not known", static_cast<int>(from_.class_()));
        return CallClass::none;
    }
  }

  void read_wait() {
    out_.wait.signal = from_.wait().signal();
    out_.wait.timeout = millis(from_.wait().timeout_ms());
    const auto on_timeout = from_.wait().on_timeout();
    if (on_timeout == v1::OnTimeout::reject) {
      out_.wait.on_timeout = OnTimeout::reject;
    } else if (on_timeout != v1::OnTimeout::proceed && on_timeout != v1::OnTimeout::unspecified) {
      mistake("wait: on_timeout: {} is not known", static_cast<int>(on_timeout));
    }
    if (from_.has_action()) mistake("action: a wait has none");
    if (from_.has_payload()) mistake("payload: a wait has none");
    if (from_.has_compensation()) mistake("compensation: a wait has none");
    if (from_.has_probe()) mistake("probe: a wait has none");
  }

  void read_action() {
    if (from_.has_wait()) mistake("wait: only a step of kind wait has one");
    if (!from_.has_action()) mistake("action: is missing");
    Bytes request;
    out_.action = operation("action", from_.action(), from_.payload(), request);
    out_.legs = [request](const Facts&) -> Result<std::vector<LegPlan>> {
      return std::vector<LegPlan>{{.key = "", .request = request}};
    };
    out_.print_request = out_.print_response = printer(out_.action.method.protocol);
    if (from_.has_compensation()) {
      out_.compensation.emplace();
      out_.undo = asked("compensation", from_.compensation(), from_.compensation_payload(),
                        from_.has_compensation_payload(), *out_.compensation);
      out_.print_undo_request = printer(out_.compensation->method.protocol);
    } else if (from_.has_compensation_payload()) {
      mistake("compensation_payload: there is no compensation");
    }
    if (from_.has_probe()) {
      out_.probe.emplace();
      out_.probe_request = asked("probe", from_.probe(), from_.probe_payload(),
                                 from_.has_probe_payload(), *out_.probe);
    } else if (from_.has_probe_payload()) {
      mistake("probe_payload: there is no probe");
    }
  }

  /// A compensation or probe: with a payload of its own, or with the action's.
  UndoBuilder asked(std::string_view field, const v1::Operation& from, const v1::Payload& own,
                    bool has_own, OperationPlan& plan) {
    Bytes request;
    plan = operation(field, from, has_own ? own : from_.payload(), request);
    return [request](const Facts&, const Bytes&, const Bytes*) -> Result<Bytes> { return request; };
  }

  OperationPlan operation(std::string_view field, const v1::Operation& from,
                          const v1::Payload& payload, Bytes& request) {
    OperationPlan plan;
    Method& method = plan.method;
    read_address(field, from, method);
    method.protocol = protocol(field, from, payload);
    method.keys = keys(field, from);
    if (from.has_keys_lifetime_ms()) method.keys_lifetime = millis(from.keys_lifetime_ms());
    if (from.has_timeout_ms()) plan.attempt_timeout = millis(from.timeout_ms());
    if (from.has_retry()) plan.retry = retry(from.retry());
    // Sorted, so that the same definition always makes the same value.
    const std::map<std::string, std::string> headers(from.headers().begin(), from.headers().end());
    for (const auto& [name, value] : headers) method.headers.push_back({name, value});
    const std::map<std::string, int> outcomes(from.outcomes().begin(), from.outcomes().end());
    for (const auto& [code, kind] : outcomes) {
      method.outcomes.push_back(
          {code, static_cast<OutcomeKind>(v1::OutcomeKind::Value_IsValid(kind) ? kind : 0)});
    }
    auto bytes = payload_bytes(payload, method.protocol);
    if (bytes) {
      request = std::move(*bytes);
    } else {
      mistake("{}: payload: {}", field, bytes.error().message);
    }
    return plan;
  }

  void read_address(std::string_view field, const v1::Operation& from, Method& method) {
    method.participant = kStandInParticipant;
    method.path = kStandInPath;
    const bool given = !from.url().empty() || !from.participant().empty() || !from.path().empty();
    if (!given && !from_.has_action() && field == "action") return;
    auto endpoint = read_endpoint(
        {.url = from.url(), .participant = from.participant(), .path = from.path()}, allowed_);
    if (!endpoint) {
      if (endpoint.error().code == Errc::permission_denied) mistakes_.refused_urls += 1;
      return mistake("{}: {}", field, endpoint.error().message);
    }
    method.participant = std::move(endpoint->participant);
    method.path = std::move(endpoint->path);
  }

  Protocol protocol(std::string_view field, const v1::Operation& from, const v1::Payload& payload) {
    switch (from.protocol()) {
      case v1::Protocol::unspecified:
        return default_protocol(payload);
      case v1::Protocol::connect_proto:
        return Protocol::connect_proto;
      case v1::Protocol::connect_json:
        return Protocol::connect_json;
      case v1::Protocol::http_json:
        return Protocol::http_json;
      default:  // tidy: allow(default) proto3 enums are open, and their sentinels are no cases
        mistake("{}: protocol: {} is not known", field, static_cast<int>(from.protocol()));
        return default_protocol(payload);
    }
  }

  KeysMode keys(std::string_view field, const v1::Operation& from) {
    switch (from.keys()) {
      case v1::KeysMode::unspecified:
      case v1::KeysMode::none:
        return KeysMode::none;
      case v1::KeysMode::dedup:
        return KeysMode::dedup;
      case v1::KeysMode::barrier:
        return KeysMode::barrier;
      default:  // tidy: allow(default) proto3 enums are open, and their sentinels are no cases
        mistake("{}: keys: {} is not known", field, static_cast<int>(from.keys()));
        return KeysMode::none;
    }
  }

  static RetryPolicy retry(const v1::RetryPolicy& from) {
    RetryPolicy policy;
    if (from.has_initial_ms()) policy.initial = millis(from.initial_ms());
    if (from.has_factor()) policy.factor = from.factor();
    if (from.has_delay_max_ms()) policy.delay_max = millis(from.delay_max_ms());
    if (from.has_jitter()) policy.jitter = from.jitter();
    policy.attempts_max = from.attempts_max();
    if (from.has_total_max_ms()) policy.total_max = millis(from.total_max_ms());
    return policy;
  }

  static BytesPrinter printer(Protocol protocol) {
    if (protocol != Protocol::connect_proto) return [](const Bytes& bytes) { return bytes; };
    return [](const Bytes& bytes) { return fmt::format("({} bytes of protobuf)", bytes.size()); };
  }

  const v1::Step& from_;
  const AddressRule& allowed_;
  Mistakes& mistakes_;
  StepDefinition out_;
};

Bytes canonical_bytes(const v1::Definition& from) {
  v1::Definition known = from;
  known.DiscardUnknownFields();
  Bytes out;
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    known.SerializePartialToCodedStream(&coded);
  }
  return out;
}

Error refusal(const Definition& definition, Mistakes mistakes) {
  const std::size_t count = mistakes.told.size();
  const bool only_urls = count == mistakes.refused_urls;
  std::string more;
  if (count > kMistakesToldMax) {
    mistakes.told.resize(kMistakesToldMax);
    more = fmt::format("; and {} more", count - kMistakesToldMax);
  }
  return {only_urls ? Errc::permission_denied : Errc::invalid_argument,
          fmt::format("inline definition {} has {} mistake{}: {}{}", shown_name(definition.name),
                      count, count == 1 ? "" : "s", fmt::join(mistakes.told, "; "), more)};
}

}  // namespace

Result<Endpoint> read_endpoint(const EndpointWords& words, const AddressRule& allowed) {
  const bool named = !words.participant.empty() || !words.path.empty();
  if (words.url.empty()) {
    if (!named) return fail(Errc::invalid_argument, "url: is missing");
    // A name must not be a way around the rule for URLs.
    if (words.participant.find_first_of(":/") != std::string_view::npos) {
      return fail(Errc::invalid_argument,
                  "participant: must be a configured name; an address goes into url");
    }
    if (allowed && !words.participant.empty()) {
      if (auto known = allowed(words.participant); !known) {
        return fail(Errc::invalid_argument, "participant: {}", known.error().message);
      }
    }
    return Endpoint{.participant = std::string(words.participant), .path = std::string(words.path)};
  }
  if (named) {
    return fail(Errc::invalid_argument, "url: give either url or participant and path");
  }
  auto url = parse_participant_url(words.url);
  if (!url) return fail(Errc::invalid_argument, "url: {}", url.error().message);
  Endpoint endpoint{.participant = std::move(url->origin), .path = std::move(url->path)};
  if (!allowed) return endpoint;
  if (auto may = allowed(endpoint.participant + endpoint.path); !may) {
    return fail(Errc::permission_denied, "url: {}", may.error().message);
  }
  return endpoint;
}

Result<DefinitionPtr> read_definition(const v1::Definition& from, const AddressRule& allowed) {
  Definition definition;
  definition.source = canonical_bytes(from);
  if (definition.source.size() > kInlineDefinitionBytesMax) {
    return fail(Errc::resource_exhausted,
                "inline_definition: {} bytes, more than kInlineDefinitionBytesMax={}",
                definition.source.size(), kInlineDefinitionBytesMax);
  }
  definition.name = from.name();
  definition.version = std::max(from.version(), 1U);
  definition.deadline = millis(from.deadline_ms());
  Mistakes mistakes;
  for (const v1::Step& step : from.steps()) {
    definition.steps.push_back(StepReader(step, allowed, mistakes).read());
  }
  for (std::string& mistake : validate(definition)) mistakes.told.push_back(std::move(mistake));
  if (!mistakes.told.empty()) return std::unexpected(refusal(definition, std::move(mistakes)));
  return seal(std::move(definition));
}

Result<DefinitionPtr> definition_of_source(const Bytes& source) {
  v1::Definition from;
  if (!from.ParseFromString(source)) {
    return fail(Errc::data_loss, "inline definition: {} stored bytes are no skald.v1.Definition",
                source.size());
  }
  return read_definition(from, {});
}

}  // namespace skald::wire
