"""A TCP proxy between skaldd and one participant that understands just enough HTTP to break one
chosen exchange: request lost, reply lost, held, late, garbage, half, huge, silence.

    rule = proxy.on("DeductStock", lose_reply, times=1, leg="deduct_stock[7]")
    ...
    rule.wait_hit()

Whatever no rule matches is passed through. Every request is kept in `proxy.seen`. Without a target
port it stands for a participant itself, and answers what no rule matches with `{}`.
"""

import json
import re
import socket
import struct
import threading
import time

from processes import SLOWDOWN, free_port

HIT_WITHIN_S = 30.0 * SLOWDOWN
HOLD_MAX_S = 120.0 * SLOWDOWN  # nothing is held for ever, whatever a test forgets
UPSTREAM_TIMEOUT_S = 60.0 * SLOWDOWN
HUGE_BYTES = 64 << 20

GARBAGE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is no HTTP \r\n\r\n\x00\xff"


class Request:
    def __init__(self, head, body):
        self.raw = head + body
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ", 2)
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name.strip().lower()] = value.strip()
        self.body = body
        self.at = time.monotonic()
        self.reply_status = None  # what was answered; None: nothing

    @property
    def key(self):
        return self.headers.get("idempotency-key", "")

    @property
    def saga(self):
        return self.headers.get("skald-saga-id", "")

    @property
    def leg(self):
        return self.headers.get("skald-leg", "")

    @property
    def operation(self):
        return self.headers.get("skald-operation", "")

    @property
    def attempt(self):
        return int(self.headers.get("skald-attempt", "0"))

    def __repr__(self):
        return f"<{self.path} {self.key} attempt={self.attempt} -> {self.reply_status}>"


class Exchange:
    """What a fault may do with one request."""

    def __init__(self, proxy, client, request, rule):
        self.proxy, self.client, self.request, self.rule = proxy, client, request, rule
        self.open = True

    def forward(self):
        """The participant's whole answer as bytes; b"" where it gave none."""
        if self.proxy.target_port is None:
            return http_reply(200, b"{}")
        try:
            upstream = socket.create_connection(("127.0.0.1", self.proxy.target_port), 5)
        except OSError:
            return b""
        with upstream:
            upstream.settimeout(UPSTREAM_TIMEOUT_S)
            try:
                upstream.sendall(self.request.raw)
                head, body = read_message(upstream)
            except OSError:
                return b""
            return head + body if head else b""

    def reply(self, raw):
        """Sends bytes; an empty answer resets the connection, as a participant that died would."""
        if not raw:
            return self.reset()
        status = re.match(rb"HTTP/1\.1 (\d+)", raw)
        self.request.reply_status = int(status.group(1)) if status else 0
        try:
            self.client.sendall(raw)
        except OSError:
            self.open = False

    def reset(self):
        """RST: what was sent before may be lost too."""
        self.open = False
        try:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.client.close()

    def close(self):
        self.open = False
        try:
            self.client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.client.close()


# The faults: what happens to an exchange that a rule matches.


def lose_request(exchange):
    """Reset before anything is forwarded: nothing happened."""
    exchange.reset()


def lose_reply(exchange):
    """It happened, and nobody hears of it."""
    exchange.forward()
    exchange.reset()


def hold_request(exchange):
    """The request hangs on its way until the rule is released; then it lands, however late."""
    exchange.rule.await_release()
    exchange.reply(exchange.forward())


def hold_reply(exchange):
    """It happened; the answer hangs until the rule is released."""
    raw = exchange.forward()
    exchange.rule.note_forwarded()
    exchange.rule.await_release()
    exchange.reply(raw)


def silence(exchange):
    """Nothing is forwarded, nothing answered; the connection stays open."""
    exchange.rule.await_release()
    exchange.reset()


def garbage(exchange):
    exchange.reply(GARBAGE)
    exchange.close()


def half_body(exchange):
    """It happened; the answer breaks off in its middle."""
    raw = exchange.forward()
    head, _, body = raw.partition(b"\r\n\r\n")
    exchange.reply(head + b"\r\n\r\n" + body[:len(body) // 2])
    exchange.close()


def half_head(exchange):
    exchange.reply(exchange.forward()[:20])
    exchange.close()


def huge_body(exchange):
    """More than anybody keeps; stops when the reader has had enough."""
    exchange.reply(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n" % HUGE_BYTES)
    for _ in range(HUGE_BYTES >> 16):
        if not exchange.open:
            return
        exchange.reply(b" " * (1 << 16))
    exchange.close()


def deep_json(exchange):
    exchange.reply(http_reply(200, b"[" * 100_000 + b"]" * 100_000))


def delayed(seconds):
    """The request is forwarded after a while."""
    def fault(exchange):
        exchange.rule.pause(seconds)
        exchange.reply(exchange.forward())
    return fault


def answer(status, body=b"", content_type="application/json", forward=False, headers=()):
    """This answer, whatever the participant says; with `forward` it still gets the request."""
    def fault(exchange):
        if forward:
            exchange.forward()
        exchange.reply(http_reply(status, body, content_type, headers))
    return fault


def connect_error(status, code, message="as the test asks", forward=False):
    body = json.dumps({"code": code, "message": message}).encode()
    return answer(status, body, forward=forward)


def http_reply(status, body, content_type="application/json", headers=()):
    head = [f"HTTP/1.1 {status} Because", f"Content-Length: {len(body)}"]
    if content_type:
        head.append(f"Content-Type: {content_type}")
    head += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


class Rule:
    def __init__(self, path, fault, times, where):
        self.path, self.fault, self.where = path, fault, where
        self.left = times  # None: always
        self.hits = []
        self.forwarded = 0
        self._changed = threading.Condition()
        self._released = threading.Event()

    def matches(self, request):
        if self.left == 0 or not request.path.endswith(self.path):
            return False
        return all(getattr(request, name) == value for name, value in self.where.items())

    def note_hit(self, request):
        with self._changed:
            self.hits.append(request)
            self._changed.notify_all()

    def note_forwarded(self):
        with self._changed:
            self.forwarded += 1
            self._changed.notify_all()

    def wait_hit(self, count=1, within=HIT_WITHIN_S):
        """Until so many requests were caught. Raises TimeoutError."""
        self._wait(lambda: len(self.hits) >= count, f"{count} x {self.path} to be sent", within)
        return self.hits[count - 1]

    def wait_forwarded(self, count=1, within=HIT_WITHIN_S):
        """Until the participant has done so many held ones."""
        self._wait(lambda: self.forwarded >= count, f"{count} x {self.path} to be done", within)
        return self.hits[count - 1]

    def _wait(self, fact, what, within):
        with self._changed:
            if not self._changed.wait_for(fact, within):
                raise TimeoutError(f"waited {within:.0f} s for {what}; caught {self.hits}")

    def release(self):
        """Lets go what is held, and matches nothing more."""
        self.left = 0
        self._released.set()

    def await_release(self):
        self._released.wait(HOLD_MAX_S)

    def pause(self, seconds):
        self._released.wait(seconds)


class FaultProxy:
    def __init__(self, name, target_port=None):
        self.name = name
        self.target_port = target_port
        self.port = free_port()
        self.seen = []
        self._rules = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._accept, daemon=True, name=f"proxy {name}").start()

    def on(self, path, fault, times=None, **where):
        """Requests whose path ends in `path` and whose saga, leg, operation, key or attempt are as
        given meet `fault`, at most `times` times. Later rules go first."""
        rule = Rule(path, fault, times, where)
        with self._lock:
            self._rules.insert(0, rule)
        return rule

    def clear(self):
        """Everything held is let go; everything passes again."""
        with self._lock:
            rules, self._rules = self._rules, []
        for rule in rules:
            rule.release()

    def requests(self, path="", **where):
        """What has come so far, in order."""
        rule = Rule(path, None, None, where)
        with self._lock:
            return [request for request in self.seen if rule.matches(request)]

    def close(self):
        self.clear()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        unread = bytearray()  # of requests that share the connection and wait for their turn
        with client:
            while True:
                try:
                    head, body = read_message(client, unread)
                except OSError:
                    return
                if not head:
                    return
                request = Request(head, body)
                rule = self._take_rule(request)
                exchange = Exchange(self, client, request, rule)
                if rule:
                    rule.note_hit(request)
                    rule.fault(exchange)
                else:
                    exchange.reply(exchange.forward())
                if not exchange.open:
                    return

    def _take_rule(self, request):
        with self._lock:
            self.seen.append(request)
            for rule in self._rules:
                if rule.matches(request):
                    if rule.left:
                        rule.left -= 1
                    return rule
        return None


def read_message(peer, unread=None):
    """(head with its blank line, body) of one message with a Content-Length; (b"", b"") at the
    end. What came after it is left in `unread`. Raises OSError where it breaks off."""
    unread = bytearray() if unread is None else unread
    while b"\r\n\r\n" not in unread:
        more = peer.recv(65536)
        if not more:
            if unread:
                raise OSError("the message breaks off in its head")
            return b"", b""
        unread += more
    end = unread.index(b"\r\n\r\n") + 4
    head = bytes(unread[:end])
    length = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.IGNORECASE)
    end += int(length.group(1)) if length else 0
    while len(unread) < end:
        more = peer.recv(65536)
        if not more:
            raise OSError("the message breaks off in its body")
        unread += more
    body = bytes(unread[len(head):end])
    del unread[:end]
    return head, body
