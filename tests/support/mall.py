"""The whole mall as real processes: skaldd, the five participants, an order front for each way of
ordering, and a fault proxy between skaldd and every participant. Everything lives below one
temporary folder, on free loopback ports. What must hold of it at rest is in oracles.py."""

import itertools
import os
import shutil
import sys
import tempfile
import threading

from connect import Engine, OrderFront, call
from fault_proxy import FaultProxy
from processes import Process, binary, free_port, wait_until

PARTICIPANTS = ("cart", "product", "inventory", "promotion", "order")
TERMINAL = ("completed", "compensated", "abandoned")


def build_dir():
    """Where the programs are: SKALD_BINARY_DIR, else build/release."""
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(here))
    return os.environ.get("SKALD_BINARY_DIR", os.path.join(root, "build", "release"))


def program(name):
    build = build_dir()
    folders = {"skaldd": "engine", "skaldctl": os.path.join("tools", "skaldctl")}
    folder = os.path.join(build, folders.get(name, "participants"))
    for place in (folder, build, os.path.join(build, "engine", "server")):
        if os.access(os.path.join(place, name), os.X_OK):
            return os.path.join(place, name)
    return binary(folder, name)


class Rows:
    """One participant: its tables, read and filled through its admin service."""

    def __init__(self, name, port):
        self.name, self.port = name, port
        self._admin = f"/{name}.admin.{name.capitalize()}Admin"

    def dump(self):
        """Every row, all pages; lists by their JSON names, `legs` of the barrier among them."""
        rows, after = {}, ""
        while True:
            page = call(self.port, f"{self._admin}/Dump", {"after": after})
            after = page.pop("next", "")
            for name, more in page.items():
                rows.setdefault(name, []).extend(more)
            if not after:
                return rows

    def seed(self, **rows):
        call(self.port, f"{self._admin}/Seed", rows)

    def call(self, method, message, headers=None):
        service = f"{self.name}.{self.name.capitalize()}Rpc"
        return call(self.port, f"/{service}/{method}", message, headers)


class Daemon:
    """skaldd on its own: a process, its port and a client."""

    def __init__(self, folder, participants=(), flags=(), name="skaldd", data=None):
        self.port = free_port()
        self.data = data or os.path.join(folder, name)
        command = [program("skaldd"), "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        for participant, port in dict(participants).items():
            command += ["--participant", f"{participant}=http://127.0.0.1:{port}"]
        self.process = Process(name, command + list(flags),
                               os.path.join(folder, f"{name}.log"), self.port)
        self.engine = Engine(self.port)

    def crash(self):
        """kill -9, and up again on the same port and data."""
        self.process.kill()
        self.process.restart()


class Mall:
    def __init__(self, definitions=("create_order", "create_order_chain"), keys="barrier",
                 flags=()):
        self.folder = tempfile.mkdtemp(prefix="skald-mall-")
        self._numbers = itertools.count(1)
        self._numbers_lock = threading.Lock()
        self.seeded = {}  # sku_id -> units
        self.snapshots = {}  # finished sagas, as oracles.py has read them
        self.stuck = set()  # sagas that a test has left stuck on purpose
        self.foreign_orders = set()  # orders that a test has written without a saga
        self.rows, self.participants, self.proxies = {}, {}, {}
        reached = {}
        for name in PARTICIPANTS:
            port = free_port()
            self.rows[name] = Rows(name, port)
            self.participants[name] = Process(
                name, [program(f"mall_{name}"), "--listen", f"127.0.0.1:{port}",
                       "--data", os.path.join(self.folder, "mall"), "--keys", keys],
                os.path.join(self.folder, f"{name}.log"), port)
            self.proxies[name] = FaultProxy(name, port)
            reached[name] = self.proxies[name].port
        self.daemon = Daemon(self.folder, reached, flags=flags)
        self.engine = self.daemon.engine
        self.fronts, self.front_processes = {}, {}
        for worker, definition in enumerate(definitions):
            self._add_front(worker, definition)

    def _add_front(self, worker, definition):
        port = free_port()
        name = f"front-{definition}"
        self.fronts[definition] = OrderFront(port)
        self.front_processes[definition] = Process(
            name, [program("mall_order_front"), "--listen", f"127.0.0.1:{port}",
                   "--data", os.path.join(self.folder, name), "--worker", worker,
                   "--engine", f"127.0.0.1:{self.daemon.port}",
                   "--orders", f"127.0.0.1:{self.rows['order'].port}",
                   "--definition", definition],
            os.path.join(self.folder, f"{name}.log"), port)

    @property
    def processes(self):
        return [*self.participants.values(), self.daemon.process, *self.front_processes.values()]

    def start(self):
        try:
            for process in self.processes:
                process.start(wait=False)
            for process in self.processes:
                process.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """Stops everything; the folder goes unless SKALD_KEEP is set."""
        for proxy in self.proxies.values():
            proxy.close()
        complaints = []
        for process in reversed(self.processes):
            try:
                process.stop()
            except AssertionError as report:
                complaints.append(str(report))
        if os.environ.get("SKALD_KEEP"):
            print(f"kept {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        assert not complaints, "\n".join(complaints)

    def log_tails(self):
        return "".join(process.log_tail() for process in self.processes)

    def clear_faults(self):
        for proxy in self.proxies.values():
            proxy.clear()

    # Rows of a test's own, so that tests share the processes and not the data.

    def number(self):
        with self._numbers_lock:
            return next(self._numbers)

    def skus(self, count=1, stock=10, price=1_000):
        """New SKUs, each of a product of its own."""
        ids = [1_000 + self.number() for _ in range(count)]
        self.rows["product"].seed(
            products=[{"id": sku, "name": f"product {sku}", "status": 1} for sku in ids],
            skus=[{"skuId": sku, "productId": sku, "priceCents": price} for sku in ids])
        self.rows["inventory"].seed(stock=[{"skuId": sku, "total": stock} for sku in ids])
        self.seeded.update((sku, stock) for sku in ids)
        return ids

    def user(self, cart=None, price=1_000):
        """A new user with these lines (sku -> quantity) in the cart."""
        user = 1_000_000 + self.number()
        self.put_in_cart(user, cart or {}, price)
        return user

    def put_in_cart(self, user, lines, price=1_000):
        self.rows["cart"].seed(lines=[
            {"userId": user, "selected": True,
             "item": {"skuId": sku, "productId": sku, "productName": f"product {sku}",
                      "priceCents": price, "quantity": quantity}}
            for sku, quantity in lines.items()])

    def coupon(self, *owners, discount=300, status=0, **other):
        """A new voucher, held by the owners."""
        coupon = 5_000 + self.number()
        self.rows["promotion"].seed(
            coupons=[{"id": coupon, "type": 3, "discountCents": discount, **other}],
            records=[{"userId": owner, "couponId": coupon, "status": status} for owner in owners])
        return coupon

    # What is there now.

    def stock(self, sku):
        """(available, locked)"""
        row = self.rows["inventory"].call("GetStock", {"sku_id": sku})
        return row.get("available", 0), row.get("locked", 0)

    def order(self, order_id):
        return self.rows["order"].call("GetOrder", {"order_id": order_id})

    def cart(self, user):
        """sku -> quantity"""
        items = self.rows["cart"].call("GetCartItems", {"user_id": user}).get("items", [])
        return {int(item["skuId"]): item["quantity"] for item in items}

    def coupon_record(self, user, coupon):
        """(status, order)"""
        row = self.rows["promotion"].call("GetCouponRecord",
                                          {"user_id": user, "coupon_id": coupon})
        return row.get("status", 0), row.get("usedOrderId", "")

    def legs(self, participant, saga_id):
        """leg -> (effects of its action, effects of its compensation)"""
        rows = self.rows[participant].dump().get("legs", [])
        return {row["leg"]: (row.get("actionEffects", 0), row.get("compensationEffects", 0))
                for row in rows if row["sagaId"] == saga_id}

    def wait_rest(self, within=60.0, stuck=()):
        """Until every saga is terminal, or stuck where that is expected."""
        def open_sagas():
            return [saga for saga in self.engine.list(
                        status=["running", "compensating", "paused", "stuck"])
                    if saga["sagaId"] not in stuck]
        try:
            wait_until(lambda: not open_sagas(), "every saga to come to rest", within, every=0.05)
        except TimeoutError as late:
            raise TimeoutError(f"{late}:{describe(self.engine, open_sagas())}") from late


def describe(engine, sagas, most=5):
    """Why these sagas are where they are, for a failure's message."""
    text = ""
    for saga in sagas[:most]:
        whole = engine.get(sagaId=saga["sagaId"])
        explanation = whole.get("explanation", {})
        text += (f"\n  {saga['sagaId']} {whole['definition']} {whole['status']}:"
                 f" {explanation.get('why', '')} Next: {explanation.get('next', '')}")
    return text + (f"\n  and {len(sagas) - most} more" if len(sagas) > most else "")
