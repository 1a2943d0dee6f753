#!/usr/bin/env bash
# The benchmark in its shortest form: every shape runs, its own checks hold, and the rows can be
# read. No figure is judged.
set -euo pipefail
# A program that a sanitizer watches needs longer for one saga of a thousand legs.
seconds=$(awk -v slowdown="${SKALD_SLOWDOWN:-1}" 'BEGIN { print 0.2 * slowdown }')
folder=$(mktemp -d "$SKALD_BINARY_DIR/bench-test.XXXXXX")
trap 'rm -rf "$folder"' EXIT

"$LOAD_BENCH" --engine "$SKALDD" --mall "$MOCK_MALL" --out "$folder" --json "$folder/rows.json" \
  --short --pairs 1 --seconds "$seconds" --in-flight 1,32 --waiting 2000

python3 - "$folder/rows.json" <<'PYTHON'
import json
import sys

report = json.load(open(sys.argv[1]))
rows = report["rows"]
shapes = {row["shape"] for row in rows}
missing = {"eight_calls", "order_parallel", "order_chain", "create_order", "two_branches",
           "eight_skus", "fan_out_1000", "overload", "waiting", "start", "timers", "active_calls",
           "active", "restart", "finished"} - shapes
assert not missing, f"no row of {missing}"
assert {row["loop"] for row in rows} == {"open", "closed"}, "one loop is missing"
for row in rows:
    assert row["orders"] > 0 and row["orders_per_s"] > 0, row
    alone = row["shape"] in ("fan_out_1000", "overload", "waiting", "start", "timers",
                             "active_calls", "active", "restart", "finished")
    compared = row["system"] == "skald" and not alone
    assert not compared or row["ratio"] > 0, row
assert any(row["undone"] > 0 for row in rows), "no order was undone"
print(f"{len(rows)} rows read")
PYTHON
plots=$(find "$folder" -name '*.svg' | wc -l)
[ "$plots" -ge 8 ] || { echo "only $plots plots"; exit 1; }
