#!/usr/bin/env python3
"""The fault proxy takes each request for itself, also where several share a connection."""

import os
import socket
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from fault_proxy import FaultProxy, answer, lose_request, read_message
from mall_case import run_cases
from processes import SLOWDOWN

WITHIN_S = 20 * SLOWDOWN


def request(path):
    return f"POST /{path} HTTP/1.1\r\nContent-Length: {len(path)}\r\n\r\n{path}".encode()


class SharedConnection(unittest.TestCase):
    def setUp(self):
        self.proxy = FaultProxy("shop")
        self.addCleanup(self.proxy.close)
        self.client = socket.create_connection(("127.0.0.1", self.proxy.port), WITHIN_S)
        self.addCleanup(self.client.close)

    def test_requests_of_one_send_are_answered_each_by_its_own_rule_in_order(self):
        self.proxy.on("two", answer(422))
        self.client.sendall(request("one") + request("two") + request("three"))
        unread = bytearray()
        heads = [read_message(self.client, unread)[0] for _ in range(3)]
        self.assertEqual([head.split()[1] for head in heads], [b"200", b"422", b"200"])
        self.assertEqual([one.raw for one in self.proxy.requests()],
                         [request("one"), request("two"), request("three")])

    def test_what_waits_behind_a_reset_is_never_taken(self):
        lost = self.proxy.on("one", lose_request)
        self.client.sendall(request("one") + request("two"))
        lost.wait_hit()
        with self.assertRaises(ConnectionResetError):
            read_message(self.client)
        self.assertEqual([one.path for one in self.proxy.requests()], ["/one"])


if __name__ == "__main__":
    sys.exit(run_cases([SharedConnection], names=sys.argv[1:]))
