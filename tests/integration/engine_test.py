#!/usr/bin/env python3
"""skaldd as a daemon: what it promises across kill -9, SIGTERM and a second start, with inline
definitions and a participant that answers, hangs or is lost as the test says.

    engine_test.py [name...]     only tests whose name contains one of the names
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from connect import ConnectError, NoAnswer
from fault_proxy import FaultProxy, connect_error, hold_request, lose_reply, silence
from inline import call_step, definition, pivot_step, query_step, retriable_step, wait_step
from mall import Daemon
from mall_case import run_cases
from processes import wait_until

SAME_TIME = 64
FOREVER_MS = 3_600_000


class DaemonCase(unittest.TestCase):
    """One skaldd for all tests of the file; each brings its own participant."""

    folder: str
    daemon: Daemon

    def setUp(self):
        self.engine = self.daemon.engine
        self.shop = FaultProxy("shop")
        self.addCleanup(self.shop.close)

    def submit(self, *steps, wait="accepted", **more):
        limits = {name: more.pop(name) for name in ("deadlineMs",) if name in more}
        name = self.id().rpartition(".")[2].lower()[:60]
        made = definition(name, *steps, **limits)
        return self.engine.submit(inlineDefinition=made, wait=wait, **more)["sagaId"]

    def finish(self, saga_id, status="completed"):
        saga = self.engine.wait(sagaId=saga_id)
        self.assertEqual(saga.get("status"), status, self.engine.get(sagaId=saga_id))
        return self.engine.get(sagaId=saga_id, attempts=True)

    def when(self, saga_id, fact, what):
        def look():
            saga = self.engine.get(sagaId=saga_id, attempts=True)
            return saga if fact(saga) else None
        return wait_until(look, what)

    def paths(self):
        return [request.path.strip("/") for request in self.shop.requests()]


class Restarts(DaemonCase):
    def test_open_sagas_survive_kill_nine(self):
        """Timers, signal waits, back-offs and calls in flight go on after the restart."""
        timer = self.submit(wait_step("rest", 1_500), pivot_step(self.shop, "go"))
        signalled = self.submit(wait_step("paid", FOREVER_MS, "paid"), pivot_step(self.shop, "go2"))
        held = self.shop.on("stock/action", silence, times=1)
        flying = self.submit(call_step(self.shop, "stock"), pivot_step(self.shop, "go3"))
        held.wait_hit()
        busy = self.shop.on("lock/action", connect_error(429, "resource_exhausted"))
        backing_off = self.submit(call_step(self.shop, "lock"), pivot_step(self.shop, "go4"))
        busy.wait_hit(2)
        waiting = self.engine.list(definition="test_open_sagas_survive_kill_nine")
        self.assertEqual(sum(saga.get("waiting", False) for saga in waiting), 2, waiting)

        self.daemon.process.kill()
        held.release()
        busy.release()
        self.daemon.process.restart()

        self.engine.signal("s-1", "paid", {"amount": 5}, sagaId=signalled)
        for saga_id in (timer, signalled, flying, backing_off):
            self.finish(saga_id)
        resent = self.shop.requests("stock/action")
        self.assertEqual(len({request.key for request in resent}), 1, resent)
        self.assertEqual([request.attempt for request in resent], [1, 2])

    def test_timer_that_came_due_while_down_fires_at_once(self):
        saga_id = self.submit(wait_step("rest", 600), pivot_step(self.shop, "go"))
        self.daemon.process.kill()
        down_since = time.monotonic()
        wait_until(lambda: time.monotonic() - down_since > 0.8, "the timer's time to pass", 5)
        self.daemon.process.restart()
        self.finish(saga_id)

    def test_acknowledged_submissions_survive_kill_nine(self):
        """Killed while clients submit: whatever was acknowledged is there, and finishes."""
        acknowledged, stop = [], threading.Event()

        def client(number):
            for count in range(10_000):
                if stop.is_set():
                    return
                try:
                    acknowledged.append(self.submit(
                        pivot_step(self.shop, "go"), idempotencyKey=f"ack-{number}-{count}"))
                except (NoAnswer, ConnectError):
                    return

        threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) > 100, "a hundred acknowledged submissions")
        self.daemon.process.kill()
        stop.set()
        for thread in threads:
            thread.join()
        self.daemon.process.restart()
        for saga_id in acknowledged:
            self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")
        keys = [request.key for request in self.shop.requests()]
        print(f"  {len(acknowledged)} acknowledged, {len(keys)} calls, "
              f"{len(keys) - len(set(keys))} of them resent")

    def test_sigterm_drains(self):
        """A call in flight is answered and recorded; nothing new is begun; exit code 0."""
        held = self.shop.on("go/action", hold_request, times=1)
        saga_id = self.submit(pivot_step(self.shop, "go"), wait_step("rest", 100))
        held.wait_hit()
        self.daemon.process.send(signal.SIGTERM)

        def refusing():
            try:
                status, _ = self.engine.page("/readyz")
                return status == 503
            except NoAnswer:
                return True

        wait_until(refusing, "readiness to end")
        with self.assertRaises((ConnectError, NoAnswer)):
            self.submit(pivot_step(self.shop, "too_late"))
        held.release()
        self.assertEqual(self.daemon.process.wait_end(), 0, self.daemon.process.log_tail())
        self.daemon.process.restart()
        self.finish(saga_id)
        self.assertEqual(len(self.shop.requests("go/action")), 1, "the answer was not recorded")
        self.assertEqual(self.shop.requests("too_late/action"), [])

    def test_second_daemon_on_the_directory_names_the_holder(self):
        second = Daemon(self.folder, data=self.daemon.data, name="second")
        second.process.start(wait=False)
        self.assertNotEqual(second.process.wait_end(), 0)
        said = second.process.log_text()
        self.assertIn(str(self.daemon.process.pid), said)
        self.assertIn(self.daemon.data, said)
        self.assertEqual(self.engine.page("/readyz")[0], 200, "the first one goes on")


class Waits(DaemonCase):
    def test_signal_before_its_wait(self):
        held = self.shop.on("first/action", hold_request, times=1)
        saga_id = self.submit(call_step(self.shop, "first"), wait_step("paid", FOREVER_MS, "paid"),
                              pivot_step(self.shop, "go"))
        held.wait_hit()
        self.engine.signal("early", "paid", sagaId=saga_id)
        held.release()
        self.finish(saga_id)

    def test_duplicate_signal_counts_once(self):
        saga_id = self.submit(wait_step("one", FOREVER_MS, "paid"),
                              wait_step("two", FOREVER_MS, "paid"), pivot_step(self.shop, "go"))
        self.assertFalse(self.engine.signal("a", "paid", sagaId=saga_id).get("duplicate", False))
        self.assertTrue(self.engine.signal("a", "paid", sagaId=saga_id)["duplicate"])
        self.daemon.crash()
        self.assertTrue(self.engine.signal("a", "paid", sagaId=saga_id)["duplicate"])
        self.assertEqual(self.engine.get(sagaId=saga_id)["status"], "running")
        self.engine.signal("b", "paid", sagaId=saga_id)
        self.finish(saga_id)

    def test_wait_as_pivot_first_event_wins(self):
        undone = self.submit(call_step(self.shop, "hold"),
                             wait_step("paid", 300, "paid", on_timeout="reject", **{
                                 "class": "pivot"}))
        self.assertEqual(self.finish(undone, "compensated")["failure"]["leg"], "paid")
        done = self.submit(call_step(self.shop, "hold"),
                           wait_step("paid", FOREVER_MS, "paid", on_timeout="reject", **{
                               "class": "pivot"}))
        self.when(done, lambda saga: saga["steps"][1].get("stage") == "running", "the wait")
        self.engine.signal("p", "paid", sagaId=done)
        self.finish(done)
        with self.assertRaises(ConnectError) as late:
            self.engine.cancel(sagaId=done)
        self.assertEqual(late.exception.code, "failed_precondition")
        canceled = self.submit(call_step(self.shop, "hold"), wait_step(
            "paid", FOREVER_MS, "paid", **{"class": "pivot"}))
        self.when(canceled, lambda saga: saga["steps"][1].get("stage") == "running", "the wait")
        self.engine.cancel(sagaId=canceled)
        self.finish(canceled, "compensated")


class Pivots(DaemonCase):
    def held_pivot(self, fault=hold_request, **more):
        held = self.shop.on("pay/action", fault, times=1)
        saga_id = self.submit(call_step(self.shop, "hold"),
                              pivot_step(self.shop, "pay", timeoutMs=20_000), **more)
        held.wait_hit()
        return held, saga_id

    def cancel_undecided(self, saga_id):
        with self.assertRaises(ConnectError) as undecided:
            self.engine.cancel(sagaId=saga_id, reason="changed their mind")
        self.assertEqual(undecided.exception.code, "aborted")
        self.assertIn("undecided", undecided.exception.message)
        self.assertTrue(self.engine.get(sagaId=saga_id).get("turnBack"))
        self.assertEqual(self.shop.requests("hold/compensation"), [])

    def test_cancel_while_the_pivot_is_in_flight_and_it_succeeds(self):
        held, saga_id = self.held_pivot()
        self.cancel_undecided(saga_id)
        held.release()
        self.finish(saga_id)
        self.assertEqual(self.shop.requests("hold/compensation"), [])
        with self.assertRaises(ConnectError) as late:
            self.engine.cancel(sagaId=saga_id)
        self.assertEqual(late.exception.code, "failed_precondition")

    def test_cancel_while_the_pivot_is_in_flight_and_it_is_refused(self):
        held = self.shop.on("pay/action", silence)
        saga_id = self.submit(call_step(self.shop, "hold"),
                              pivot_step(self.shop, "pay", timeoutMs=20_000))
        held.wait_hit()
        self.cancel_undecided(saga_id)
        # The cancel outlives a crash; the resend of the pivot is refused.
        self.daemon.process.kill()
        held.release()
        self.shop.on("pay/action", connect_error(422, "failed_precondition", "no money"))
        self.daemon.process.restart()
        self.finish(saga_id, "compensated")
        self.assertEqual(len(self.shop.requests("hold/compensation")), 1)

    def test_deadline_while_the_pivot_is_in_flight_undoes_nothing(self):
        held, saga_id = self.held_pivot(deadlineMs=700)
        self.when(saga_id, lambda saga: saga.get("turnBack") or saga.get("deadlineMissed"),
                  "the deadline to be recorded")
        self.assertEqual(self.shop.requests("hold/compensation"), [])
        held.release()
        self.finish(saga_id)

    def test_deadline_before_the_pivot_undoes(self):
        self.shop.on("slow/action", connect_error(429, "resource_exhausted"))
        saga_id = self.submit(call_step(self.shop, "hold"), call_step(self.shop, "slow"),
                              pivot_step(self.shop, "pay"), deadlineMs=500)
        saga = self.finish(saga_id, "compensated")
        self.assertIn("deadline", json.dumps(saga["failure"]))
        self.assertEqual(len(self.shop.requests("hold/compensation")), 1)
        self.assertEqual(self.shop.requests("pay/action"), [])

    def test_pivot_unknown_for_ever_is_stuck_with_nothing_undone(self):
        self.shop.on("pay/action", lose_reply)
        saga_id = self.submit(call_step(self.shop, "hold"),
                              pivot_step(self.shop, "pay", keys="none"))
        self.when(saga_id, lambda saga: saga["status"] == "stuck", "the pivot in doubt")
        self.assertEqual(self.shop.requests("hold/compensation"), [])
        self.assertEqual(len(self.shop.requests("pay/action")), 1)


class Submissions(DaemonCase):
    def test_inline_graph_by_curl(self):
        """A diamond, submitted as the README shows it; branches run at once, in their order."""
        left = self.shop.on("left/action", hold_request, times=1)
        graph = definition(
            "diamond", query_step(self.shop, "look"),
            call_step(self.shop, "left", after=["look"]),
            call_step(self.shop, "right", after=["look"]),
            pivot_step(self.shop, "join", after=["left", "right"]),
            retriable_step(self.shop, "tell", after=["join"]))
        body = json.dumps({"inlineDefinition": graph, "wait": "accepted"})
        ran = subprocess.run(
            ["curl", "-sS", "--max-time", "10", "-H", "Content-Type: application/json",
             "-d", body, f"http://127.0.0.1:{self.daemon.port}/skald.v1.SagaService/Submit"],
            capture_output=True, text=True, check=True)
        saga_id = json.loads(ran.stdout)["sagaId"]
        left.wait_hit()
        wait_until(lambda: self.shop.requests("right/action"), "the other branch")
        self.assertEqual(self.shop.requests("join/action"), [])
        left.release()
        self.finish(saga_id)
        order = self.paths()
        self.assertEqual(order[0], "look/action")
        self.assertEqual(set(order[1:3]), {"left/action", "right/action"})
        self.assertEqual(order[3:], ["join/action", "tell/action"])

    def test_racing_submissions_of_one_key_make_one_saga(self):
        made, gate = [], threading.Barrier(SAME_TIME)

        def client():
            gate.wait()
            made.append(self.engine.submit(
                inlineDefinition=definition("race", pivot_step(self.shop, "go")),
                idempotencyKey="race-1", wait="done"))

        threads = [threading.Thread(target=client) for _ in range(SAME_TIME)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len({answer["sagaId"] for answer in made}), 1)
        self.assertEqual(sum(answer.get("created", False) for answer in made), 1)
        self.assertEqual(len(self.shop.requests()), 1)

    def test_undo_is_in_reverse_order(self):
        self.shop.on("pay/action", connect_error(422, "failed_precondition", "no money"))
        saga_id = self.submit(call_step(self.shop, "a"), call_step(self.shop, "b"),
                              call_step(self.shop, "c"), pivot_step(self.shop, "pay"))
        saga = self.finish(saga_id, "compensated")
        self.assertEqual(saga["failure"]["leg"], "pay")
        self.assertEqual(self.paths()[4:], ["c/compensation", "b/compensation", "a/compensation"])

    def test_metrics_and_readiness(self):
        before = self.engine.metrics()
        for _ in range(3):
            self.finish(self.submit(pivot_step(self.shop, "go")))
        after = self.engine.metrics()
        grown = {name: after[name] - before.get(name, 0) for name in (
            "skald_submissions_total", "skald_completed_total", "skald_calls_total")}
        self.assertEqual(set(grown.values()), {3.0}, grown)
        self.assertEqual(after['skald_sagas{status="completed"}'],
                         before.get('skald_sagas{status="completed"}', 0) + 3)
        self.assertEqual(after["skald_ready"], 1)
        for page in ("/readyz", "/healthz"):
            self.assertEqual(self.engine.page(page)[0], 200)


def main():
    folder = tempfile.mkdtemp(prefix="skald-engine-")
    DaemonCase.folder = folder
    DaemonCase.daemon = Daemon(folder)
    DaemonCase.daemon.process.start()
    try:
        code = run_cases([Restarts, Waits, Pivots, Submissions],
                         DaemonCase.daemon.process.log_tail, sys.argv[1:])
    finally:
        DaemonCase.daemon.process.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("not exercised: a definition missing after a restart: skaldd registers what it ships "
          "with, and an inline definition is stored with its saga; tests/unit covers the state")
    return code


if __name__ == "__main__":
    sys.exit(main())
