#!/usr/bin/env python3
"""coverage.py FOLDER/ [ALLOWED.md] < `llvm-cov export`: each branch of the folder's files that is
never taken one way, then lines and branches of each file, and the total. Called by
tools/dev/coverage.sh, from the repository root. A switch with a case for every enumerator (the
compiler sees to that) has no other way out, so its head is no branch.

With ALLOWED, a table of branches with their reasons, it exits 1 for a branch that is not listed and
for one that is listed and taken, or gone."""

import json
import os
import re
import sys

ALLOWED_ROW = re.compile(r"^\| (\S+) \| (true|false) \| `(.+)` \| (.+) \|$")


def merged_branches(file):
    """(line, column, text) -> [times true, times false], instantiations merged."""
    with open(file["filename"], encoding="utf-8") as source:
        lines = source.read().split("\n")
    taken = {}
    for line, column, end_line, end_column, true_count, false_count in (
            branch[:6] for branch in file["branches"]):
        if lines[line - 1].lstrip().startswith("switch ("):
            continue
        text = lines[line - 1][column - 1:end_column - 1 if end_line == line else None]
        counts = taken.setdefault((line, column, text), [0, 0])
        counts[0] += true_count
        counts[1] += false_count
    return taken


def explained_branches(path):
    """(file, way, text) -> why."""
    if not path or not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as table:
        rows = (ALLOWED_ROW.match(line.rstrip("\n")) for line in table)
        return {row.group(1, 2, 3): row.group(4) for row in rows if row}


def row(name, lines_hit, lines, ways_hit, ways):
    def share(hit, count):
        return f"{hit:5d} of {count:5d} {100.0 * hit / count if count else 100.0:7.2f} %"
    print(f"{name[-36:]:36} lines {share(lines_hit, lines)}   branches {share(ways_hit, ways)}")


def main():
    folder = sys.argv[1]
    listed = sys.argv[2] if len(sys.argv) > 2 else ""
    explained = explained_branches(listed)
    unexplained, met = 0, set()
    files = [file for file in json.load(sys.stdin)["data"][0]["files"]
             if file["filename"].startswith(folder)]
    rows = []
    for file in sorted(files, key=lambda each: each["filename"]):
        ways_hit = ways = 0
        for (line, column, text), counts in sorted(merged_branches(file).items()):
            for way, count in zip(("true", "false"), counts):
                ways += 1
                ways_hit += count > 0
                if count:
                    continue
                key = (os.path.basename(file["filename"]), way, text)
                why = explained.get(key)
                met.add(key)
                unexplained += why is None
                print(f"{file['filename']}:{line}:{column}: never {way}: {text}"
                      + (f"  ({why})" if why else ""))
        lines = file["summary"]["lines"]
        rows.append((file["filename"], lines["covered"], lines["count"], ways_hit, ways))
    for each in rows:
        row(*each)
    row("total", *(sum(column) for column in list(zip(*rows))[1:]))
    stale = [key for key in explained if key not in met]
    for key in stale:
        print(f"{listed}: taken or gone, so take it off the list: {' '.join(key)}")
    if explained:
        print(f"{len(explained) - len(stale)} branches are explained, {unexplained} are not, "
              f"{len(stale)} explanations are stale")
    return 1 if os.path.exists(listed) and (unexplained or stale) else 0


if __name__ == "__main__":
    sys.exit(main())
