"""The variants of one real order: nothing fails, and every trouble at every operation that can have
it, undoing included. A refusal is the participant's own where its rows can be made to refuse (stock
that is short, a coupon that expires before the pivot), else the proxy's."""

import dataclasses
from collections import Counter

import fault_proxy as faults

FIRST, SECOND = "deduct_stock[1st]", "deduct_stock[2nd]"  # of the order's two SKUs
QUERIES = {"create_order": ("cart", "prices", "discount"),
           "create_order_chain": ("cart", "discount")}
EFFECTS = {"create_order": ("write_order", FIRST, SECOND),
           "create_order_chain": (FIRST, SECOND, "write_order")}
PIVOT = "use_coupon"
AFTER = {"create_order": ("open_order", "clear_cart"), "create_order_chain": ("clear_cart",)}
TROUBLES = ("refused", "not executed once", "request lost", "reply lost")


@dataclasses.dataclass
class Variant:
    definition: str
    name: str
    troubles: list  # (leg, operation, trouble)
    ends: str

    def __str__(self):
        return f"{self.definition}/{self.name}"


def variants(definition):
    found = [Variant(definition, "nothing fails", [], "completed")]
    before = (*QUERIES[definition], *EFFECTS[definition], PIVOT)
    for leg in (*before, *AFTER[definition]):
        for trouble in TROUBLES:
            # Refused after the pivot, a person sees to it and it goes on.
            back = trouble == "refused" and leg in before
            found.append(Variant(definition, f"{leg} {trouble}", [(leg, "action", trouble)],
                                 "compensated" if back else "completed"))
    for leg in EFFECTS[definition]:
        for trouble in TROUBLES:
            found.append(Variant(definition, f"undo of {leg} {trouble}",
                                 [(PIVOT, "action", "refused"), (leg, "compensation", trouble)],
                                 "compensated"))
    return found


class Order:
    """One order of a new user for two new SKUs with a new coupon, and its troubles in place."""

    QUANTITY, STOCK = 2, 10

    def __init__(self, mall, proxies, variant):
        self.mall, self.proxies, self.variant = mall, proxies, variant
        self.stocks = {leg: self.STOCK for leg in (FIRST, SECOND)}
        for leg, operation, trouble in variant.troubles:
            if leg in self.stocks and (operation, trouble) == ("action", "refused"):
                self.stocks[leg] = 1  # one unit, two are wanted
        self.skus = {leg: mall.skus(1, stock)[0] for leg, stock in self.stocks.items()}
        self.user = mall.user({sku: self.QUANTITY for sku in self.skus.values()})
        self.coupon = mall.coupon(self.user)
        self.number = f"SN{self.user:019d}"
        self.key = f"order/{self.user}"
        for proxy in proxies:
            proxy.clear()
            proxy.seen.clear()
            for leg, operation, trouble in variant.troubles:
                self._make_trouble(proxy, leg, operation, trouble)

    def _make_trouble(self, proxy, leg, operation, trouble):
        named = leg
        if leg in self.skus:
            named = f"deduct_stock[{self.skus[leg]}]"
        where = {"leg": named, "operation": operation}
        if trouble == "refused" and leg == PIVOT:
            proxy.on("", self._expire_coupon, times=1, **where)
        elif trouble == "refused" and operation == "action" and leg in self.skus:
            pass  # its stock is short
        elif trouble == "refused":
            proxy.on("", faults.connect_error(400, "failed_precondition"), **where)
        elif trouble == "not executed once":
            proxy.on("", faults.connect_error(429, "resource_exhausted"), times=1, **where)
        elif trouble == "request lost":
            proxy.on("", faults.lose_request, times=1, **where)
        else:
            proxy.on("", faults.lose_reply, times=1, **where)

    def _expire_coupon(self, exchange):
        self.mall.rows["promotion"].seed(
            records=[{"userId": self.user, "couponId": self.coupon, "status": 2}])
        exchange.reply(exchange.forward())

    def submission(self):
        return {"definition": self.variant.definition,
                "payload": {"user_id": self.user, "sku_ids": list(self.skus.values()),
                            "coupon_id": self.coupon, "address": "1 Harbour Street"},
                "idempotencyKey": self.key, "businessKey": self.number}

    def findings(self, status):
        """What does not hold of this order's own rows; the oracles look at everything later."""
        done = self.variant.ends == "completed"
        if status != self.variant.ends:
            yield f"it is {status}, not {self.variant.ends}"
        for leg, sku in self.skus.items():
            wanted = (self.stocks[leg] - self.QUANTITY, self.QUANTITY) if done else \
                (self.stocks[leg], 0)
            if self.mall.stock(sku) != wanted:
                yield f"SKU {sku} has {self.mall.stock(sku)}, not {wanted}"
        yield from self._sent_twice()
        left = self.mall.cart(self.user)
        if bool(left) == done:
            yield f"the cart holds {left}"
        record = self.mall.coupon_record(self.user, self.coupon)
        if (record[0] == 1) != done or (done and record[1] != self.number):
            yield f"the coupon's record is {record}"

    def _sent_twice(self):
        """An attempt whose intent was durable has a number of its own, for ever. Queries have no
        intents."""
        sent = Counter((request.key, request.attempt) for proxy in self.proxies
                       for request in list(proxy.seen)
                       if request.leg not in QUERIES[self.variant.definition])
        for (key, attempt), times in sent.items():
            if times > 1:
                yield f"attempt {attempt} of {key} was sent {times} times"
