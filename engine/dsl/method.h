// Typed names: of a participant's method, and of a step whose output has a type. Literal types, to
// be written once as constants and used wherever the step or method is meant.
#pragma once

#include <google/protobuf/message.h>

#include <concepts>
#include <string_view>
#include <type_traits>

#include "engine/core/definition.h"
#include "engine/dsl/message_bytes.h"

namespace skald::dsl {

template <class T>
concept ProtoMessage = std::derived_from<T, google::protobuf::Message>;

/// One method of one participant, and what it promises about keys.
///   constexpr MethodOf<DeductStockRequest, DeductStockResponse> kDeductStock{
///       .participant = "inventory", .path = "/inventory.InventoryRpc/DeductStock",
///       .keys = KeysMode::barrier};
template <ProtoMessage Req, ProtoMessage Resp>
struct MethodOf {
  using Request = Req;
  using Response = Resp;

  std::string_view participant;
  std::string_view path;
  KeysMode keys = KeysMode::none;
  Protocol protocol = Protocol::connect_proto;
  Profile profile = Profile::native;
  Millis keys_lifetime = kKeysLifetimeDefault;

  template <Protocol kProtocol>
  static bool reads(std::string_view bytes) {
    Resp response;
    return decode(bytes, kProtocol, response).has_value();
  }
  [[nodiscard]] ResponseCheck response_check() const {
    switch (protocol) {
      case Protocol::connect_proto:
        return &reads<Protocol::connect_proto>;
      case Protocol::connect_json:
        return &reads<Protocol::connect_json>;
      case Protocol::http_json:
        return &reads<Protocol::http_json>;
    }
    return nullptr;
  }

  [[nodiscard]] Method method() const {
    return {.participant = std::string(participant),
            .path = std::string(path),
            .protocol = protocol,
            .profile = profile,
            .keys = keys,
            .keys_lifetime = keys_lifetime,
            .headers = {},
            .outcomes = {},
            .reads = response_check()};
  }
};

/// A step by name, with the type of its output: constexpr StepOf<OrderTotal> kTotal{"total"};
/// Declaring a step and reading its output by the same handle makes a wrong type a compile error.
template <ProtoMessage Out>
struct StepOf {
  using Output = Out;

  constexpr StepOf(const char* step_name) : name(step_name) {}       // NOLINT: meant to convert
  constexpr StepOf(std::string_view step_name) : name(step_name) {}  // NOLINT: meant to convert

  std::string_view name;
};

/// What a step is declared by: a handle, which fixes its output, or a bare name, which does not.
struct AnyOutput {};

template <class Name>
struct StepNameTraits {
  using Output = AnyOutput;
  static std::string_view text(std::string_view name) { return name; }
};
template <class Out>
struct StepNameTraits<StepOf<Out>> {
  using Output = Out;
  static std::string_view text(const StepOf<Out>& name) { return name.name; }
};

template <class Name>
using OutputNamed = typename StepNameTraits<std::decay_t<Name>>::Output;
template <class Name>
concept StepName =
    !std::same_as<OutputNamed<Name>, AnyOutput> || std::convertible_to<Name, std::string_view>;
template <StepName Name>
std::string step_text(const Name& name) {
  return std::string(StepNameTraits<std::decay_t<Name>>::text(name));
}

/// Whether an output of type `Out` is what the step was declared with.
template <class Declared, class Out>
concept OutputFits = std::same_as<Declared, AnyOutput> || std::same_as<Declared, Out>;

}  // namespace skald::dsl
