// Context: what a builder may read, typed. A builder that reads what is not there goes on with an
// empty message; what it returns is then thrown away and the first such failure reported instead,
// so that builders stay straight-line code.
#pragma once

#include <google/protobuf/arena.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/facts.h"
#include "engine/dsl/message_bytes.h"
#include "engine/dsl/method.h"

namespace skald::dsl {

/// One leg of a for_each step, as builders after it see it.
template <ProtoMessage Resp>
struct LegOutput {
  std::string_view key;
  const Resp* response = nullptr;  // null: refused, dropped or answered without a body
};

/// The untyped half. Lives for one call of one builder and parses each output once.
/// Thread: the one that runs the builder.
class ContextBase {
 public:
  explicit ContextBase(const Facts& facts) : facts_(facts) {}
  ContextBase(const ContextBase&) = delete;
  ContextBase& operator=(const ContextBase&) = delete;

  [[nodiscard]] const SagaId& saga_id() const { return facts_.saga_id(); }
  [[nodiscard]] std::string_view business_key() const { return facts_.business_key(); }
  [[nodiscard]] Instant started_at() const { return facts_.started_at(); }
  [[nodiscard]] bool skipped(std::string_view step) const { return facts_.skipped(step); }

  /// Output of a finished plain step. Where there is none (skipped, unfinished, no such step) or it
  /// is not an `Out`, the builder as a whole fails. By handle, output(kTotal), or
  /// output<Out>("total").
  template <ProtoMessage Out>
  [[nodiscard]] const Out& output(StepOf<Out> step) const {
    const Out* found = find<Out>(step);
    if (found == nullptr) missing(step.name);
    return found == nullptr ? Out::default_instance() : *found;
  }

  /// The same for a step that may have been skipped or timed out: null where there is no output.
  template <ProtoMessage Out>
  [[nodiscard]] const Out* find(StepOf<Out> step) const {
    return static_cast<const Out*>(read_output(step.name, Out::default_instance()));
  }

  /// The legs of a for_each step in plan order; none when skipped.
  template <ProtoMessage Resp>
  [[nodiscard]] std::vector<LegOutput<Resp>> legs(StepOf<Resp> step) const {
    std::vector<LegOutput<Resp>> out;
    for (const LegState& leg : facts_.legs(step.name)) {
      out.push_back(
          {leg.key, static_cast<const Resp*>(read_leg(step.name, leg, Resp::default_instance()))});
    }
    return out;
  }

  /// Parses bytes that the builder was handed (a request, a receipt), in this call's memory.
  template <ProtoMessage T>
  [[nodiscard]] const T& parsed(std::string_view bytes, Protocol protocol,
                                std::string_view what) const {
    return static_cast<const T&>(parse(bytes, protocol, T::default_instance(), what));
  }

  /// The first thing that was read but is not there; empty when all was.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 protected:
  [[nodiscard]] const google::protobuf::Message& parse(std::string_view bytes, Protocol protocol,
                                                       const google::protobuf::Message& prototype,
                                                       std::string_view what) const;
  [[nodiscard]] const Facts& facts() const { return facts_; }

 private:
  struct Parsed {
    const void* bytes;
    const google::protobuf::Descriptor* type;
    const google::protobuf::Message* message;
  };

  [[nodiscard]] const google::protobuf::Message* read_output(
      std::string_view step, const google::protobuf::Message& prototype) const;
  [[nodiscard]] const google::protobuf::Message* read_leg(
      std::string_view step, const LegState& leg, const google::protobuf::Message& prototype) const;
  void missing(std::string_view step) const;
  void failed(Error error) const;

  const Facts& facts_;
  mutable google::protobuf::Arena arena_;
  mutable std::deque<Parsed> parsed_;
  mutable std::optional<Error> failure_;
};

template <ProtoMessage Input>
class Context : public ContextBase {
 public:
  using ContextBase::ContextBase;

  /// The saga's input, as the definition's read_input made it canonical.
  [[nodiscard]] const Input& input() const {
    return parsed<Input>(facts().input(), Protocol::connect_proto, "the saga's input");
  }
};

}  // namespace skald::dsl
