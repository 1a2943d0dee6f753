// Alert: something that a person should know of, once; the saga's history has the facts. Logged and
// counted by the runtime when what it tells is durable. Whoever is to be told beyond that gets a
// note in the same write: the outbox, which outlives a crash.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/core/failure_class.h"

namespace skald {

/// Stored in the outbox, and sent by name. Never renumber.
enum class AlertKind : std::uint8_t {
  stuck = 1,            // a person is needed
  configuration = 2,    // an answer that looks like a wrong configuration of ours
  deadline_missed = 3,  // where it can only alert (rule 8)
  late_success = 4,     // a refused pivot turned out to have happened (rule 3)
  retries = 5,          // an operation has failed many times in a row, and goes on
  compensated = 6,
  completed_after_stuck = 7,
  abandoned = 8,       // closed by a person
  batch_finished = 9,  // of no saga: Alert::subject names the batch
  test = 10,           // of no saga either: somebody asked whether alerts arrive
};
inline constexpr std::size_t kAlertKinds = 10;
[[nodiscard]] std::string_view name(AlertKind kind);
/// Whether somebody has to do something about it. The others are news.
[[nodiscard]] bool needs_person(AlertKind kind);

struct Alert {
  AlertKind kind = AlertKind::stuck;
  Instant at{};
  SagaId saga;          // with `seq` and `kind` it names the alert
  std::string subject;  // of what is no saga, instead
  std::uint64_t seq = 0;
  std::string definition;
  std::uint32_t version = 0;
  std::string business_key;
  std::string leg;          // empty: the saga as a whole
  std::string participant;  // likewise
  Operation operation = Operation::action;
  std::string code;  // the participant's own word
  CauseId cause;     // 0: none; what `skaldctl stuck` groups by
  std::string text;  // of what is no saga: one sentence

  std::uint32_t kept_for = 0;    // places of targets whose outbox holds it. Not stored
  bool outbox_was_full = false;  // somebody was to be told, and will not be. Not stored

  /// The saga, or what it is about instead.
  [[nodiscard]] std::string about() const { return subject.empty() ? saga.text() : subject; }
  bool operator==(const Alert&) const = default;
};

/// Somebody who is told: a webhook.
struct AlertTarget {
  std::string name;
  std::uint32_t kinds = 0;  // 1 << kind

  [[nodiscard]] bool wants(AlertKind kind) const {
    return kind == AlertKind::test || (kinds >> static_cast<unsigned>(kind) & 1U) != 0;
  }
};
inline constexpr std::size_t kAlertTargetsMax = 16;

struct AlertOptions {
  std::vector<AlertTarget> targets;  // nobody: no note is written
  std::uint32_t retries_over = 10;   // failures in a row of one operation until it is told
  std::size_t outbox_max = 100'000;  // notes of one shard; beyond it nobody is told, and counted
  std::function<void(const Alert&, Bytes&)> encode;  // a note's value; with targets
};

/// "outbox/pager/0kq3v.../17/stuck": a note's name. The same on every delivery. Stored.
[[nodiscard]] std::string outbox_note_name(std::string_view target, const Alert& alert);
inline constexpr std::string_view kOutboxPrefix = "outbox/";

}  // namespace skald
