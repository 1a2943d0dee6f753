"""tools/x demo --incident: inventory cannot give stock back while hundreds of orders are undone.
From the alarm to the last order, by skaldctl alone; the oracles of the mall judge the end."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import oracles
from fault_proxy import connect_error
from mall import Mall
from page import Skaldctl
from processes import wait_until

AT_ONCE = 32
WANTED = 40  # customers who still want their order
LOCKED = "sku 1234 is locked by a stock-taking"
ROLLBACK = "/inventory.InventoryRpc/RollbackStock"


class Incident:
    def __init__(self, page, orders):
        self.page, self.orders = page, orders
        self.mall = Mall(definitions=("create_order",))
        self.engine = self.mall.engine
        self.ctl = Skaldctl(page, self.mall.daemon.port, "ann")
        self.placed = []  # order numbers

    def run(self):
        """Whether everything was as promised."""
        try:
            self.mall.start()
            self.breaks()
            cause = self.is_found()
            self.is_understood(cause)
            self.is_held_and_mended()
            self.is_repaired(cause)
            self.is_done_again()
            self.is_audited()
            self.is_judged()
        except Exception as error:
            self.page.say(f"\ndemo: {error}\n{self.mall.log_tails()}")
            self.page.broken.append(str(error))
        finally:
            self.mall.stop()
        return self.page.verdict()

    def breaks(self):
        page, mall = self.page, self.mall
        page.title(1, "inventory breaks")
        page.say(f"{self.orders} customers order three articles each. The third is sold out, so "
                 "the first two must be\ngiven back; and just now inventory refuses that.")
        mall.proxies["inventory"].on("RollbackStock",
                                     connect_error(412, "failed_precondition", LOCKED))
        self.skus = mall.skus(2, stock=2 * self.orders) + mall.skus(1, stock=0)
        users = [mall.user(dict.fromkeys(self.skus, 1)) for _ in range(self.orders)]
        front = mall.fronts["create_order"]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda user: front.create(user, self.skus, "incident"), users))
        self.placed = [answer.order_id for answer in answers]
        page.promise(all(answer.state in ("failed", "processing") for answer in answers),
                     "nobody is told that an order was made")
        wait_until(lambda: self.count("status = stuck") == self.orders, "every saga to be stuck")
        page.promise([mall.stock(sku)[1] for sku in self.skus] == [self.orders, self.orders, 0],
                     f"{2 * self.orders} units are locked for nobody")

    def is_found(self):
        page = self.page
        page.title(2, "one cause, not hundreds of instances")
        self.ctl("stuck", "--by", "cause")
        groups = json.loads(self.ctl.run("stuck", "-o", "json").stdout)["groups"]
        page.promise(len(groups) == 1 and int(groups[0]["count"]) == self.orders,
                     f"one cause stands for all {self.orders}")
        return groups[0]["filter"]

    def is_understood(self, cause):
        self.page.title(3, "why, what is next, and what may be done")
        stuck = json.loads(self.ctl.run("list", "-Q", cause, "--limit", "1", "-o", "json").stdout)
        self.example = stuck["sagas"][0]["sagaId"]
        text = self.ctl("explain", self.example)
        self.page.promise(LOCKED in text, "it says what inventory said")
        self.ctl("show", self.example)

    def is_held_and_mended(self):
        page = self.page
        page.title(4, "inventory is held while it is mended")
        self.ctl("hold", "inventory", "--path", ROLLBACK, "--reason", "stock-taking, ticket 4711")
        self.ctl("participants", "inventory")
        page.say("\n  ... the people of inventory end their stock-taking ...\n")
        self.mall.clear_faults()
        self.ctl("release", "inventory", "--path", ROLLBACK)

    def is_repaired(self, cause):
        page = self.page
        page.title(5, "all of them, by the server, previewed first")
        reason = ("--reason", "stock-taking is over, ticket 4711")
        self.ctl("batch", "retry", "--filter", cause, *reason, "--dry-run")
        self.ctl("batch", "retry", "--filter", cause, *reason, "--rate", "500", "--yes", "--watch")
        page.promise(self.count("status = compensated") == self.orders, "every order is undone")
        page.promise([self.mall.stock(sku)[1] for sku in self.skus] == [0, 0, 0],
                     "no unit is locked any more")

    def is_done_again(self):
        page, mall = self.page, self.mall
        page.title(6, f"the {WANTED} orders that customers still want, again")
        page.say("The third article is there again.")
        mall.rows["inventory"].seed(stock=[{"skuId": self.skus[2], "total": self.orders}])
        mall.seeded[self.skus[2]] = self.orders
        wanted = self.placed[:WANTED]
        which = "status = compensated and business_key in (" + ", ".join(wanted) + ")"
        shown = ("batch replay --filter 'status = compensated and business_key in "
                 f"({wanted[0]}, ...)'")
        reason = ("--reason", "the customer still wants it")
        self.ctl("batch", "replay", "--filter", which, *reason, "--dry-run",
                 shown=f"{shown} --reason '{reason[1]}' --dry-run")
        self.ctl("batch", "replay", "--filter", which, *reason, "--yes", "--watch",
                 shown=f"{shown} --reason '{reason[1]}' --yes --watch")
        page.promise(self.count("status = completed") == WANTED, f"{WANTED} orders are made")
        page.promise([mall.stock(sku)[1] for sku in self.skus] == [WANTED] * 3,
                     "exactly what they ordered is locked")

    def is_audited(self):
        self.page.title(7, "who did what, and why")
        text = self.ctl("history", self.example)
        self.page.promise("ann" in text and "ticket 4711" in text, "the act is in the history")
        self.ctl("batch", "list")

    def is_judged(self):
        self.page.title(8, "the mall at rest")
        self.mall.wait_rest()
        found = oracles.findings(self.mall)
        for text in found:
            self.page.say("  " + text)
        self.page.promise(not found, "every oracle of the mall holds")
        if os.environ.get("SKALD_KEEP"):
            self.page.say("rows and logs: " + self.mall.folder)

    def count(self, which):
        done = self.ctl.run("list", "--count", "-Q", which)
        return int(done.stdout) if done.returncode == 0 else -1
