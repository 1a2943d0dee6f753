// What a batch does to one saga: the acts of OperatorService and ReplayService, judged first, done
// once, and followed to the saga's end.
#pragma once

#include "engine/api/replay_service.h"
#include "engine/batch/saga_acts.h"

namespace skald::api {

/// The engine must outlive every answer, and this too.
class BatchActs final : public batch::SagaActs {
 public:
  BatchActs(Engine& engine, ServiceOptions options);

  void judge(const batch::Spec& spec, const SagaId& saga, Answer<batch::Verdict> answer) override;
  void act(batch::Number number, const batch::Spec& spec, const SagaId& saga,
           Answer<batch::Verdict> answer) override;
  void follow(const SagaId& saga, Millis patience,
              Answer<std::optional<batch::End>> answer) override;

 private:
  void judge_replay(const batch::Spec& spec, SagaSnapshot snapshot, Answer<batch::Verdict> answer);
  void do_act(const batch::Spec& spec, SagaSnapshot snapshot, Actor actor,
              Answer<batch::Verdict> answer);
  void do_replay(batch::Number number, const batch::Spec& spec, SagaSnapshot snapshot,
                 Answer<batch::Verdict> answer);
  /// What the batch did to it before: the saga itself, or the replay it started; nullopt: nothing.
  void find_act(batch::Number number, const SagaId& saga, Answer<std::optional<SagaId>> answer);
  void find_replay(batch::Number number, std::vector<SagaId> replays,
                   Answer<std::optional<SagaId>> answer);
  void look_closer(const SagaId& saga, Answer<std::optional<batch::End>> answer);

  Engine& engine_;
  ReplayService replays_;
};

}  // namespace skald::api
