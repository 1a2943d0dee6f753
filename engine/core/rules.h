// The rules' private declarations: what decide() and the rules call in each other. Not for other
// rooms.
#pragma once

#include <string>

#include "engine/core/draft.h"

namespace skald::rules {

// rules_start.cc
void start(Draft& draft, const command::Start& command);
void recover(Draft& draft);

// rules_forward.cc
/// Starts every step whose needs are met, and completes the saga when none is left.
void advance(Draft& draft);
/// A forward leg has settled as done: the next leg of its step, the pivot, the next steps.
void leg_done(Draft& draft, LegRef ref);
/// A forward leg has settled as refused: turn back, at once or when its step is through.
void leg_refused(Draft& draft, LegRef ref);
/// A builder or predicate failed.
void step_failed(Draft& draft, std::uint16_t step, const Error& error);
void finish_wait(Draft& draft, std::uint16_t step, const std::string& signal_id);

// rules_dispatch.cc
void dispatch(Draft& draft, const command::Dispatch& command);

// rules_reply.cc
void reply(Draft& draft, const command::Reply& command);
/// The attempt in flight, if any, was lost in a restart: it may have happened.
void lost(Draft& draft, LegRef ref, Operation operation);
/// The operation may have happened and its participant's keys have lived out since: probe, or stop
/// for a person.
void keys_ran_out(Draft& draft, LegRef ref, Operation operation);

// rules_undo.cc
/// The way forward is lost: begins the way back, or records it while the pivot is in flight.
void turn_back(Draft& draft, Failure failure);
void begin_undo(Draft& draft, Failure failure);
/// On the way back something has settled: want what became possible, end when all is clean.
void undo_progress(Draft& draft);

// rules_time.cc
void wake(Draft& draft);
/// Judges the saga's deadline, once everything owed from before a restart is settled and every
/// timer due before it has fired.
void judge_deadline(Draft& draft);

// rules_client.cc
Result<void> take_signal(Draft& draft, const command::TakeSignal& command);

// rules_operator.cc
/// Legal or refused, with the reason and what is legal instead.
Result<void> act(Draft& draft, const command::Act& asked);

/// A query in flight or unsent whose answer is of no use any more.
void let_query_go(Draft& draft, LegRef ref);

/// Code of the outcome that recovery gives to attempts it finds in flight.
inline constexpr std::string_view kEngineRestarted = "engine_restarted";

}  // namespace skald::rules
