// The definition under construction, and how typed functions become the core's builders. What the
// fluent methods mean is in saga_builder.h and step_builder.h.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/definition.h"
#include "engine/dsl/context.h"
#include "engine/dsl/message_bytes.h"
#include "engine/dsl/method.h"

namespace skald::dsl {

struct Draft {
  Definition definition;
  std::vector<std::string> mistakes;  // of the use of the builder; the rest is validate()'s

  [[nodiscard]] StepDefinition& step() { return definition.steps.back(); }
  void begin(std::string name, StepKind kind);
  /// Adds a mistake of the current step.
  void mistake(std::string_view text);
};

/// Seals the draft. Errors: invalid_argument listing every mistake.
[[nodiscard]] Result<DefinitionPtr> finish(Draft draft);

/// T of both T and Result<T>: builders may return either.
template <class T>
struct PlainOf {
  using Type = T;
};
template <class T>
struct PlainOf<Result<T>> {
  using Type = T;
};
template <class Fn, class... Args>
using Built = typename PlainOf<std::remove_cvref_t<std::invoke_result_t<const Fn&, Args...>>>::Type;
template <class Fn, class T, class... Args>
concept Builds = std::invocable<const Fn&, Args...> && std::same_as<Built<Fn, Args...>, T>;

/// Calls a builder. What it read and did not find outweighs what it returned.
template <class Fn, class... Args>
Result<Built<Fn, Args...>> run(const ContextBase& context, const Fn& fn, const Args&... args) {
  Result<Built<Fn, Args...>> built(std::invoke(fn, args...));
  if (context.failure()) return std::unexpected(*context.failure());
  return built;
}

template <ProtoMessage T>
BytesPrinter printer(Protocol protocol) {
  return [protocol](const Bytes& bytes) { return print(bytes, protocol, T::default_instance()); };
}

/// A message that a person writes instead of the builder's, in the form its method speaks.
template <ProtoMessage T>
InputReader message_reader(Protocol protocol) {
  return [protocol](InputForm form, std::string_view bytes) -> Result<Bytes> {
    T message;
    if (auto read = read_input(form, bytes, message); !read) return std::unexpected(read.error());
    return encode(message, protocol);
  };
}

/// Input of type `In`, refused by `admit` (may be empty) or else in canonical bytes.
template <ProtoMessage In>
InputReader input_reader(std::function<Result<void>(const In&)> admit) {
  return [admit = std::move(admit)](InputForm form, std::string_view bytes) -> Result<Bytes> {
    In input;
    if (auto read = read_input(form, bytes, input); !read) return std::unexpected(read.error());
    if (admit) {
      if (auto admitted = admit(input); !admitted) return std::unexpected(admitted.error());
    }
    return encode(input);
  };
}

/// The legs of a for_each step before they are typed: items and the key of each.
template <class In, class Item>
struct Fan {
  std::function<Result<std::vector<Item>>(const Context<In>&)> items;
  std::function<std::string(const Item&)> key;
};
struct NoItem {};
template <class In>
struct Fan<In, NoItem> {};

template <class Key>
std::string key_text(const Key& key) {
  if constexpr (std::integral<Key>) {
    return std::to_string(key);
  } else {
    return std::string(key);
  }
}

/// Errors: invalid_argument when two items have one key.
[[nodiscard]] Result<void> distinct_keys(const std::vector<LegPlan>& legs);

template <class In, class Req, class Fn>
LegsBuilder single_leg(Protocol protocol, Fn fn) {
  return [protocol, fn = std::move(fn)](const Facts& facts) -> Result<std::vector<LegPlan>> {
    const Context<In> context(facts);
    const auto request = run(context, fn, context);
    if (!request) return std::unexpected(request.error());
    return std::vector<LegPlan>{{.key = "", .request = encode(*request, protocol)}};
  };
}

template <class In, class Item, class Req, class Fn>
LegsBuilder fanned_legs(Protocol protocol, Fan<In, Item> fan, Fn fn) {
  return [protocol, fan = std::move(fan),
          fn = std::move(fn)](const Facts& facts) -> Result<std::vector<LegPlan>> {
    const Context<In> context(facts);
    const auto items = run(context, fan.items, context);
    if (!items) return std::unexpected(items.error());
    std::vector<LegPlan> legs;
    for (const Item& item : *items) {
      const auto request = run(context, fn, context, item);
      if (!request) return std::unexpected(request.error());
      legs.push_back({.key = fan.key(item), .request = encode(*request, protocol)});
    }
    if (auto distinct = distinct_keys(legs); !distinct) return std::unexpected(distinct.error());
    return legs;
  };
}

/// How a way-back builder sees the receipt, read off its signature.
template <class Fn, class Undo, class In, class Req, class Resp>
concept UndoOfRequest = Builds<Fn, Undo, const Context<In>&, const Req&>;
template <class Fn, class Undo, class In, class Req, class Resp>
concept UndoOfMaybeReceipt = Builds<Fn, Undo, const Context<In>&, const Req&, const Resp*>;
template <class Fn, class Undo, class In, class Req, class Resp>
concept UndoOfReceipt = Builds<Fn, Undo, const Context<In>&, const Req&, const Resp&>;

struct UndoForms {
  Protocol action = Protocol::connect_proto;
  Protocol undo = Protocol::connect_proto;
  std::string_view step;
};

template <class In, class Req, class Resp, class Undo, class Fn>
UndoBuilder undo_builder(const UndoForms& forms, Fn fn) {
  return [forms, step = std::string(forms.step), fn = std::move(fn)](
             const Facts& facts, const Bytes& request, const Bytes* receipt) -> Result<Bytes> {
    const Context<In> context(facts);
    const Req& sent = context.template parsed<Req>(request, forms.action, "request of " + step);
    const Resp* answer = nullptr;
    if (receipt != nullptr) {
      answer = &context.template parsed<Resp>(*receipt, forms.action, "response of " + step);
    }
    Result<Undo> undo;
    if constexpr (UndoOfRequest<Fn, Undo, In, Req, Resp>) {
      undo = run(context, fn, context, sent);
    } else if constexpr (UndoOfMaybeReceipt<Fn, Undo, In, Req, Resp>) {
      undo = run(context, fn, context, sent, answer);
    } else {
      if (answer == nullptr) {
        return fail(Errc::failed_precondition, "step {}: its compensation needs the response",
                    step);
      }
      undo = run(context, fn, context, sent, *answer);
    }
    if (!undo) return std::unexpected(undo.error());
    return encode(*undo, forms.undo);
  };
}

}  // namespace skald::dsl
