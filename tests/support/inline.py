"""Definitions as data, short to write: steps whose participant is a FaultProxy without a target,
which answers `{}` to everything that no rule breaks. An operation's path is /step/operation."""

TIMEOUT_MS = 1_000
RETRY = {"initialMs": 20, "delayMaxMs": 200, "totalMaxMs": 60_000}


def operation(proxy, path, protocol="http_json", keys="dedup", **more):
    return {"url": f"http://127.0.0.1:{proxy.port}/{path}", "protocol": protocol, "keys": keys,
            "timeoutMs": TIMEOUT_MS, "retry": RETRY, **more}


def call_step(proxy, name, after=None, payload=None, **more):
    """A call with a way back. `more` goes to both operations."""
    step = {"name": name, "payload": {"json": payload or {"step": name}},
            "action": operation(proxy, f"{name}/action", **more),
            "compensation": operation(proxy, f"{name}/compensation", **more)}
    return with_after(step, after)


def pivot_step(proxy, name, after=None, **more):
    step = {"name": name, "class": "pivot", "payload": {"json": {"step": name}},
            "action": operation(proxy, f"{name}/action", **more)}
    return with_after(step, after)


def retriable_step(proxy, name, after=None, **more):
    return {**pivot_step(proxy, name, after, **more), "class": "retriable"}


def query_step(proxy, name, after=None, **more):
    step = {"name": name, "kind": "query", "payload": {"json": {"step": name}},
            "action": operation(proxy, f"{name}/action", **{**more, "keys": "none"})}
    return with_after(step, after)


def wait_step(name, timeout_ms, signal="", after=None, **more):
    wait = {"timeoutMs": timeout_ms, "signal": signal}
    if "on_timeout" in more:
        wait["onTimeout"] = more.pop("on_timeout")
    return with_after({"name": name, "wait": wait, **more}, after)


def with_after(step, after):
    return step if after is None else {**step, "after": {"steps": after}}


def definition(name, *steps, **more):
    return {"name": name, "steps": list(steps), **more}
