"""The kinds of misbehaviour: what a participant, or the network before it, does to the first
requests of one operation. Each is a list of faults (tests/support/fault_proxy.py), one for each
request in turn; requests behind the list pass. `None` in a list lets its request pass.

`ends` says how the saga is to end when the operation is a compensatable action; expected_end()
derives the other places from it.
"""

import fault_proxy as faults
from fault_proxy import answer, connect_error, http_reply

ATTEMPT_S = 2.0  # the attempt timeout of the mall's methods
DRIP_S = 0.6 * ATTEMPT_S  # slow, and in time
LATE_S = 1.3 * ATTEMPT_S  # later than an attempt waits
OVERSIZED_BYTES = 6 << 20  # more than an answer may have
DRIPS = 12


def twice(exchange):
    """The same request arrives two times; the second answer counts."""
    exchange.forward()
    exchange.reply(exchange.forward())


def late(exchange):
    """Lands after its attempt was given up."""
    exchange.rule.pause(LATE_S)
    exchange.reply(exchange.forward())


def last_of_all(exchange):
    """Overtaken by everything: lands when the saga has long ended."""
    exchange.case.ended.wait(faults.HOLD_MAX_S)
    exchange.case.landed(exchange.forward())
    exchange.reset()


def never(exchange):
    """No byte of an answer, on any attempt, until the test heals the participant."""
    exchange.case.healed.wait(faults.HOLD_MAX_S)
    exchange.reset()


def dripping(seconds):
    def fault(exchange):
        raw = exchange.forward()
        piece = max(1, len(raw) // DRIPS)
        for at in range(0, len(raw), piece):
            exchange.rule.pause(seconds * piece / max(1, len(raw)))
            exchange.reply(raw[at:at + piece])
            if not exchange.open:
                return
    return fault


def reset_in_the_middle(exchange):
    raw = exchange.forward()
    exchange.reply(raw[:max(1, len(raw) - 1)])
    exchange.reset()


def oversized(exchange):
    exchange.forward()
    exchange.reply(http_reply(200, b" " * OVERSIZED_BYTES, "application/proto"))


def foreign_ids(exchange):
    """Done and answered; the answer claims to be of another saga."""
    raw = exchange.forward()
    head, _, body = raw.partition(b"\r\n\r\n")
    exchange.reply(head + b"\r\nIdempotency-Key: \"" + b"0" * 26 + b"/other/action\"\r\n"
                   b"Skald-Saga-Id: " + b"0" * 26 + b"\r\nSkald-Leg: other\r\n\r\n" + body)


def lie(exchange):
    """"Done", and nothing was."""
    content_type = exchange.request.headers.get("content-type", "application/proto")
    body = b"{\"success\":true}" if content_type.endswith("json") else b"\x08\x01"
    exchange.reply(http_reply(200, body, content_type))


REFUSED = connect_error(412, "failed_precondition", "no, for a reason")
CROWDED = answer(429, headers=[("Retry-After", "1")])


class Kind:
    """`lasts`: every attempt meets the last fault until the case is healed. `cancelled`: an
    operator turns the saga back once the first request was caught. `lies`: the participant breaks
    its own promise, which no engine can heal. `only`: the operations it is about.
    `delivers_twice`: the effect of a keyless participant happens twice, and nobody is told."""

    def __init__(self, name, *script, lasts=False, cancelled=False, lies=False, refuses=False,
                 only=("action", "compensation"), delivers_twice=False):
        self.name, self.script = name, script
        self.lasts, self.cancelled, self.lies, self.refuses = lasts, cancelled, lies, refuses
        self.only, self.delivers_twice = only, delivers_twice

    def fault(self, number):
        if number < len(self.script):
            return self.script[number]
        return self.script[-1] if self.lasts else None


KINDS = (
    Kind("5xx", answer(500), answer(503, forward=True), answer(502, b"<html>", "text/html")),
    Kind("business refusal", REFUSED, lasts=True, refuses=True),
    Kind("429 + Retry-After", CROWDED, CROWDED),
    Kind("timeout", faults.silence),
    Kind("late success", late),
    Kind("duplicate", twice, delivers_twice=True),
    Kind("reorder", last_of_all),
    Kind("undo of nothing", faults.lose_request, lasts=True, cancelled=True, only=("action",)),
    Kind("slow drip", dripping(DRIP_S)),
    Kind("reset mid-body", reset_in_the_middle, faults.half_head),
    Kind("malformed body", faults.garbage, oversized, faults.deep_json),
    Kind("foreign ids", foreign_ids),
    Kind("done, but not", lie, lies=True),
    Kind("flapping", faults.lose_request, answer(503), faults.lose_reply, answer(500)),
    Kind("never answers", never, lasts=True),
    Kind("conflicting", answer(202, b"{}", forward=True), answer(500),
         connect_error(409, "aborted"), answer(425)),
)
