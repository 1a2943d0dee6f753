"""The nine oracles of the mall, checked over the participants' rows and the engine's sagas when
everything has come to rest. They know nothing of what a test did, except the exceptions named to
them. Each finding begins with its oracle's number."""

from collections import Counter, defaultdict

LIVE = (0, 1, 2, 3)  # unpaid, paid, shipped, done
PATHS = {(-1, 5), (-1, 0), (5, 0), (5, 6), (0, 1), (0, 4), (0, 6), (1, 2), (2, 3)}
TERMINAL = ("completed", "compensated", "abandoned")
CREATES = ("create_order", "create_order_chain", "order_parallel")
NOT_EXERCISED = {8: "paid and cancelled orders need PayOrder and RefundOrder, which do not exist"}


class World:
    """Everything that is to be judged, read once."""

    def __init__(self, mall):
        dumps = {name: rows.dump() for name, rows in mall.rows.items()}
        self.stock = {int(row["skuId"]): row for row in dumps["inventory"].get("stock", [])}
        self.orders = {row["orderId"]: row for row in dumps["order"].get("orders", [])}
        self.records = dumps["promotion"].get("records", [])
        self.seeded = mall.seeded
        self.effects = {}  # (saga, leg) -> (actions, compensations)
        self.strangers = []
        for name, dump in dumps.items():
            for row in dump.get("legs", []):
                counts = row.get("actionEffects", 0), row.get("compensationEffects", 0)
                if (row["sagaId"], row["leg"]) in self.effects:
                    self.strangers.append(f"{name} and another one know leg {row['leg']}")
                self.effects[(row["sagaId"], row["leg"])] = counts
        self.sagas = {}
        for line in mall.engine.list():
            # A finished saga does not change any more.
            saga = mall.snapshots.get(line["sagaId"])
            if saga is None:
                saga = mall.engine.get(sagaId=line["sagaId"], payloads=True)
                if saga["status"] in TERMINAL:
                    mall.snapshots[line["sagaId"]] = saga
            self.sagas[line["sagaId"]] = saga


def findings(mall, stuck=(), foreign_orders=()):
    """What does not hold, as sentences. `stuck`: sagas that are meant to be stuck.
    `foreign_orders`: orders that a test wrote without a saga."""
    world = World(mall)
    found = []
    for number, oracle in ORACLES.items():
        found += [f"oracle {number}: {text}" for text in oracle(world, set(stuck),
                                                                set(foreign_orders))]
    return found


def stock_adds_up(world, *_):
    for sku, row in world.stock.items():
        parts = [row.get(name, 0) for name in ("available", "locked", "sold")]
        if min(parts) < 0 or sum(parts) != row.get("total", 0):
            yield f"SKU {sku}: available, locked, sold are {parts}, total {row.get('total', 0)}"
        if sku in world.seeded and row.get("total", 0) != world.seeded[sku]:
            yield f"SKU {sku}: total {row.get('total', 0)}, seeded with {world.seeded[sku]}"


def locked_is_ordered(world, stuck, _):
    wanted = Counter()
    for order in world.orders.values():
        if order.get("status", 0) == 0:
            wanted.update({int(item["skuId"]): item["quantity"] for item in order["items"]})
    # What a stuck saga holds is listed with it, and is no leak.
    for saga_id in stuck:
        for step in world.sagas[saga_id].get("steps", []):
            if step["name"] != "deduct_stock":
                continue
            for leg in step.get("legs", []):
                done, undone = world.effects.get((saga_id, leg["name"]), (0, 0))
                if done > undone:
                    order = world.orders.get(world.sagas[saga_id].get("businessKey", ""))
                    if order is None or order.get("status", 0) != 0:
                        wanted[int(leg["key"])] += int(leg["request"]["quantity"])
    for sku, row in world.stock.items():
        if row.get("locked", 0) != wanted[sku]:
            yield f"SKU {sku}: locked {row.get('locked', 0)}, unpaid orders hold {wanted[sku]}"


def sagas_are_at_rest(world, stuck, _):
    for saga_id, saga in world.sagas.items():
        if saga["status"] in TERMINAL:
            continue
        explanation = saga.get("explanation", {})
        if saga_id not in stuck:
            yield f"saga {saga_id} is {saga['status']}: {explanation.get('why', '')}"
        elif not explanation.get("why") or not (explanation.get("needsPerson")
                                                or explanation.get("commands")):
            yield f"saga {saga_id} is stuck and does not say what a person can do"


def coupons_serve_live_orders(world, stuck, _):
    busy = {world.sagas[saga_id].get("businessKey", "") for saga_id in stuck}
    users = defaultdict(list)
    for order_id, order in world.orders.items():
        live = order.get("status", 0) in LIVE and order_id not in busy
        if live and int(order.get("couponId", 0)):
            users[(int(order["userId"]), int(order["couponId"]))].append(order_id)
    for record in world.records:
        holder = int(record["userId"]), int(record["couponId"])
        used_by = record.get("usedOrderId", "") if record.get("status", 0) == 1 else ""
        serves = users.pop(holder, [])
        if len(serves) > 1:
            yield f"coupon record {holder} serves {serves}"
        if used_by in busy:
            continue
        if serves != ([used_by] if used_by else []):
            yield f"coupon record {holder} is used by {used_by or 'none'}, live: {serves}"
    for holder, serves in users.items():
        yield f"orders {serves} use a coupon {holder} that is not there"


def orders_are_as_ordered(world, _, foreign):
    carts = {}
    for saga in world.sagas.values():
        if saga["definition"] in CREATES:
            for step in saga["steps"]:
                if step["name"] == "cart" and step.get("legs"):
                    response = step["legs"][0].get("response") or {}
                    carts[saga.get("businessKey", "")] = response.get("items", [])
    for order_id, order in world.orders.items():
        items = order.get("items", [])
        total = sum(int(item["priceCents"]) * item["quantity"] for item in items)
        said = {name: int(order.get(f"{name}Cents", 0))
                for name in ("total", "discount", "freight", "pay")}
        if not items or total != said["total"]:
            yield f"order {order_id}: its items make {total}, it says {said['total']}"
        if said["pay"] != said["total"] - said["discount"] + said["freight"]:
            yield f"order {order_id}: {said} does not add up"
        if order_id in foreign:
            continue
        bought = sorted((int(i["skuId"]), i["quantity"], int(i["priceCents"])) for i in items)
        cart = sorted((int(i["sku_id"]), int(i["quantity"]), int(i["price_cents"]))
                      for i in carts.get(order_id, []))
        if bought != cart:
            yield f"order {order_id}: bought {bought}, the cart had {cart}"


def keys_make_one_order(world, _, foreign):
    by_key, by_order = defaultdict(list), defaultdict(list)
    for saga_id, saga in world.sagas.items():
        if saga["definition"] in CREATES:
            if saga.get("idempotencyKey"):
                by_key[saga["idempotencyKey"]].append(saga_id)
            by_order[saga.get("businessKey", "")].append(saga_id)
    for key, sagas in by_key.items():
        if len(sagas) > 1:
            yield f"key {key} made {sagas}"
    for order_id in world.orders:
        if order_id not in foreign and len(by_order[order_id]) != 1:
            yield f"order {order_id} has sagas {by_order[order_id]}"


def histories_are_paths(world, *_):
    for order_id, order in world.orders.items():
        steps = [(change.get("from", 0), change.get("to", 0)) for change in order["history"]]
        broken = [step for step in steps if step not in PATHS]
        joined = steps and steps[0][0] == -1 and all(
            a[1] == b[0] for a, b in zip(steps, steps[1:]))
        if broken or not joined or steps[-1][1] != order.get("status", 0):
            yield f"order {order_id} is {order.get('status', 0)} and went {steps}"


def applied_is_journaled(world, stuck, _):
    yield from world.strangers
    journal = {}
    for saga_id, saga in world.sagas.items():
        for step in saga.get("steps", []):
            if step.get("kind") == "call":
                for leg in step.get("legs", []):
                    journal[(saga_id, leg["name"])] = leg
    for leg, counts in world.effects.items():
        if counts[0] > 1 or counts[1] > counts[0]:
            yield f"leg {leg} took effect {counts} times"
        if leg not in journal:
            yield f"leg {leg} has effects {counts} and is in no journal"
    wanted = {"done": (1, 0), "ready": (0, 0), "refused": (0, 0), "dropped": (0, 0)}
    for leg, entry in journal.items():
        counts = world.effects.get(leg, (0, 0))
        if leg[0] in stuck:
            continue
        if entry["stage"] == "undone":
            if counts[0] != counts[1]:
                yield f"leg {leg} is undone in the journal, its effects are {counts}"
        elif counts != wanted.get(entry["stage"]):
            yield f"leg {leg} is {entry['stage']} in the journal, its effects are {counts}"


ORACLES = {
    1: stock_adds_up,
    2: locked_is_ordered,
    3: sagas_are_at_rest,
    4: coupons_serve_live_orders,
    5: orders_are_as_ordered,
    6: keys_make_one_order,
    7: histories_are_paths,
    9: applied_is_journaled,
}
