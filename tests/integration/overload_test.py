#!/usr/bin/env python3
"""More submissions than skaldd has room for: the rest is refused at once and by name, what was
accepted is carried out, and nobody but a new submission is refused.

    overload_test.py [name...]     only tests whose name contains one of the names
"""

import json
import os
import shutil
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from connect import ConnectError, exchange
from fault_proxy import FaultProxy, hold_request
from inline import definition, pivot_step, wait_step
from mall import Daemon
from mall_case import run_cases
from processes import wait_until

ROOM = 8
CLIENTS = 16
ORDERS_EACH = 20
FOREVER_MS = 3_600_000
REFUSED = "skald_submissions_refused_total"


class Overload(unittest.TestCase):
    """One skaldd with one shard and room for ROOM sagas; each test brings its participant."""

    daemon: Daemon

    def setUp(self):
        self.engine = self.daemon.engine
        self.shop = FaultProxy("shop")
        self.addCleanup(self.shop.close)
        self.name = self.id().rpartition(".")[2].lower()[:60]

    def message(self, key, wait="accepted"):
        return {"idempotencyKey": f"{self.name}-{key}", "wait": wait, "timeoutMs": 30_000,
                "inlineDefinition": definition(self.name, pivot_step(self.shop, "pay"))}

    def submit(self, key, wait="accepted"):
        return self.engine.saga_service("Submit", self.message(key, wait))

    def fill(self):
        """ROOM sagas whose participant does not answer before it is released."""
        held = self.shop.on("pay/action", hold_request)
        return held, [self.submit(key)["sagaId"] for key in range(ROOM)]

    def empty(self, held, sagas):
        held.release()
        for saga_id in sagas:
            self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")

    def test_a_new_submission_is_refused_with_the_limits_name_and_when_to_come_again(self):
        held, sagas = self.fill()
        refused_before = self.engine.metrics()[REFUSED]
        body = json.dumps(self.message("new")).encode()
        status, headers, raw = exchange(self.daemon.port, "POST", "/skald.v1.SagaService/Submit",
                                        body, {"Content-Type": "application/json"})
        self.assertEqual((status, json.loads(raw)["code"]), (429, "resource_exhausted"))
        self.assertIn("active_sagas_max", json.loads(raw)["message"])
        self.assertEqual(headers.get("Retry-After"), "1")
        wait_until(lambda: self.engine.metrics()[REFUSED] == refused_before + 1, "it to be counted")
        self.empty(held, sagas)
        self.assertEqual(self.submit("new", wait="done")["status"], "completed")

    def test_a_repeat_of_what_is_known_is_answered(self):
        ended = self.submit("ended", wait="done")["sagaId"]
        held, sagas = self.fill()
        self.assertEqual(self.submit("ended", wait="done")["sagaId"], ended)
        self.assertEqual([self.submit(key)["sagaId"] for key in range(ROOM)], sagas)
        changed = self.message(0)
        changed["businessKey"] = "another order"
        with self.assertRaises(ConnectError) as conflict:
            self.engine.saga_service("Submit", changed)
        self.assertEqual(conflict.exception.code, "already_exists")
        self.empty(held, sagas)

    def test_nobody_else_is_refused(self):
        waits = definition(self.name + "_w", wait_step("paid", FOREVER_MS, "paid"),
                           pivot_step(self.shop, "go"))
        waiting, cancelled = (self.engine.submit(inlineDefinition=waits, wait="accepted")["sagaId"]
                              for _ in range(2))
        held, sagas = self.fill()
        with self.assertRaises(ConnectError):
            self.submit("new")
        self.engine.signal("s-1", "paid", {"amount": 5}, sagaId=waiting)
        self.assertEqual(self.engine.wait(sagaId=waiting)["status"], "completed")
        self.engine.cancel(sagaId=cancelled, reason="the test")
        self.assertEqual(self.engine.wait(sagaId=cancelled)["status"], "compensated")
        self.assertEqual(self.engine.get(sagaId=sagas[0])["status"], "running")
        self.assertEqual(len(self.engine.list(definition=self.name)), ROOM)
        self.assertTrue(self.engine.legal_acts(sagaId=sagas[0]))
        self.assertEqual(self.engine.page("/readyz")[0], 200)
        self.empty(held, sagas)

    def test_a_crowd_that_repeats_is_served_whole_and_each_key_once(self):
        """Clients that come again with the same key until they are taken."""
        done, failures, refusals = [], [], []

        def client(number):
            for count in range(ORDERS_EACH):
                key = f"{number}-{count}"
                while True:
                    try:
                        done.append((key, self.submit(key, wait="done")["sagaId"]))
                        break
                    except ConnectError as error:
                        if error.code != "resource_exhausted":
                            failures.append(error)
                            return
                        refusals.append(key)

        clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(done), CLIENTS * ORDERS_EACH)
        self.assertTrue(refusals, "the room was never full: the test shows nothing")
        sagas = self.engine.list(definition=self.name)
        self.assertEqual({saga["sagaId"] for saga in sagas}, {saga_id for _, saga_id in done})
        self.assertEqual({saga["status"] for saga in sagas}, {"completed"})
        paid = [request.key for request in self.shop.requests("pay/action")]
        self.assertEqual(len(set(paid)), len(done))


def main():
    folder = tempfile.mkdtemp(prefix="skald-overload-")
    Overload.daemon = Daemon(folder, flags=["--threads", "1",
                                            "--engine-active-sagas-max", str(ROOM)])
    Overload.daemon.process.start()
    try:
        return run_cases([Overload], Overload.daemon.process.log_tail, sys.argv[1:])
    finally:
        Overload.daemon.process.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
