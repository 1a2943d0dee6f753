#!/usr/bin/env python3
"""Webhooks: what a person should know reaches whoever is configured, at least once and always under
the same id, however often the receiver fails and the engine dies.

    webhooks_test.py [name...]     only tests whose name contains one of the names
"""

import http.server
import json
import os
import random
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from connect import ConnectError, NoAnswer, call
from fault_proxy import FaultProxy, answer, lose_reply
from inline import call_step, definition, pivot_step, retriable_step
from mall import Daemon, program
from mall_case import run_cases
from processes import SLOWDOWN, wait_until

WITHIN_S = 60 * SLOWDOWN  # a receiver that failed long is asked once a minute at worst
COMMAND_WITHIN_S = 30 * SLOWDOWN
SECRET = "Bearer not-to-be-printed"
SECRET_VARIABLE = "MALL_TEST_PAGER"
KEYLESS = {"keys": "none"}


class Receiver(FaultProxy):
    """A webhook's other end."""

    def events(self, kind=None):
        """Those that were answered with 2xx, in the order of their arrival."""
        taken = [json.loads(request.body) for request in self.requests()
                 if request.reply_status == 200]
        return [event for event in taken if kind is None or event["type"].endswith("." + kind)]


class SecureReceiver(http.server.HTTPServer):
    """The same at https on 127.0.0.1, with a certificate of its own that nobody else has signed."""

    def __init__(self, folder, name):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.certificate = os.path.join(folder, name + ".pem")
        key = os.path.join(folder, name + ".key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "1", "-subj", "/CN=" + name, "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_WITHIN_S, check=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server_port}/hook?key=not-to-be-shown"
        self.taken = []
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join(WITHIN_S)

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = WITHIN_S

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.taken.append((self.path, json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass


class Webhooks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="skald-webhooks-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.shop = FaultProxy("shop")
        self.addCleanup(self.shop.close)
        self.pager = Receiver("pager")
        self.addCleanup(self.pager.close)

    def start(self, *flags):
        config = os.path.join(self.folder, "skald.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("webhooks:\n  pager:\n"
                       f"    url: http://127.0.0.1:{self.pager.port}/page?to=us\n"
                       f"    authorization_env: {SECRET_VARIABLE}\n")
        os.environ[SECRET_VARIABLE] = SECRET
        self.addCleanup(os.environ.pop, SECRET_VARIABLE, None)
        self.daemon = Daemon(self.folder, flags=["--config", config, *flags])
        self.daemon.process.start()
        self.addCleanup(self.daemon.process.stop)
        self.engine = self.daemon.engine

    def submit(self, name, *steps, **more):
        made = definition(name, *steps)
        return self.engine.submit(inlineDefinition=made, wait="accepted", **more)["sagaId"]

    def reaches(self, saga_id, status):
        wait_until(lambda: self.engine.get(sagaId=saga_id).get("status") == status,
                   f"{saga_id} to be {status}", WITHIN_S)

    def told(self, kind, saga_id):
        """The event, once it has arrived."""
        def look():
            return [event for event in self.pager.events(kind) if event["subject"] == saga_id]
        wait_until(look, f"{kind} of {saga_id} to be told", WITHIN_S)
        return look()[0]

    def ctl(self, *words):
        done = subprocess.run(
            [program("skaldctl"), "--server", f"127.0.0.1:{self.daemon.port}", *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_WITHIN_S,
            check=False)
        return done.returncode, done.stdout, done.stderr

    def webhook(self):
        return call(self.daemon.port, "/skald.v1.AlertService/ListWebhooks", {})["webhooks"][0]

    def test_the_end_of_a_batch_is_told_with_what_became_of_its_sagas(self):
        self.start()
        refusing = self.shop.on("pay/action", answer(422))
        sagas = [self.submit("failing", pivot_step(self.shop, "pay"), businessKey="batched")
                 for _ in range(3)]
        for saga_id in sagas:
            self.reaches(saga_id, "compensated")
        del refusing
        self.shop.clear()
        started = call(self.daemon.port, "/skald.v1.BatchService/Start", {"spec": {
            "act": "replay", "filter": 'business_key = "batched"', "actor": "ann",
            "reason": "paid after all"}})
        event = self.told("batch.finished", f"batch-{started['number']}")
        self.assertEqual(event["type"], "dev.skald.batch.finished")
        self.assertIn("3 completed", json.dumps(event["data"]))

    def test_an_event_says_what_a_person_needs_and_nothing_of_payloads(self):
        self.start()
        self.shop.on("pay/action", lose_reply)
        saga_id = self.submit("doubtful", call_step(self.shop, "book", payload={"card": "4111"}),
                              pivot_step(self.shop, "pay", **KEYLESS), businessKey="order-17")
        event = self.told("stuck", saga_id)
        self.assertEqual(event["specversion"], "1.0")
        self.assertEqual(event["type"], "dev.skald.saga.stuck")
        self.assertEqual(event["source"], "/skald")
        data = event["data"]
        self.assertEqual((data["sagaId"], data["definition"], data["businessKey"], data["step"]),
                         (saga_id, "doubtful", "order-17", "pay"))
        self.assertIn("time", event)
        request = self.pager.requests()[0]
        self.assertNotIn("4111", request.body.decode())
        self.assertIn("application/cloudevents+json", request.headers["content-type"])
        self.assertEqual(request.headers["authorization"], SECRET)
        self.assertEqual(request.path, "/page?to=us")
        # The filter and the command are ready to be used.
        code, out, err = self.ctl("list", "-Q", data["filter"], "-o", "name")
        self.assertEqual((code, out.split()), (0, [saga_id]), err)
        code, out, err = self.ctl(*data["command"].split()[1:])
        self.assertEqual(code, 0, err)

    def test_the_ways_of_a_saga_are_told(self):
        self.start("--alerts-retries-over", "3")
        self.shop.on("pay/action", lose_reply, times=1)
        healed = self.submit("healed", pivot_step(self.shop, "pay", **KEYLESS))
        self.told("stuck", healed)
        self.engine.act("Resolve", sagaId=healed, leg="pay", answer="happened")
        self.told("completed_after_stuck", healed)

        self.shop.on("pay/action", answer(422))
        undone = self.submit("undone", call_step(self.shop, "book"), pivot_step(self.shop, "pay"))
        event = self.told("compensated", undone)
        self.assertEqual(event["data"]["step"], "pay")

        sick = self.shop.on("ship/action", answer(500))
        retried = self.submit("retried", pivot_step(self.shop, "go"),
                              retriable_step(self.shop, "ship"))
        event = self.told("retries", retried)
        self.assertEqual(event["data"]["leg"], "ship")
        sick.release()
        self.reaches(retried, "completed")
        # It was never stuck, and what failed often is told once.
        wait_until(lambda: "waiting" not in self.webhook(), "everything to be told", WITHIN_S)
        subjects = [event["subject"] for event in self.pager.events("completed_after_stuck")]
        self.assertEqual(subjects, [healed])
        self.assertEqual(len(self.pager.events("retries")), 1)

    def test_every_stuck_saga_is_told_under_one_id_whatever_dies(self):
        seed = int(os.environ.get("SKALD_SEED", random.randrange(1 << 30)))
        print(f"SKALD_SEED={seed}", flush=True)
        moments = random.Random(seed)
        self.start("--participants-breaker-failures", "0")
        down = self.pager.on("page?to=us", answer(503))
        self.shop.on("pay/action", lose_reply)
        stop = threading.Event()

        def submit_on(worker):
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    self.submit("doubtful", pivot_step(self.shop, "pay", **KEYLESS),
                                idempotencyKey=f"key-{worker}-{number}")
                except (ConnectError, NoAnswer, OSError):
                    stop.wait(0.05)
                stop.wait(0.01)

        workers = [threading.Thread(target=submit_on, args=(i,), daemon=True) for i in range(4)]
        for worker in workers:
            worker.start()
        for _ in range(3):
            enough = len(self.shop.requests()) + moments.randrange(5, 60)
            wait_until(lambda: len(self.shop.requests()) >= enough, "sagas to go on", WITHIN_S)
            self.daemon.crash()
        stop.set()
        for worker in workers:
            worker.join(WITHIN_S)
        wait_until(lambda: len(down.hits) > 3, "a failing receiver to be tried again", WITHIN_S)
        down.release()
        self.daemon.crash()  # it is tried at once after a start

        wait_until(lambda: not self.engine.list(status=["running"]), "sagas to get stuck", WITHIN_S)
        stuck = {saga["sagaId"] for saga in self.engine.list(status=["stuck"])}
        self.assertGreater(len(stuck), 15)
        wait_until(lambda: stuck <= {event["subject"] for event in self.pager.events("stuck")},
                   f"{len(stuck)} stuck sagas to be told", WITHIN_S)
        wait_until(lambda: "waiting" not in self.webhook(), "nothing to wait", WITHIN_S)
        ids = {}
        for request in self.pager.requests():
            event = json.loads(request.body)
            ids.setdefault((event["type"], event["subject"]), set()).add(event["id"])
        self.assertEqual({key: found for key, found in ids.items() if len(found) != 1}, {})
        # What was told is gone, once that is written: another start tells nothing again.
        self.daemon.process.stop()
        self.daemon.process.restart()
        before = len(self.pager.requests())
        code, _, err = self.ctl("alerts", "test")
        self.assertEqual(code, 0, err)
        self.assertEqual(len(self.pager.requests()), before + 1)

    def test_a_test_event_goes_the_real_way(self):
        self.start()
        code, out, err = self.ctl("alerts", "test", "--webhook", "pager")
        self.assertEqual(code, 0, err)
        self.assertIn("pager took it: HTTP 200", out)
        [event] = self.pager.events("test")
        self.assertIn(event["id"], out)
        self.pager.on("page?to=us", answer(503, b"come back later"))
        code, out, err = self.ctl("alerts", "test")
        self.assertEqual(code, 1, err)
        self.assertIn("HTTP 503", out)
        self.assertIn("come back later", out)
        code, out, err = self.ctl("alerts", "test", "--webhook", "nobody")
        self.assertEqual(code, 3, out)
        code, out, err = self.ctl("alerts")
        self.assertEqual(code, 0, err)
        self.assertIn("failing: HTTP 503", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 80, out)
        # A test is not tried again, and leaves nothing behind.
        self.assertNotIn("waiting", self.webhook())

    def test_at_https_only_a_trusted_receiver_is_told(self):
        trusted = SecureReceiver(self.folder, "trusted")
        self.addCleanup(trusted.close)
        stranger = SecureReceiver(self.folder, "stranger")
        self.addCleanup(stranger.close)
        self.start("--alerts-ca-file", trusted.certificate, "--webhook", f"trusted={trusted.url}",
                   "--webhook", f"stranger={stranger.url}")
        code, out, err = self.ctl("alerts", "test", "--webhook", "trusted")
        self.assertEqual(code, 0, out + err)
        self.assertIn("trusted took it: HTTP 204", out)
        [(path, event)] = trusted.taken
        self.assertEqual(path, "/hook?key=not-to-be-shown")
        self.assertEqual(event["type"], "dev.skald.test")
        code, out, err = self.ctl("alerts", "test", "--webhook", "stranger")
        self.assertEqual(code, 1, out + err)
        self.assertIn("its issuer is unknown", out)
        self.assertNotIn("not-to-be-shown", out + err + self.daemon.process.log_text())
        self.assertEqual(stranger.taken, [])

    def test_what_is_configured_is_checked_and_secrets_stay_secret(self):
        self.start()
        printed = subprocess.run(
            self.daemon.process.command + ["--print-config"], capture_output=True, text=True,
            timeout=COMMAND_WITHIN_S, check=True)
        self.assertIn(f"authorization_env: {SECRET_VARIABLE}", printed.stdout)
        self.assertNotIn(SECRET, printed.stdout + printed.stderr)
        self.assertNotIn(SECRET, self.daemon.process.log_text())
        for wrong, said in (("pager=ftp://127.0.0.1/", "not http"),
                            ("pager=https://a:b@127.0.0.1/", "user information"),
                            ("pager=http://a:b@127.0.0.1/", "user information"),
                            ("Pa ger=http://127.0.0.1/", "name")):
            refused = subprocess.run(
                [program("skaldd"), "--data", self.folder, "--webhook", wrong, "--print-config"],
                capture_output=True, text=True, timeout=COMMAND_WITHIN_S, check=False)
            self.assertEqual(refused.returncode, 2, refused.stdout)
            self.assertIn(said, refused.stderr)
        os.environ.pop(SECRET_VARIABLE)
        missing = subprocess.run(self.daemon.process.command, capture_output=True, text=True,
                                 timeout=COMMAND_WITHIN_S, check=False)
        self.assertNotEqual(missing.returncode, 0)
        self.assertIn(SECRET_VARIABLE, missing.stdout + missing.stderr)


if __name__ == "__main__":
    sys.exit(run_cases([Webhooks], names=sys.argv[1:]))
