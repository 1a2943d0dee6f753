#!/usr/bin/env python3
"""Participants that answer nonsense, half, far too much or nothing: each is an outcome, and skaldd
goes on. And clients that send nonsense: each is a clear error that names the field, and nothing is
started.

    participant_misbehaves_test.py [name...]
"""

import json
import os
import shutil
import socket
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import fault_proxy as faults
from connect import ConnectError, exchange
from inline import call_step, definition, pivot_step, query_step
from mall import Daemon
from mall_case import run_cases
from processes import wait_until

PORT_OF_NOBODY = 9  # discard: nothing listens there

# What is done to the first answers, and what it must count as under each protocol.
ANSWERS = {
    "garbage": (faults.garbage, "unknown", "unknown"),
    "half a body": (faults.half_body, "unknown", "unknown"),
    "half a head": (faults.half_head, "unknown", "unknown"),
    "a huge body": (faults.huge_body, "unknown", "unknown"),
    "nothing": (faults.silence, "unknown", "unknown"),
    "a reset": (faults.lose_reply, "unknown", "unknown"),
    "a lost request": (faults.lose_request, "unknown", "unknown"),
    "status 500": (faults.answer(500), "unknown", "unknown"),
    "status 999": (faults.answer(999), "unknown", "unknown"),
    "JSON nested too deeply": (faults.deep_json, "unknown", "unknown"),
    "a wrong content type": (faults.answer(200, b"<html>", "text/html"), "succeeded", "unknown"),
    "no content type": (faults.answer(200, b"{}", ""), "succeeded", "unknown"),
    "a redirect": (faults.answer(302, b"", headers=[("Location", "http://169.254.169.254/")]),
                   "not_executed", "not_executed"),
    "status 401": (faults.answer(401), "not_executed", "not_executed"),
    "an unrouted 404": (faults.answer(404, b"nobody", "text/plain"), "not_executed",
                        "not_executed"),
    "status 429": (faults.answer(429, headers=[("Retry-After", "0")]), "not_executed",
                   "not_executed"),
    "status 202": (faults.answer(202, b"{}"), "pending", "pending"),
    "status 425": (faults.answer(425), "pending", "pending"),
    "status 422": (faults.answer(422), "rejected", "rejected"),
}
PROTOCOLS = ("http_json", "connect_json")


class DaemonCase(unittest.TestCase):
    folder: str
    daemon: Daemon

    def setUp(self):
        self.engine = self.daemon.engine
        self.shop = faults.FaultProxy("shop")
        self.addCleanup(self.shop.close)
        self.pid = self.daemon.process.pid

    def tearDown(self):
        self.assertTrue(self.daemon.process.alive, "skaldd is gone")
        self.assertEqual(self.daemon.process.pid, self.pid)
        self.assertEqual(self.engine.page("/readyz")[0], 200)


class Participants(DaemonCase):
    def begin_all(self, make_steps, times):
        """One saga for every misbehaviour and protocol: (what, protocol, saga id, wanted)."""
        begun = []
        for what, (fault, *wanted) in ANSWERS.items():
            for protocol, outcome in zip(PROTOCOLS, wanted):
                name = f"s{len(begun)}"
                self.shop.on(f"{name}/action", fault, times=times)
                made = definition("misbehaves", *make_steps(name, protocol))
                begun.append((what, protocol, outcome, self.engine.submit(
                    inlineDefinition=made, wait="accepted")["sagaId"]))
        return begun

    def first_outcome(self, saga_id, step):
        """The outcome of the first attempt, once it is known."""
        def look():
            saga = self.engine.get(sagaId=saga_id, attempts=True)
            for entry in saga["steps"]:
                tries = entry.get("legs", [{}])[0].get("action", {}).get("tries", [])
                if entry["name"].startswith(step) and tries and "outcome" in tries[0]:
                    return tries[0]["outcome"]["kind"]
            return None
        return wait_until(look, f"the first answer of {step} to saga {saga_id}")

    def test_each_misbehaviour_of_an_action_is_an_outcome(self):
        """With keys it is tried again until it is definite; a refusal turns the saga back."""
        begun = self.begin_all(lambda name, protocol: [
            call_step(self.shop, "before", protocol=protocol),
            call_step(self.shop, name, protocol=protocol),
            pivot_step(self.shop, "after", protocol=protocol)], times=2)
        for what, protocol, outcome, saga_id in begun:
            with self.subTest(answer=what, protocol=protocol):
                self.assertEqual(self.first_outcome(saga_id, "s"), outcome)
                status = self.engine.wait(sagaId=saga_id)["status"]
                self.assertEqual(status,
                                 "compensated" if outcome == "rejected" else "completed")

    def test_each_misbehaviour_without_keys_is_never_retried_blindly(self):
        begun = self.begin_all(lambda name, protocol: [
            call_step(self.shop, name, protocol=protocol, keys="none")], times=1)
        ends = {"unknown": "stuck", "pending": "stuck", "rejected": "compensated"}
        for number, (what, protocol, outcome, saga_id) in enumerate(begun):
            with self.subTest(answer=what, protocol=protocol):
                wanted = ends.get(outcome, "completed")
                wait_until(lambda: self.engine.get(sagaId=saga_id)["status"] == wanted,
                           f"saga {saga_id} to be {wanted} after {what}")
                if wanted == "stuck":
                    self.assertEqual(len(self.shop.requests(f"s{number}/action")), 1)
                    self.assertEqual(self.shop.requests(f"s{number}/compensation"), [])

    def test_queries_are_asked_again_and_never_in_doubt(self):
        begun = self.begin_all(lambda name, protocol: [
            query_step(self.shop, name, protocol=protocol),
            pivot_step(self.shop, "after", protocol=protocol)], times=2)
        for what, protocol, outcome, saga_id in begun:
            with self.subTest(answer=what, protocol=protocol):
                status = self.engine.wait(sagaId=saga_id)["status"]
                self.assertEqual(status,
                                 "compensated" if outcome == "rejected" else "completed")

    def test_compensations_are_repeated_until_they_succeed(self):
        self.shop.on("pay/action", faults.answer(422))
        begun = []
        for number, (what, (fault, outcome, _)) in enumerate(ANSWERS.items()):
            self.shop.on(f"s{number}/compensation", fault, times=1)
            made = definition("misbehaves", call_step(self.shop, f"s{number}"),
                              pivot_step(self.shop, "pay"))
            begun.append((what, outcome, self.engine.submit(
                inlineDefinition=made, wait="accepted")["sagaId"]))
        for what, outcome, saga_id in begun:
            with self.subTest(answer=what):
                wanted = "stuck" if outcome == "rejected" else "compensated"
                wait_until(lambda: self.engine.get(sagaId=saga_id)["status"] == wanted,
                           f"saga {saga_id} to be {wanted} after {what}")

    def test_nobody_there_and_addresses_that_are_forbidden(self):
        made = definition("nobody", call_step(self.shop, "gone"), pivot_step(self.shop, "pay"))
        made["steps"][0]["action"]["url"] = f"http://127.0.0.1:{PORT_OF_NOBODY}/gone"
        saga_id = self.engine.submit(inlineDefinition=made, wait="accepted")["sagaId"]
        self.assertEqual(self.first_outcome(saga_id, "gone"), "not_executed")
        self.engine.cancel(sagaId=saga_id)
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "compensated")
        self.assertEqual(self.shop.requests("gone/compensation"), [])

    def test_answers_are_shown_whatever_they_are(self):
        self.shop.on("odd/action", faults.deep_json, times=1)
        self.shop.on("odd/action", faults.answer(200, b"<odd>", "text/html"), times=1)
        made = definition("odd", call_step(self.shop, "odd"), pivot_step(self.shop, "pay"))
        saga_id = self.engine.submit(inlineDefinition=made)["sagaId"]
        saga = self.engine.get(sagaId=saga_id, payloads=True, attempts=True)
        self.assertEqual(saga["status"], "completed")


class Clients(DaemonCase):
    def send(self, raw, content_type="application/json", method="Submit", **headers):
        path = f"/skald.v1.SagaService/{method}"
        status, _, body = exchange(self.daemon.port, "POST", path, raw,
                                   {"Content-Type": content_type, **headers})
        return status, body.decode("utf-8", "replace")

    def refused(self, message, code, *words, **headers):
        with self.assertRaises(ConnectError) as error:
            self.engine.saga_service("Submit", message, headers=headers)
        self.assertEqual(error.exception.code, code, error.exception)
        for word in words:
            self.assertIn(word, error.exception.message)

    def setUp(self):
        super().setUp()
        self.sagas = len(self.engine.list())

    def tearDown(self):
        super().tearDown()
        self.assertEqual(len(self.engine.list()), self.sagas, "something was started")

    def test_bodies_that_are_no_message(self):
        for raw in (b"", b"{", b"nonsense", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"definition":',
                    b"[" * 100_000, b'{"definition": 7}', b'{"version": "x"}',
                    b'{"version": -1}', b'{"version": 1e99}', b'{"wait": "soon"}',
                    b'{"no_such_field": 1}'):
            with self.subTest(body=raw[:40]):
                status, text = self.send(raw)
                self.assertEqual(status, 400, text)
                self.assertEqual(json.loads(text)["code"], "invalid_argument", text)

    def test_oversized_and_unreadable_requests(self):
        status, text = self.send(b'{"definition": "' + b"x" * (2 << 20) + b'"}')
        self.assertEqual((status, json.loads(text)["code"]), (413, "resource_exhausted"))
        self.assertIn("request_bytes_max", text.decode() if isinstance(text, bytes) else text)
        status, text = self.send(b"{}", content_type="text/plain")
        self.assertEqual((status, json.loads(text)["code"]), (415, "invalid_argument"))
        status, text = self.send(b"{}", method="NoSuchMethod")
        self.assertEqual((status, json.loads(text)["code"]), (404, "unimplemented"))
        status, _, _ = exchange(self.daemon.port, "GET", "/skald.v1.SagaService/Submit")
        self.assertEqual(status, 405)
        for raw in (b"GARBAGE\r\n\r\n", b"\x16\x03\x01",
                    b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n",
                    b"POST /skald.v1.SagaService/Submit HTTP/1.1\r\n"):
            with socket.create_connection(("127.0.0.1", self.daemon.port), 5) as peer:
                peer.sendall(raw)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(10)
                self.assertFalse(peer.recv(4096).startswith(b"HTTP/1.1 2"), raw)

    def test_definitions_that_are_unknown(self):
        self.refused({"definition": "no_such_thing"}, "not_found", "no_such_thing")
        self.refused({"definition": "create_order", "version": 999}, "not_found", "999")
        self.refused({}, "invalid_argument", "definition")

    def test_keys_that_are_unfit(self):
        order = {"definition": "create_order", "input": {"userId": 1, "skuIds": [1]}}
        self.refused({**order, "idempotencyKey": "k" * 257}, "invalid_argument",
                     "idempotency_key")
        self.refused({**order, "businessKey": "k" * 129}, "invalid_argument", "business_key")
        self.refused({**order, "idempotencyKey": "a\nb"}, "invalid_argument", "idempotency_key")
        self.refused({**order, "idempotencyKey": "a"}, "invalid_argument", "idempotency_key",
                     **{"Idempotency-Key": '"b"'})

    def test_inputs_that_do_not_fit(self):
        for bad, field in (({"userId": "one"}, "user_id"), ({"userId": 1.5}, "user_id"),
                           ({"userId": 1, "skuIds": ["x"]}, "sku_ids"),
                           ({"userId": 1, "skuIds": [1, 1]}, "sku_ids"),
                           ({"userId": 1, "skuIds": [-1]}, "sku_ids"),
                           ({"userId": 2**70, "skuIds": [1]}, "input"),
                           ({"userId": 1, "skuIds": [1], "colour": "red"}, "colour"),
                           ([1], ""), ("text", ""), (7, "")):
            with self.subTest(input=bad):
                self.refused({"definition": "create_order", "input": bad}, "invalid_argument",
                             field)
        self.refused({"definition": "cancel_order", "input": {"userId": 1}}, "invalid_argument",
                     "order_id")

    def test_inline_definitions_that_are_unsound(self):
        good = definition("good", call_step(self.shop, "a"), pivot_step(self.shop, "b"))

        def changed(change):
            made = json.loads(json.dumps(good))
            change(made)
            return made

        def url(text):
            return lambda made: made["steps"][0]["action"].update(url=text)

        cases = [
            (lambda made: made.update(name="Not A Name"), "name"),
            (lambda made: made.update(steps=[]), "step"),
            (lambda made: made["steps"][1].update(name="a"), "a"),
            (lambda made: made["steps"][0].update(after={"steps": ["nowhere"]}), "nowhere"),
            (lambda made: made["steps"][0].update(after={"steps": ["b"]}), "cycle"),
            (lambda made: made["steps"][0]["action"].update(timeoutMs=0), "timeout"),
            (lambda made: made["steps"][0].pop("compensation"), "step a"),
            (lambda made: made["steps"][0].pop("action"), "action"),
            (url("ftp://127.0.0.1/x"), "url"), (url("http://user@127.0.0.1/x"), "url"),
            (url("http://127.0.0.1:99999/x"), "url"), (url("nonsense"), "url"),
        ]
        for change, word in cases:
            made = changed(change)
            with self.subTest(word=word, made=json.dumps(made)[:80]):
                self.refused({"inlineDefinition": made}, "invalid_argument", word)
        self.refused({"inlineDefinition": good, "definition": "create_order"}, "invalid_argument",
                     "definition")

    def test_urls_that_are_forbidden(self):
        for url in ("http://169.254.169.254/latest", "http://10.0.0.1/x", "http://8.8.8.8/",
                    "http://[::ffff:169.254.169.254]/", "http://192.168.1.1:80/x",
                    "http://0.0.0.0/x", "http://2130706433/x", "http://0x7f000001/x"):
            with self.subTest(url=url):
                made = definition("forbidden", call_step(self.shop, "a"),
                                  pivot_step(self.shop, "b"))
                made["steps"][0]["action"]["url"] = url
                with self.assertRaises(ConnectError) as error:
                    self.engine.submit(inlineDefinition=made, wait="accepted")
                self.assertIn(error.exception.code, ("permission_denied", "invalid_argument"))
                self.assertIn("url", error.exception.message)

    def test_sagas_that_do_not_exist(self):
        unknown = {"sagaId": "0" * 26}
        for ask in (self.engine.get, self.engine.history, self.engine.cancel, self.engine.retry,
                    lambda **saga: self.engine.wait(timeout_ms=100, **saga),
                    lambda **saga: self.engine.signal("s", "paid", **saga)):
            for saga, code in ((unknown, ("not_found", "invalid_argument")),
                               ({"sagaId": "../etc"}, ("invalid_argument",)),
                               ({"idempotencyKey": "never used"}, ("not_found",)),
                               ({"businessKey": "never used"}, ("not_found",)),
                               ({}, ("invalid_argument",))):
                with self.subTest(ask=getattr(ask, "__name__", "?"), saga=saga):
                    with self.assertRaises(ConnectError) as error:
                        ask(**saga)
                    self.assertIn(error.exception.code, code)


class Conflicts(DaemonCase):
    def test_same_key_with_another_body_names_the_saga(self):
        first = definition("first", pivot_step(self.shop, "a"))
        made = self.engine.submit(inlineDefinition=first, idempotencyKey="conflict-1")
        with self.assertRaises(ConnectError) as conflict:
            self.engine.submit(inlineDefinition=definition("first", pivot_step(self.shop, "b")),
                               idempotencyKey="conflict-1")
        self.assertEqual((conflict.exception.status, conflict.exception.code),
                         (409, "already_exists"))
        self.assertIn(made["sagaId"], conflict.exception.message)
        again = self.engine.submit(inlineDefinition=first, idempotencyKey="conflict-1")
        self.assertEqual(again["sagaId"], made["sagaId"])
        self.assertEqual(len(self.shop.requests()), 1)


def main():
    DaemonCase.folder = folder = tempfile.mkdtemp(prefix="skald-misbehaves-")
    DaemonCase.daemon = Daemon(folder)
    DaemonCase.daemon.process.start()
    try:
        code = run_cases([Participants, Clients, Conflicts], DaemonCase.daemon.process.log_tail,
                         sys.argv[1:])
    finally:
        DaemonCase.daemon.process.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(ANSWERS)} misbehaviours x {len(PROTOCOLS)} protocols, as action, query and "
          "compensation, with and without keys")
    return code


if __name__ == "__main__":
    sys.exit(main())
