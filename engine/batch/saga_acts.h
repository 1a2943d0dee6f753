// SagaActs: what a batch asks for each of its sagas, implemented where acts and replays are
// (engine/api/batch_acts.h).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/batch/batch.h"

namespace skald::batch {

/// What is said of one saga before it is acted on, or of the act.
struct Verdict {
  enum class Kind : std::uint8_t {
    acts = 1,  // judged: it would be acted on. Acted: it was, now or by this batch before
    skips,     // nothing is to be done
    refuses,   // the act is not legal
  };
  Kind kind = Kind::acts;
  std::string why;  // alike for sagas that are alike: holds no ids
  SagaId followed;  // whose end will tell; zero: none
};

/// How a saga that is followed ended, or stays until a person acts.
struct End {
  Outcome outcome = Outcome::completed;
  std::string why;
};

/// Errors of every call: the engine had no room, or was away; nothing is known to be done.
/// Thread: every call from any thread; answers come on any thread and must not block.
class SagaActs {
 public:
  template <class T>
  using Answer = std::move_only_function<void(Result<T>)>;

  virtual ~SagaActs() = default;

  /// Changes nothing.
  virtual void judge(const Spec& spec, const SagaId& saga, Answer<Verdict> answer) = 0;
  /// Acts once in the life of a batch, however often it is asked: what was done is found by its
  /// mark in the history. `spec` must live until the answer.
  virtual void act(Number number, const Spec& spec, const SagaId& saga, Answer<Verdict> answer) = 0;
  /// nullopt: it is still under way after so long.
  virtual void follow(const SagaId& saga, Millis patience, Answer<std::optional<End>> answer) = 0;
};

}  // namespace skald::batch
