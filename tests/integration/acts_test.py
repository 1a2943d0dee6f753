#!/usr/bin/env python3
"""What operators do to sagas that are stuck, with a real skaldd and skaldctl, and participants that
answer what a test says: resolve, mark-done, pause across kill -9, amend, skip, abandon, and two
acts at once.

    acts_test.py [name...]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import fault_proxy as faults
from connect import ConnectError
from inline import call_step, definition, pivot_step, retriable_step, wait_step
from mall import Daemon, program
from mall_case import run_cases
from processes import wait_until

KEYLESS = {"keys": "none"}


class ActsCase(unittest.TestCase):
    folder: str
    daemon: Daemon

    def setUp(self):
        self.engine = self.daemon.engine
        self.shop = faults.FaultProxy("shop")
        self.addCleanup(self.shop.close)

    def submit(self, *steps, **more):
        made = definition("acts", *steps, **more)
        return self.engine.submit(inlineDefinition=made, wait="accepted")["sagaId"]

    def reaches(self, saga_id, status):
        return wait_until(lambda: self.engine.get(sagaId=saga_id)["status"] == status,
                          f"saga {saga_id} to be {status}")

    def acts(self, saga_id):
        """The acts in its history: (kind, before, after)."""
        return [(event["kind"], event.get("before"), event.get("after"))
                for event in self.engine.history(sagaId=saga_id) if event.get("reason")]

    def ctl(self, *words, code=0):
        done = subprocess.run([program("skaldctl"), "--server",
                               f"http://127.0.0.1:{self.daemon.port}", "--actor", "ann", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def refused(self, code, word, act, **message):
        with self.assertRaises(ConnectError) as error:
            self.engine.act(act, **message)
        self.assertEqual(error.exception.code, code, error.exception)
        self.assertIn(word, error.exception.message)


class InDoubt(ActsCase):
    """A participant without keys loses an answer: only a person knows."""

    def doubtful(self):
        self.shop.on("pay/action", faults.lose_reply, times=1)
        saga_id = self.submit(call_step(self.shop, "book"),
                              call_step(self.shop, "pay", **KEYLESS), pivot_step(self.shop, "end"))
        self.reaches(saga_id, "stuck")
        return saga_id

    def test_it_did_happen(self):
        saga_id = self.doubtful()
        self.refused("failed_precondition", "resolve it first", "Skip", sagaId=saga_id, leg="pay")
        self.refused("failed_precondition", "legal now: resolve pay", "Amend", sagaId=saga_id,
                     leg="pay", request={"json": {}})
        self.engine.act("Resolve", sagaId=saga_id, leg="pay", answer="happened",
                        response={"json": {"receipt": 7}})
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")
        self.assertEqual(len(self.shop.requests("pay/action")), 1)
        saga = self.engine.get(sagaId=saga_id, payloads=True)
        self.assertEqual(saga["steps"][1]["legs"][0]["response"], {"receipt": 7})
        self.assertEqual(self.acts(saga_id), [
            ("resolved", "acting, stopped, may have happened", "done")])

    def test_it_did_not_happen(self):
        saga_id = self.doubtful()
        self.ctl("resolve", saga_id, "--leg", "pay", "--did-not-happen", "--reason",
                 "not in their books", "--yes")
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")
        first, second = self.shop.requests("pay/action")
        self.assertEqual(first.key, second.key, "nobody refused it")

    def test_it_did_not_happen_and_is_skipped(self):
        saga_id = self.doubtful()
        self.engine.act("Resolve", sagaId=saga_id, leg="pay", answer="did_not_happen", hold=True)
        self.ctl("skip", saga_id, "--leg", "pay", "--reason", "the customer pays cash", "--yes")
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")
        self.assertEqual(len(self.shop.requests("pay/action")), 1)

    def test_on_the_way_back_only_what_happened_is_undone(self):
        for answer, undone in (("happened", 1), ("did_not_happen", 0)):
            with self.subTest(answer=answer):
                saga_id = self.doubtful()
                self.engine.cancel(sagaId=saga_id)
                self.assertEqual(self.shop.requests("pay/compensation", saga=saga_id), [])
                self.engine.act("Resolve", sagaId=saga_id, leg="pay", answer=answer)
                self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "compensated")
                self.assertEqual(len(self.shop.requests("pay/compensation", saga=saga_id)), undone)

    def test_explain_gives_the_commands_to_type(self):
        saga_id = self.doubtful()
        told = self.ctl("explain", saga_id)
        for choice in ("--happened", "--did-not-happen"):
            self.assertIn(f"skaldctl resolve {saga_id} --leg 'pay' {choice} --reason WHY",
                          " ".join(told.split()))
        self.ctl("resolve", saga_id, "--leg", "pay", "--happened", "--reason", "seen", code=6)
        self.ctl("retry", saga_id, "--leg", "pay", code=5)
        self.ctl("resolve", saga_id, "--leg", "pay", "--happened", "--reason", "seen", "--yes")
        self.reaches(saga_id, "completed")

    def test_of_two_at_once_one_wins_and_the_other_is_told(self):
        saga_id = self.doubtful()
        seen = self.engine.get(sagaId=saga_id)["seq"]
        outcomes = []

        def resolve(answer):
            try:
                self.engine.act("Resolve", actor=answer, sagaId=saga_id, leg="pay", answer=answer,
                                expectedSeq=seen)
                outcomes.append("won")
            except ConnectError as error:
                outcomes.append(error.code + " " + error.message)

        threads = [threading.Thread(target=resolve, args=(answer,))
                   for answer in ("happened", "did_not_happen")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outcomes.sort(reverse=True)
        self.assertEqual(outcomes[0], "won")
        self.assertTrue(outcomes[1].startswith("aborted"), outcomes)
        self.assertIn("was first with resolve", outcomes[1])
        self.assertEqual(len(self.acts(saga_id)), 1)
        self.reaches(saga_id, "completed")


class Repairs(ActsCase):
    def test_a_failed_compensation_is_marked_as_done(self):
        self.shop.on("book/compensation", faults.answer(422))
        self.shop.on("pay/action", faults.answer(422))
        saga_id = self.submit(call_step(self.shop, "room"), call_step(self.shop, "book"),
                              pivot_step(self.shop, "pay"))
        self.reaches(saga_id, "stuck")
        self.assertEqual(self.shop.requests("room/compensation"), [], "it waits for book")
        self.ctl("mark-done", saga_id, "--leg", "book", "--reason", "called them", "--yes")
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "compensated")
        self.assertEqual(len(self.shop.requests("room/compensation")), 1)
        self.assertEqual(self.acts(saga_id), [
            ("compensation_marked", "undoing, stopped", "undone")])

    def test_a_pending_leg_is_sent_elsewhere(self):
        moved = faults.FaultProxy("moved")
        self.addCleanup(moved.close)
        self.shop.on("book/action", faults.answer(429))
        saga_id = self.submit(call_step(self.shop, "book"), pivot_step(self.shop, "pay"))
        wait_until(lambda: self.shop.requests("book/action"), "an attempt")
        url = f"http://127.0.0.1:{moved.port}/elsewhere"
        amend = {"sagaId": saga_id, "leg": "book", "url": url,
                 "request": {"json": {"step": "other"}}}
        self.engine.act("Pause", sagaId=saga_id)
        wait_until(lambda: self.engine.get(sagaId=saga_id)["steps"][0]["legs"][0]["action"]["phase"]
                   == "backing_off", "the attempt in flight to be answered")
        shown = self.engine.act("Amend", dryRun=True, **amend)
        self.assertIn(f"+ {url}", shown["diff"])
        self.assertIn('-   "step": "book"', shown["diff"])
        self.assertEqual(moved.requests(), [])
        self.refused("permission_denied", "url", "Amend", sagaId=saga_id, leg="book",
                     url="http://169.254.169.254/latest")
        self.engine.act("Amend", **amend)
        self.daemon.crash()
        self.assertEqual(moved.requests(), [], "it is still paused")
        self.engine.act("Resume", sagaId=saga_id)
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")
        self.assertEqual(len(moved.requests("elsewhere")), 1)
        event = next(event for event in self.engine.history(sagaId=saga_id)
                     if event["kind"] == "amended")
        self.assertIn(f"127.0.0.1:{self.shop.port}/book/action", event["before"])
        self.assertIn(url, event["after"])

    def test_after_a_refusal_an_amended_request_has_a_key_of_its_own(self):
        self.shop.on("ship/action", faults.answer(422), times=1)
        saga_id = self.submit(pivot_step(self.shop, "pay"), retriable_step(self.shop, "ship"))
        self.reaches(saga_id, "stuck")
        self.ctl("amend", saga_id, "--leg", "ship", "--request", json.dumps({"zip": "10115"}),
                 "--reason", "typo in the address", "--yes")
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")
        first, second = self.shop.requests("ship/action")
        self.assertEqual(second.key.strip('"'), first.key.strip('"') + "/g2")
        self.assertEqual(json.loads(second.body), {"zip": "10115"})

    def test_abandon_closes_it_as_it_is(self):
        self.shop.on("pay/action", faults.answer(422))
        self.shop.on("book/compensation", faults.answer(422))
        saga_id = self.submit(call_step(self.shop, "book"), pivot_step(self.shop, "pay"))
        self.reaches(saga_id, "stuck")
        shown = self.ctl("abandon", saga_id, "--reason", "a test order", "--dry-run")
        self.assertIn("1 leg done or in doubt stays so, and nobody undoes them: book",
                      " ".join(shown.split()))
        self.refused("invalid_argument", "reason", "Abandon", sagaId=saga_id, reason="")
        self.ctl("abandon", saga_id, "--reason", "a test order", "--yes")
        answer = self.engine.wait(sagaId=saga_id)
        self.assertEqual((answer["status"], answer["failure"]["message"]),
                         ("abandoned", "a test order"))
        self.daemon.crash()
        self.assertEqual(self.engine.get(sagaId=saga_id)["status"], "abandoned")
        self.refused("failed_precondition", "abandoned already", "Retry", sagaId=saga_id)
        self.ctl("wait", saga_id, code=12)


class Pauses(ActsCase):
    def test_a_pause_survives_a_crash_and_records_what_comes(self):
        held = self.shop.on("book/action", faults.hold_reply, times=1)
        saga_id = self.submit(call_step(self.shop, "book"), pivot_step(self.shop, "pay"))
        held.wait_hit()
        self.ctl("pause", saga_id, "--reason", "inventory is counted")
        held.release()
        self.daemon.crash()
        saga = self.engine.get(sagaId=saga_id)
        self.assertEqual(saga["status"], "paused")
        self.assertEqual(saga["paused"]["reason"], "inventory is counted")
        self.assertEqual(self.shop.requests("pay/action"), [])
        self.ctl("resume", saga_id)
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")
        self.assertIn(("paused", "running", "paused"), self.acts(saga_id))

    def test_a_paused_timer_stands_still(self):
        saga_id = self.submit(wait_step("rest", 700), pivot_step(self.shop, "pay"))
        self.engine.act("Pause", sagaId=saga_id)
        due = self.engine.get(sagaId=saga_id)["steps"][0]["dueAt"]
        # Another saga's timer of the same length, begun later, has fired: ours would have.
        other = self.submit(wait_step("rest", 900), pivot_step(self.shop, "other"))
        self.reaches(other, "completed")
        self.assertEqual(self.shop.requests("pay/action"), [])
        self.engine.act("Resume", sagaId=saga_id)
        self.assertGreater(self.engine.get(sagaId=saga_id)["steps"][0]["dueAt"], due)
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")


def main():
    ActsCase.folder = folder = tempfile.mkdtemp(prefix="skald-acts-")
    ActsCase.daemon = Daemon(folder)
    ActsCase.daemon.process.start()
    try:
        code = run_cases([InDoubt, Repairs, Pauses], ActsCase.daemon.process.log_tail,
                         sys.argv[1:])
    finally:
        ActsCase.daemon.process.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
