#!/usr/bin/env python3
"""Runs clang-tidy over src/, apps/ and emulator/ (a folder's files twelve at a time, as they are compiled), one process per core. A clean file is skipped
while its text, includes, command and the rules are unchanged: their digests are kept in SWARM_TIDY_CACHE for all checkouts, or in the build folder."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

os.nice(19)  # most other tests wait; clang-tidy uses the remaining time
root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
stamps = pathlib.Path(os.environ.get("SWARM_TIDY_CACHE") or build / "tidy")
stamps.mkdir(parents=True, exist_ok=True)
tool = "clang-tidy-19"
rules = (root / ".clang-tidy").read_bytes() + subprocess.run([tool, "--version"], capture_output=True, check=True).stdout
KEPT_FOR = 30 * 24 * 3600  # seconds since its last use
for old in stamps.iterdir():
    if time.time() - old.stat().st_mtime > KEPT_FOR:
        old.unlink(missing_ok=True)


def own_includes(path, seen):
    """The project's own files that `path` includes, itself first: the inputs of a result besides the system's headers."""
    if path in seen or not path.is_file():
        return seen
    seen[path] = path.read_bytes()
    for line in seen[path].decode("utf-8", "replace").split("\n"):
        if line.startswith('#include "'):
            name = line.split('"')[1]
            for base in (root, root / "src", root / "include", path.parent):
                own_includes(base / name, seen)
    return seen


def run(entry):
    path = pathlib.Path(entry["file"])
    digest = hashlib.sha256(rules + entry["command"].replace(str(build), "").replace(str(root), "").encode())
    for name, text in sorted(own_includes(path, {}).items()):
        digest.update(str(name.relative_to(build if name.is_relative_to(build) else root)).encode() + text)
    stamp = stamps / digest.hexdigest()
    if stamp.exists():
        stamp.touch()
        return path, 0, "", True
    result = subprocess.run([tool, "--quiet", "-p", build, path], capture_output=True, text=True)
    if result.returncode == 0:
        stamp.touch()
    return path, result.returncode, result.stdout, False


entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
           if entry["file"].startswith(tuple(f"{top}/{folder}/" for top in (root, build) for folder in ("src", "apps")))]
assert entries, "no files in compile_commands.json"
failed = 0
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    results = list(pool.map(run, entries))
for path, code, text, _ in results:
    if code:
        failed += 1
        print(f"{path}\n{text}")
print(f"{len(results)} files, {sum(1 for r in results if r[3])} unchanged since their last clean run, {failed} with findings")
sys.exit(1 if failed else 0)
