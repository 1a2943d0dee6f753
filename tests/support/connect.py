"""Clients of the tests: the Connect protocol with JSON over one connection a call, the engine's
services by name, and the order front's HTTP API. No retries: a test says itself what it repeats."""

import http.client
import json

from processes import SLOWDOWN

CALL_TIMEOUT_S = 15.0 * SLOWDOWN
PAGE = 1000


class ConnectError(Exception):
    """The service answered an error."""

    def __init__(self, status, code, message):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class NoAnswer(Exception):
    """Nobody answered, or the answer broke off: nobody knows whether it was done."""


def exchange(port, method, path, body=b"", headers=None, timeout=CALL_TIMEOUT_S):
    """(status, headers, bytes). Raises NoAnswer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{method} {path} at port {port}: {error!r}") from error
    finally:
        connection.close()


def call(port, procedure, message=None, headers=None, timeout=CALL_TIMEOUT_S):
    """One Connect call. Raises ConnectError or NoAnswer."""
    body = json.dumps(message or {}).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    status, _, raw = exchange(port, "POST", procedure, body, sent, timeout)
    try:
        answer = json.loads(raw) if raw else {}
    except ValueError:
        answer = {"code": "unreadable", "message": raw[:200].decode("utf-8", "replace")}
    if status != 200:
        raise ConnectError(status, answer.get("code", ""), answer.get("message", ""))
    return answer


class Engine:
    """skaldd's services. A saga is named by one of saga_id, idempotency_key, business_key."""

    def __init__(self, port):
        self.port = port

    def saga_service(self, method, message, timeout=CALL_TIMEOUT_S, headers=None):
        return call(self.port, f"/skald.v1.SagaService/{method}", message, headers, timeout)

    def submit(self, definition="", payload=None, wait="done", timeout_ms=30_000, **more):
        """`more`: idempotency_key, business_key, version, inline_definition."""
        message = {"definition": definition, "wait": wait, "timeoutMs": timeout_ms, **more}
        if payload is not None:
            message["input"] = payload
        return self.saga_service("Submit", message, timeout_ms / 1000 + CALL_TIMEOUT_S)

    def wait(self, until="done", timeout_ms=30_000, **saga):
        message = {"until": until, "timeoutMs": timeout_ms, **saga}
        return self.saga_service("Wait", message, timeout_ms / 1000 + CALL_TIMEOUT_S)

    def get(self, attempts=False, payloads=False, **saga):
        return self.saga_service("Get", {"attempts": attempts, "payloads": payloads, **saga})

    def history(self, **saga):
        return self.saga_service("History", saga).get("events", [])

    def cancel(self, actor="test", reason="", **saga):
        return self.saga_service("Cancel", {"actor": actor, "reason": reason, **saga})

    def retry(self, leg="", actor="test", reason="", **saga):
        return self.saga_service("Retry", {"leg": leg, "actor": actor, "reason": reason, **saga})

    def act(self, name, reason="the test", actor="test", **message):
        """An act of OperatorService: its answer's `saga`, or all of it on a dry run."""
        answer = call(self.port, f"/skald.v1.OperatorService/{name}",
                      {"reason": reason, "actor": actor, **message})
        return answer if message.get("dryRun") else answer.get("saga", {})

    def legal_acts(self, **message):
        return call(self.port, "/skald.v1.OperatorService/LegalActs", message).get("acts", [])

    def signal(self, signal_id, name, payload=None, **saga):
        message = {"signalId": signal_id, "name": name, **saga}
        if payload is not None:
            message["payload"] = payload
        return self.saga_service("Signal", message)

    def list(self, **query):
        """Every saga that the query finds, newest first."""
        found, token = [], ""
        while True:
            page = self.saga_service("List", {"limit": PAGE, "pageToken": token, **query})
            found += page.get("sagas", [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def page(self, path):
        """(status, text) of /readyz, /healthz, /metrics."""
        status, _, raw = exchange(self.port, "GET", path)
        return status, raw.decode()

    def metrics(self):
        """name{labels} -> number."""
        numbers = {}
        for line in self.page("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                numbers[name] = float(value)
        return numbers


class OrderAnswer:
    def __init__(self, status, body):
        self.status = status
        self.code = body.get("code")
        self.msg = body.get("msg", "")
        self.data = body.get("data") or {}

    @property
    def order_id(self):
        return self.data.get("order_id", "")

    @property
    def state(self):
        return self.data.get("state", "")

    def __repr__(self):
        return f"HTTP {self.status} {self.msg} {json.dumps(self.data)}"


class OrderFront:
    """The mall's order API."""

    def __init__(self, port):
        self.port = port

    def _send(self, method, path, body=None, key="", timeout=CALL_TIMEOUT_S):
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = f'"{key}"'
        raw_body = b"" if body is None else json.dumps(body).encode()
        status, _, raw = exchange(self.port, method, path, raw_body, headers, timeout)
        try:
            return OrderAnswer(status, json.loads(raw))
        except ValueError as error:
            raise NoAnswer(f"{path}: HTTP {status}, no JSON: {raw[:200]!r}") from error

    def create(self, user_id, sku_ids, key="", coupon_id=0, timeout=CALL_TIMEOUT_S, **other):
        body = {"user_id": user_id, "sku_ids": sku_ids, "address": "1 Harbour Street", **other}
        if coupon_id:
            body["coupon_id"] = coupon_id
        return self._send("POST", "/api/v1/order/create", body, key, timeout)

    def cancel(self, user_id, order_id, key=""):
        body = {"user_id": user_id, "order_id": order_id}
        return self._send("POST", "/api/v1/order/cancel", body, key)

    def get(self, order_id):
        return self._send("GET", f"/api/v1/order/{order_id}")

    def list(self, user_id):
        return self._send("GET", f"/api/v1/order/list?user_id={user_id}")
