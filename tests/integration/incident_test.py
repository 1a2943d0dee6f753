#!/usr/bin/env python3
"""The incident of `tools/x demo --incident` as a test: 500 orders that cannot be undone are found
by their one cause, understood, held, repaired by one batch and done again, by skaldctl alone; every
promise is kept and the mall's oracles hold.

    incident_test.py [ORDERS]
"""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"),
                os.path.join(HERE, "..", "..", "tools", "demo")]

from incident import Incident
from page import Page

if __name__ == "__main__":
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    sys.exit(0 if Incident(Page(), orders).run() else 1)
