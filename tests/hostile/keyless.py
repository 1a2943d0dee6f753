"""The same order for participants that keep no keys: a definition as data over the same methods,
and what can be held against them. They may leak, but each leak is listed as in doubt; nothing is
sold that is not there."""

from cases import PIVOT, PRICE, QUANTITY, RETRIABLE, UNDOABLE, Case, Place
from inline import RETRY

SERVICES = {"write_order": "order", "deduct_stock": "inventory", "deduct_other": "inventory",
            "use_coupon": "promotion", "open_order": "order", "clear_cart": "cart"}
STEPS = UNDOABLE + (PIVOT,) + RETRIABLE
PLACES = tuple(Place(step, "action") for step in STEPS) + tuple(
    Place(step, "compensation") for step in UNDOABLE)


class KeylessCase(Case):
    def submission(self):
        total = 2 * QUANTITY * PRICE
        items = [{"productId": sku, "productName": f"product {sku}", "skuId": sku,
                  "priceCents": PRICE, "quantity": QUANTITY} for sku in self.skus]
        order = {"orderId": self.order_id, "userId": self.user, "items": items, "status": 5,
                 "totalCents": total, "discountCents": 300, "payCents": total - 300,
                 "couponId": self.coupon, "address": "1 Harbour Street"}
        first, other = ({"skuId": sku, "quantity": QUANTITY} for sku in self.skus)
        steps = [
            self._step("write_order", "CreateOrder", order, undo="VoidOrder",
                       undo_payload={"orderId": self.order_id}),
            self._step("deduct_stock", "DeductStock", first, undo="RollbackStock"),
            self._step("deduct_other", "DeductStock", other, undo="RollbackStock"),
            self._step("use_coupon", "UseCoupon",
                       {"userId": self.user, "couponId": self.coupon,
                        "usedOrderId": self.order_id}, call_class="pivot"),
            self._step("open_order", "ChangeOrderStatus",
                       {"orderId": self.order_id, "expected": 5, "newStatus": 0},
                       call_class="retriable"),
            self._step("clear_cart", "ClearCartItems",
                       {"userId": self.user, "skuIds": self.skus}, call_class="retriable"),
        ]
        return {"inlineDefinition": {"name": "keyless_order", "steps": steps}}

    def _step(self, name, method, payload, undo="", undo_payload=None, call_class=""):
        step = {"name": name, "payload": {"json": payload}, "action": self._call(name, method)}
        if undo:
            step["compensation"] = self._call(name, undo)
        if undo_payload:
            step["compensationPayload"] = {"json": undo_payload}
        if call_class:
            step["class"] = call_class
        return step

    def _call(self, step, method):
        service = SERVICES[step]
        return {"url": f"http://127.0.0.1:{self.ports[service]}/{service}.{service.capitalize()}Rpc"
                       f"/{method}",
                "protocol": "connect_json", "keys": "none", "retry": RETRY}

    def prepare(self, mall):
        super().prepare(mall)
        self.ports = {name: proxy.port for name, proxy in mall.proxies.items()}


def applies(kind, place):
    return place.operation in kind.only and (not kind.cancelled or place.step in UNDOABLE)


def expected_ends(faults):
    return ("completed", "compensated", "stuck")


def may_stand(leg):
    """The effects that the journal allows a deduction to have now."""
    stage = leg.get("stage", "ready")
    open_operation = leg.get("compensation") if stage == "undoing" else leg.get("action", {})
    if stage in ("acting", "undoing") and open_operation.get("mayHaveHappened"):
        return (0, 1)
    return {"done": (1,), "undoing": (1,)}.get(stage, (0,))


def findings(mall, cases):
    """What does not hold, as sentences, and the units that are in doubt."""
    stock = {int(row["skuId"]): row for row in mall.rows["inventory"].dump().get("stock", [])}
    listed = {saga["sagaId"] for saga in mall.engine.list(status=["stuck"])}
    found, in_doubt = [], 0
    for sku, row in stock.items():
        parts = [row.get(name, 0) for name in ("available", "locked", "sold")]
        if min(parts) < 0 or sum(parts) != row.get("total", 0):
            found.append(f"SKU {sku}: oversold or lost: {parts} of {row.get('total', 0)}")
    for case in cases:
        saga = mall.engine.get(sagaId=case.saga_id)
        if saga["status"] == "stuck":
            explanation = saga.get("explanation", {})
            if case.saga_id not in listed or not explanation.get("needsPerson"):
                found.append(f"{case}: stuck, and not listed for a person")
        unseen = any(kind.lies or kind.delivers_twice for kind, _ in case.faults)
        legs = {leg["name"]: leg for step in saga["steps"] for leg in step.get("legs", [])}
        for name, sku in zip(("deduct_stock", "deduct_other"), case.skus):
            allowed = may_stand(legs.get(name, {}))
            locked = stock[sku].get("locked", 0)
            if len(allowed) == 2:
                in_doubt += QUANTITY
            if locked not in [QUANTITY * times for times in allowed] and not unseen:
                found.append(f"{case}: SKU {sku} has {locked} locked, its leg {name} is "
                             f"{legs.get(name, {}).get('stage')}: a leak that is not listed")
    return found, in_doubt
