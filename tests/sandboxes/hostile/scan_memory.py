"""Looks through all of its own memory for what earlier programs had in theirs: source, input, output."""

import re
import sys

mark = re.compile(b"SECRET" + b"-[0-9a-f]{32}")
found = set()
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        bounds, mode = line.split()[:2]
        if mode[0] != "r" or "[v" in line:
            continue
        start, end = (int(each, 16) for each in bounds.split("-"))
        try:
            memory.seek(start)
            found.update(mark.findall(memory.read(end - start)))
        except (OSError, OverflowError, ValueError):
            continue
for secret in found:
    print("GOT: from memory", secret.decode(), file=sys.stderr)
print(sum(map(int, input().split())))
