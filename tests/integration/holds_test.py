#!/usr/bin/env python3
"""Participants that are held, and breakers: nothing is sent, nothing is spent, everybody can say
why, and all of it goes on when it may.

    holds_test.py [name...]     only tests whose name contains one of the names
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from connect import ConnectError, call
from fault_proxy import FaultProxy, answer
from inline import call_step, definition, pivot_step
from mall import Daemon, program
from mall_case import run_cases
from processes import wait_until

FAILURES_TO_OPEN = 3
SERVICE = "/skald.v1.ParticipantService/"


class Participants(unittest.TestCase):
    daemon: Daemon

    def setUp(self):
        self.engine = self.daemon.engine
        self.shop = FaultProxy("shop")
        self.addCleanup(self.shop.close)
        self.origin = f"http://127.0.0.1:{self.shop.port}"

    def ask(self, method, **message):
        return call(self.daemon.port, SERVICE + method, message)

    def methods(self):
        listed = self.ask("List", participant=self.origin).get("methods", [])
        return {method.get("path", ""): method for method in listed}

    def submit(self, *steps):
        made = definition(self.id().rpartition(".")[2].lower()[:60], *steps)
        return self.engine.submit(inlineDefinition=made, wait="accepted")["sagaId"]

    def finish(self, saga_id):
        self.assertEqual(self.engine.wait(sagaId=saga_id).get("status"), "completed")
        return self.engine.get(sagaId=saga_id)

    def next_of(self, saga_id):
        return self.engine.get(sagaId=saga_id)["explanation"]["next"]

    def test_a_held_participant_is_left_alone_until_released(self):
        self.ask("Hold", participant=self.origin, actor="ann", reason="stock is recounted")
        saga_id = self.submit(call_step(self.shop, "deduct"), pivot_step(self.shop, "pay"))
        self.assertIn("ann holds it", self.next_of(saga_id))
        self.assertIn("stock is recounted", self.next_of(saga_id))
        # A hold is durable: the engine that starts again keeps it.
        self.daemon.crash()
        wait_until(lambda: self.engine.page("/readyz")[0] == 200, "skaldd to be ready")
        self.assertIn("ann holds it", self.next_of(saga_id))
        self.assertEqual(self.shop.requests(), [])
        self.ask("Release", participant=self.origin)
        self.finish(saga_id)
        self.assertEqual(len(self.shop.requests()), 2)

    def test_a_held_method_holds_no_other(self):
        self.ask("Hold", participant=self.origin, path="/pay/action", reason="r")
        self.addCleanup(lambda: self.ask("Release", participant=self.origin, path="/pay/action"))
        saga_id = self.submit(call_step(self.shop, "deduct"), pivot_step(self.shop, "pay"))
        wait_until(lambda: "holds it" in self.next_of(saga_id), "the saga to reach the held method")
        self.assertEqual([request.path for request in self.shop.requests()], ["/deduct/action"])

    def test_holds_are_judged(self):
        for message, field in (({"participant": "", "reason": "r"}, "participant"),
                               ({"participant": "x"}, "reason"),
                               ({"participant": "x", "path": "y", "reason": "r"}, "path")):
            with self.assertRaises(ConnectError) as refused:
                self.ask("Hold", **message)
            self.assertEqual(refused.exception.code, "invalid_argument")
            self.assertIn(field, str(refused.exception))
        with self.assertRaises(ConnectError) as refused:
            self.ask("Release", participant="nobody")
        self.assertEqual(refused.exception.code, "not_found")

    def test_a_breaker_opens_spends_nothing_and_closes_again(self):
        sick = self.shop.on("pay/action", answer(500))
        sagas = [self.submit(pivot_step(self.shop, "pay")) for _ in range(20)]

        def breaker():
            return self.methods().get("/pay/action", {}).get("breaker", "")
        wait_until(lambda: breaker() in ("open", "trying"), "the breaker to open")
        wait_until(lambda: any("failed too often" in self.next_of(saga) or
                               "has healed" in self.next_of(saga) for saga in sagas),
                   "a saga to say that it waits for the breaker")
        # Twenty sagas that retry every 200 ms would send a hundred attempts a second.
        before = len(self.shop.requests())
        wait_until(lambda: len(self.shop.requests()) >= before + 2, "two attempts that try")
        self.assertLess(self.engine.metrics()["skald_participant_breaker_open"
                                              f'{{participant="{self.origin}"}}'], 2)
        self.shop.clear()
        for saga in sagas:
            self.finish(saga)
        wait_until(lambda: breaker() == "closed", "the breaker to close")
        del sick

    def test_the_command_line_shows_and_holds(self):
        def ctl(*words):
            done = subprocess.run(
                [program("skaldctl"), "--server", f"127.0.0.1:{self.daemon.port}", *words],
                capture_output=True, text=True, timeout=20, check=False)
            return done.returncode, done.stdout + done.stderr
        self.finish(self.submit(pivot_step(self.shop, "pay")))
        # Figures are a moment old.
        wait_until(lambda: "well" in ctl("participants", self.origin)[1], "skaldctl to show it")
        code, text = ctl("participants", self.origin)
        self.assertEqual(code, 0, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80, text)
        code, text = ctl("hold", self.origin)
        self.assertEqual(code, 2, text)
        code, text = ctl("hold", self.origin, "--reason", "maintenance", "--actor", "bob")
        self.assertEqual(code, 0, text)
        self.assertIn("held by", ctl("participants", self.origin)[1])
        self.assertEqual(ctl("release", self.origin)[0], 0)
        self.assertEqual(ctl("release", self.origin)[0], 3)


def main():
    folder = tempfile.mkdtemp(prefix="skald-holds-")
    Participants.daemon = Daemon(
        folder, flags=["--participants-breaker-failures", str(FAILURES_TO_OPEN),
                       "--participants-breaker-open", "200ms",
                       "--participants-breaker-open-max", "400ms"])
    Participants.daemon.process.start()
    try:
        return run_cases([Participants], Participants.daemon.process.log_tail, sys.argv[1:])
    finally:
        Participants.daemon.process.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
