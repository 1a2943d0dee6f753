// An Engine that remembers what it was asked and answers what the test prepared. Nothing runs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/engine.h"

namespace skald::api {

class FakeEngine final : public Engine {
 public:
  // Prepared answers.
  Result<SagaAnswer> answer;
  Result<SagaSnapshot> snapshot;
  Result<SagaHistory> saga_history;
  Result<ListPage> page;
  Result<CountPage> count_page;
  Result<FailureGroups> failure_groups;
  Result<CheckReport> report;
  Result<bool> signal_is_new = true;
  bool keys_expired = false;
  Result<void> readiness;
  std::optional<Error> busy;  // refused at once
  std::vector<DefinitionPtr> registered;
  std::vector<ParticipantFigures> figures;
  std::vector<AlertTargetFigures> webhooks;
  EngineStats figures_now;
  Result<AlertReceipt> receipt;

  // What came.
  std::vector<SubmitRequest> submitted;
  std::vector<std::string> refused_keys;  // asked for, whatever the answer
  WaitMode mode = WaitMode::accepted;
  Millis timeout{0};
  std::optional<SagaRef> saga;
  std::optional<ListQuery> query;
  std::optional<CountQuery> count_query;
  std::optional<GroupQuery> group_query;
  std::string directory;
  std::string tested;
  std::optional<Signal> signaled;
  std::optional<Actor> actor;
  std::string leg;
  std::optional<ParticipantHold> held;
  std::optional<command::Act> act_asked;
  std::uint64_t expected_seq = 0;
  std::map<std::string, Bytes> kept_notes;

  void submit(SubmitRequest request, WaitMode wait_mode, Millis wait_timeout,
              Answer<SagaAnswer> done) override {
    submitted.push_back(std::move(request));
    mode = wait_mode;
    timeout = wait_timeout;
    done(answer);
  }
  std::optional<Error> refuse_at_once(std::string_view key) override {
    refused_keys.emplace_back(key);
    return busy;
  }
  void wait(SagaRef ref, WaitMode wait_mode, Millis wait_timeout,
            Answer<SagaAnswer> done) override {
    saga = std::move(ref);
    mode = wait_mode;
    timeout = wait_timeout;
    done(answer);
  }
  void get(SagaRef ref, Answer<SagaSnapshot> done) override {
    saga = std::move(ref);
    if (keys_expired && std::holds_alternative<ByIdempotencyKey>(*saga)) {
      return done(fail(Errc::not_found, "no saga has this key"));
    }
    done(snapshot);
  }
  void history(SagaRef ref, Answer<SagaHistory> done) override {
    saga = std::move(ref);
    done(saga_history);
  }
  void list(ListQuery list_query, Answer<ListPage> done) override {
    query = std::move(list_query);
    done(page);
  }
  void count(CountQuery asked, Answer<CountPage> done) override {
    count_query = std::move(asked);
    done(count_page);
  }
  void groups(GroupQuery asked, Answer<FailureGroups> done) override {
    group_query = std::move(asked);
    done(failure_groups);
  }
  void check_store(Answer<CheckReport> done) override { done(report); }
  void back_up(std::string to, Answer<CheckReport> done) override {
    directory = std::move(to);
    done(report);
  }
  void signal(SagaRef ref, Signal signal, Answer<bool> done) override {
    saga = std::move(ref);
    signaled = std::move(signal);
    done(signal_is_new);
  }
  void cancel(SagaRef ref, Actor who, Answer<SagaAnswer> done) override {
    saga = std::move(ref);
    actor = std::move(who);
    done(answer);
  }
  void retry(SagaRef ref, Actor who, std::string which, Answer<SagaAnswer> done) override {
    saga = std::move(ref);
    actor = std::move(who);
    leg = std::move(which);
    done(answer);
  }

  [[nodiscard]] std::vector<ParticipantFigures> participants() const override { return figures; }
  void hold(ParticipantHold asked, Answer<ParticipantHold> done) override {
    held = asked;
    done(std::move(asked));
  }
  void release(std::string participant, std::string path, Answer<ParticipantHold> done) override {
    done(ParticipantHold{.participant = std::move(participant), .path = std::move(path)});
  }
  [[nodiscard]] std::vector<AlertTargetFigures> alert_targets() const override { return webhooks; }
  void test_alert(std::string target, Answer<AlertReceipt> done) override {
    tested = std::move(target);
    done(receipt);
  }
  void act(SagaRef ref, command::Act which, std::uint64_t seen, Answer<SagaAnswer> done) override {
    saga = std::move(ref);
    act_asked = std::move(which);
    expected_seq = seen;
    done(answer);
  }

  void write_notes(std::vector<Note> notes, std::optional<Alert>, Answer<bool> done) override {
    for (Note& note : notes) {
      if (note.value) {
        kept_notes[note.name] = std::move(*note.value);
      } else {
        kept_notes.erase(note.name);
      }
    }
    done(true);
  }
  void notes(std::string prefix, Answer<std::vector<Note>> done) override {
    std::vector<Note> found;
    for (const auto& [note, value] : kept_notes) {
      if (note.starts_with(prefix)) found.push_back({.name = note, .value = value});
    }
    done(std::move(found));
  }

  [[nodiscard]] std::vector<DefinitionPtr> definitions() const override { return registered; }
  [[nodiscard]] DefinitionPtr find_definition(std::string_view name,
                                              std::uint32_t version) const override {
    DefinitionPtr found;
    for (const DefinitionPtr& known : registered) {
      if (known->name != name || (version != 0 && known->version != version)) continue;
      if (found == nullptr || known->version > found->version) found = known;
    }
    return found;
  }
  [[nodiscard]] Result<void> ready() const override { return readiness; }
  [[nodiscard]] EngineStats stats() const override { return figures_now; }
  [[nodiscard]] std::string metrics() const override {
    return "skald_sagas{status=\"running\"} 1\n";
  }
  [[nodiscard]] std::vector<boost::asio::io_context*> threads() override { return {}; }
  void drain(Millis) override {}
};

}  // namespace skald::api
