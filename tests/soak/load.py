"""The soak's customers: orders at a steady rate whatever the answers take, over connections that
are kept. Latency counts from the moment an order was due, so that waiting in line is part of it."""

import json
import re
import socket
import threading
import time

from processes import pause

ANSWER_WITHIN_S = 30.0
UNDONE_EVERY = 10  # one order in so many is refused at its pivot and undone
SKUS = 64
STOCK = 1_000_000_000


def definition(inventory_port):
    """Two deductions, a third as the pivot, and all three given back: nothing is used up."""
    base = f"http://127.0.0.1:{inventory_port}/inventory.InventoryRpc/"

    def call(method):
        return {"url": base + method, "protocol": "connect_json", "keys": "barrier"}

    def step(name, method, sku, quantity, **more):
        return {"name": name, "action": call(method), **more,
                "payload": {"json": {"skuId": sku, "quantity": quantity}}}

    def steps(number):
        first, second, third = (1 + (number * 3 + i) % SKUS for i in range(3))
        wanted = 2 * STOCK if number % UNDONE_EVERY == 0 else 1
        back = {"compensation": call("RollbackStock")}
        yield step("first", "DeductStock", first, 1, **back)
        yield step("second", "DeductStock", second, 1, **back)
        yield step("pivot", "DeductStock", third, wanted, **{"class": "pivot"})
        for name, sku in (("one", first), ("two", second), ("three", third)):
            yield step(f"return_{name}", "RollbackStock", sku, 1, **{"class": "retriable"})

    return lambda number: {"name": "soak", "steps": list(steps(number))}


class Connection:
    """Just enough HTTP to ask one thing after another."""

    def __init__(self, port):
        self._port, self._socket, self._rest = port, None, b""

    def submit(self, message):
        """The saga's status. Raises OSError."""
        body = json.dumps(message).encode()
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), ANSWER_WITHIN_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(b"POST /skald.v1.SagaService/Submit HTTP/1.1\r\nHost: x\r\n"
                             b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                             % len(body) + body)
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._receive()
        head, _, rest = self._rest.partition(b"\r\n\r\n")
        size = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
        while len(rest) < size:
            rest += self._receive()
        self._rest = rest[size:]
        answer = json.loads(rest[:size])
        return answer.get("status") or answer.get("code", "unreadable")

    def _receive(self):
        more = self._socket.recv(65536)
        if not more:
            raise OSError("the engine closed the connection")
        return more

    def close(self):
        if self._socket:
            self._socket.close()
        self._socket, self._rest = None, b""


class Customers:
    """`rate` 0: as fast as answers come, which is how capacity is measured."""

    def __init__(self, port, make_definition, workers):
        self._make, self._port = make_definition, port
        self.rate = 0.0
        self.done, self.wrong = 0, {}
        self._latencies, self._open = [], {}
        self._number, self._due = 0, time.monotonic()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(i,), daemon=True)
                         for i in range(workers)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def hold(self, rate):
        with self._lock:
            self.rate, self._due = rate, time.monotonic()
            self._latencies = []

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(ANSWER_WITHIN_S)

    def take(self):
        """(latencies since the last call, age of the oldest open order), in seconds."""
        with self._lock:
            latencies, self._latencies = self._latencies, []
            now = time.monotonic()
            ages = (now - due for due in self._open.values() if due < now)
            return latencies, max(ages, default=0.0)

    def _next(self, worker):
        with self._lock:
            now = time.monotonic()
            due = now
            if self.rate:
                due = self._due
                self._due += 1 / self.rate
            self._number += 1
            self._open[worker] = due
            return self._number, due

    def _work(self, worker):
        connection = Connection(self._port)
        while not self._stop.is_set():
            number, due = self._next(worker)
            pause(max(0.0, due - time.monotonic()))
            status = self._submit(connection, number)
            with self._lock:
                self._open.pop(worker, None)
                self._latencies.append(time.monotonic() - due)
                self.done += 1
                wanted = "compensated" if number % UNDONE_EVERY == 0 else "completed"
                if status != wanted:
                    self.wrong[status] = self.wrong.get(status, 0) + 1
        connection.close()

    def _submit(self, connection, number):
        try:
            return connection.submit({"wait": "done", "timeoutMs": 20_000,
                                      "idempotencyKey": f"soak/{number}",
                                      "inlineDefinition": self._make(number)})
        except OSError as trouble:
            connection.close()
            return type(trouble).__name__
