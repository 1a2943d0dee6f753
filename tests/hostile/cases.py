"""One case is one order with one or two operations that meet a kind of misbehaviour each; it is
played against the real engine until its saga has ended, with what an operator would do on the
way."""

import threading
import time

import kinds
from connect import ConnectError, NoAnswer
from processes import SLOWDOWN, pause, wait_until

PRICE, QUANTITY, STOCK = 1_000, 2, 10
NEVER_FOR_S = 5.0  # so long a participant that never answers is left alone
END_WITHIN_S = 60.0 * SLOWDOWN
TERMINAL = ("completed", "compensated", "abandoned")
QUERIES = ("cart", "prices", "discount")
UNDOABLE = ("write_order", "deduct_stock")
PIVOT = "use_coupon"
RETRIABLE = ("open_order", "clear_cart")
ACTIONS = QUERIES + UNDOABLE + (PIVOT,) + RETRIABLE


class Place:
    """An operation of the order saga that can be broken. Of the two stock legs it is the first."""

    def __init__(self, step, operation):
        self.step, self.operation = step, operation

    def __str__(self):
        return f"{self.step}/{self.operation}"


PLACES = tuple(Place(step, "action") for step in ACTIONS) + tuple(
    Place(step, "compensation") for step in UNDOABLE)


def applies(kind, place):
    """Whether the kind says anything at this place."""
    if place.operation not in kind.only:
        return False
    return not kind.cancelled or place.step in UNDOABLE


def may_meet(one, two):
    """Whether both of a pair can be met. A way back that is forced at the pivot is a refusal, which
    would be a lie where the pivot's own fault let it happen."""
    steps = {one[1].step, two[1].step}
    goes_back = "compensation" in (one[1].operation, two[1].operation)
    return str(one[1]) != str(two[1]) and not (goes_back and PIVOT in steps)


def expected_ends(faults):
    """How a saga may end whose (kind, place) pairs are these, and every participant keeps keys."""
    if any(kind.lies for kind, _ in faults):
        return TERMINAL + ("stuck",)
    turned = any(kind.cancelled or place.operation == "compensation" or
                 kind.refuses and place.step not in RETRIABLE for kind, place in faults)
    # Two faults: the first may take the saga back before the second is met, and time spent before
    # the pivot turns it back too.
    if len(faults) == 1:
        return ("compensated",) if turned else ("completed",)
    return ("compensated", "completed")


class Case:
    def __init__(self, number, faults):
        self.number, self.faults = number, faults
        self.healed, self.ended = threading.Event(), threading.Event()
        self.caught = threading.Event()
        self.hits = {}  # place -> requests met
        self.late_answers = []
        self.retries = 0  # by the operator
        self.status = "not submitted"
        self.saga_id = ""
        self.complaint = ""
        self._lock = threading.Lock()

    def __str__(self):
        return f"case {self.number} ({self.title}) saga {self.saga_id}"

    @property
    def title(self):
        return " + ".join(f"{kind.name} at {place}" for kind, place in self.faults)

    @property
    def lies(self):
        return any(kind.lies for kind, _ in self.faults)

    def left_a_lie(self):
        """A leg stands in the journal that never was, or the other way round. An action that was
        only said to be done, or never arrived, and is then undone leaves nothing, whether or not
        the undo is a lie."""
        never_done = {place.step for kind, place in self.faults
                      if (kind.lies or kind.cancelled) and place.operation == "action"}
        return any(kind.lies and place.step not in QUERIES and place in self.hits and
                   (self.status == "completed" or
                    place.operation == "compensation" and place.step not in never_done)
                   for kind, place in self.faults)

    def goes_back(self):
        """Whether the way back has to be forced, so that a compensation is met at all."""
        return any(place.operation == "compensation" for _, place in self.faults)

    def landed(self, raw):
        self.late_answers.append(raw)

    def fault_for(self, request):
        """The fault that this request meets, or None."""
        step, _, item = request.leg.partition("[")
        fault = self._scripted(step, item, request.operation)
        if fault is None and step == PIVOT and self.goes_back():
            return kinds.REFUSED
        return fault

    def _scripted(self, step, item, operation):
        for kind, place in self.faults:
            if (place.step, place.operation) != (step, operation):
                continue
            if item and item.rstrip("]") != str(self.first_sku):
                continue
            if kind.lasts and self.healed.is_set():
                return None
            with self._lock:
                number = self.hits.get(place, 0)
                self.hits[place] = number + 1
            fault = kind.fault(number)
            if fault is not None:
                self.caught.set()
            return fault
        return None

    def submission(self):
        return {"definition": "create_order",
                "payload": {"userId": self.user, "skuIds": self.skus, "couponId": self.coupon,
                            "address": "1 Harbour Street"}}

    def prepare(self, mall):
        skus = mall.skus(2, STOCK, PRICE)
        self.skus, self.first_sku = skus, skus[0]
        self.user = mall.user(dict.fromkeys(skus, QUANTITY), PRICE)
        self.coupon = mall.coupon(self.user)
        self.order_id = f"SN{7_000_000_000_000_000_000 + self.number:019d}"

    def tokens(self):
        """What a finding about this case has in it."""
        return (self.saga_id, self.order_id, f"({self.user}, {self.coupon})",
                *(f"SKU {sku}:" for sku in self.skus))

    def play(self, engine, book):
        try:
            self.saga_id = book.submit(self)
            self._see_through(engine)
        except (ConnectError, NoAnswer, TimeoutError, AssertionError) as trouble:
            self.complaint = f"{self}: {trouble}"
        finally:
            self.healed.set()
            self.ended.set()

    def _see_through(self, engine):
        """Until it is terminal, or stuck where nobody can help."""
        began = time.monotonic()
        if any(kind.cancelled for kind, _ in self.faults):
            wait_until(self.caught.is_set, f"{self} to meet its fault", END_WITHIN_S)
            self._cancel(engine)
        while True:
            saga = engine.get(sagaId=self.saga_id)
            self.status = saga["status"]
            if self.status in TERMINAL:
                return
            passed = time.monotonic() - began
            if passed > NEVER_FOR_S:
                self.healed.set()
            if self.status == "stuck" and not self._operate(engine, saga):
                return
            if passed > END_WITHIN_S:
                why = saga.get("explanation", {})
                raise TimeoutError(f"still {self.status}: {why.get('why', '')}")
            pause(0.1)

    def _cancel(self, engine):
        try:
            engine.cancel(sagaId=self.saga_id, reason="the case asks")
        except ConnectError as error:
            if error.code not in ("failed_precondition", "aborted"):
                raise

    def _operate(self, engine, saga):
        """A person looks at a stuck saga: the refusing participant is mended, then asked again.
        False: it is in doubt, or a lie, and stays."""
        explanation = saga.get("explanation", {})
        assert explanation.get("why"), f"stuck and does not say why: {explanation}"
        if self.retries >= 5 or not self._may_retry(saga):
            return False
        self.healed.set()
        try:
            engine.retry(sagaId=self.saga_id, reason="mended")
        except ConnectError as error:
            if error.code not in ("failed_precondition", "aborted"):
                raise
        self.retries += 1
        return True

    @staticmethod
    def _may_retry(saga):
        commands = saga.get("explanation", {}).get("commands", [])
        return any(command["verb"] == "retry" for command in commands)
