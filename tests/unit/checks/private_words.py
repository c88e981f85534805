#!/usr/bin/env python3
"""Fails when a tracked file names a package mirror, a registry's host, or a path of the machine it was written on."""
import pathlib
import re
import subprocess
import sys

PATTERNS = [
    (re.compile(r"registry\.npmjs\.org|deb\.debian\.org|snapshot\.debian\.org|registry-1\.docker\.io|pypi\.org"), "a registry's or mirror's host"),
    (re.compile(r"(?<![\w.])/" r"work/(main|shared)\b"), "a path of one machine"),
    (re.compile(r"(?<![\w.])/" r"tmp/w/"), "a path of one machine"),
]
root = pathlib.Path(sys.argv[1])
names = subprocess.run(["git", "-C", root, "ls-files"], check=True, capture_output=True, text=True).stdout.split("\n")
faults = []
for name in filter(None, names):
    path = root / name
    if not path.is_file() or path.stat().st_size > 4_000_000:
        continue
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
        for pattern, what in PATTERNS:
            if pattern.search(line) and name != "tests/unit/checks/private_words.py":
                faults.append(f"{name}:{number}: names {what}")
print("\n".join(faults))
sys.exit(1 if faults else 0)
