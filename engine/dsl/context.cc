// Parses what builders read and remembers what they found missing; see the header.
#include "engine/dsl/context.h"

#include <algorithm>

namespace skald::dsl {

using google::protobuf::Message;

const Message& ContextBase::parse(std::string_view bytes, Protocol protocol,
                                  const Message& prototype, std::string_view what) const {
  const auto known = std::ranges::find_if(parsed_, [&](const Parsed& entry) {
    return entry.bytes == bytes.data() && entry.type == prototype.GetDescriptor();
  });
  if (known != parsed_.end()) return *known->message;
  Message* message = prototype.New(&arena_);
  if (const auto decoded = decode(bytes, protocol, *message); !decoded) {
    failed({decoded.error().code, std::string(what) + ": " + decoded.error().message});
    return prototype;
  }
  parsed_.push_back({bytes.data(), prototype.GetDescriptor(), message});
  return *message;
}

const Message* ContextBase::read_output(std::string_view step, const Message& prototype) const {
  const Bytes* bytes = facts_.output(step);
  if (bytes == nullptr) return nullptr;
  const Definition& definition = facts_.definition();
  const StepDefinition& plan = definition.steps[*definition.step_index(step)];
  const std::string what = "output of step " + std::string(step);
  switch (plan.kind) {
    case StepKind::query:
    case StepKind::call:
      return &parse(*bytes, plan.action.method.protocol, prototype, what);
    case StepKind::compute:
      return &parse(*bytes, Protocol::connect_proto, prototype, what);
    case StepKind::wait:
      // A signal's payload comes in either form; no proto3 message begins with a brace.
      return &parse(*bytes,
                    bytes->starts_with('{') ? Protocol::connect_json : Protocol::connect_proto,
                    prototype, what);
  }
  return nullptr;
}

const Message* ContextBase::read_leg(std::string_view step, const LegState& leg,
                                     const Message& prototype) const {
  if (!leg.has_response) return nullptr;
  const Definition& definition = facts_.definition();
  const auto index = definition.step_index(step);
  if (!index) return nullptr;
  return &parse(leg.response, definition.steps[*index].action.method.protocol, prototype,
                "response of leg " + std::string(step) + "[" + leg.key + "]");
}

void ContextBase::missing(std::string_view step) const {
  const bool known = facts_.definition().step_index(step).has_value();
  failed({Errc::failed_precondition,
          "step " + std::string(step) +
              (known ? " has no output here: it was skipped or has not finished; order this step "
                       "after it, or read it with find()"
                     : " does not exist in this definition")});
}

void ContextBase::failed(Error error) const {
  if (!failure_) failure_ = std::move(error);
}

}  // namespace skald::dsl
