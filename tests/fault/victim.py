"""A real skaldd that dies under an order and is started again; the participants are shared."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from connect import ConnectError, NoAnswer
from fault_proxy import FaultProxy
from mall import Daemon, build_dir
from processes import wait_until

ENDS_WITHIN_S = 60.0
LOOK_EVERY_MS = 200


def seam(name):
    """The library that is loaded into the daemon."""
    return os.path.join(build_dir(), "tests", "fault", f"lib{name}.so")


class Victim:
    """One daemon with proxies of its own to the mall's participants. `environment` says, for the
    ports at which it finds them, what its process is started with."""

    def __init__(self, mall, index, environment):
        self.mall, self.index = mall, index
        self.proxies = [FaultProxy(name, rows.port) for name, rows in mall.rows.items()]
        reached = {proxy.name: proxy.port for proxy in self.proxies}
        self.daemon = Daemon(mall.folder, reached, name=f"skaldd-{index}")
        self.daemon.process.command[:0] = ["env", *environment(reached.values())]
        # The daemon dies with the thread that starts it, so one thread does all of its work.
        self.thread = ThreadPoolExecutor(1)
        self.thread.submit(self.daemon.process.start).result()

    def stop(self):
        for proxy in self.proxies:
            proxy.close()
        self.daemon.process.stop()
        self.thread.shutdown()

    def revive(self):
        """After its death."""
        self.daemon.process.wait_end()
        self.daemon.process.kills += 1
        self.daemon.process.restart()

    def drive(self, order):
        """Submits, again under the same key after a death, until the saga has ended. The status it
        ended in; None: the daemon died."""
        engine, ends = self.daemon.engine, time.monotonic() + ENDS_WITHIN_S
        sent = order.submission()
        while time.monotonic() < ends:
            try:
                told = engine.submit(wait="done", timeout_ms=LOOK_EVERY_MS, **sent)
                if told["status"] in ("completed", "compensated", "abandoned"):
                    return told["status"]
                if told["status"] == "stuck":
                    for proxy in self.proxies:
                        proxy.clear()
                    engine.retry(idempotencyKey=order.key, reason="it is well again")
            except NoAnswer:
                wait_until(lambda: not self.daemon.process.alive, "the daemon's end", 10)
                return None
            except ConnectError as error:
                if error.code != "failed_precondition":  # it has gone on meanwhile
                    raise
        raise AssertionError(f"{order.key} does not end:\n{self.daemon.process.log_tail()}")


class Together:
    """The sagas of several engines as those of one, for the oracles."""

    def __init__(self, victims):
        self.engines = [victim.daemon.engine for victim in victims]
        self.home = {}

    def list(self):
        for engine in self.engines:
            for line in engine.list():
                self.home[line["sagaId"]] = engine
                yield line

    def get(self, sagaId, **what):
        return self.home[sagaId].get(sagaId=sagaId, **what)
