#!/usr/bin/env python3
"""Fails when a C++ file is not formatted as .clang-format says. With --fix, formats the files instead."""
import pathlib
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
tracked = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "*.h", "*.cc"], check=True, capture_output=True, text=True)
files = [str(root / name) for name in tracked.stdout.split() if (root / name).exists()]
assert files, "no C++ files were found"
mode = ["-i"] if "--fix" in sys.argv else ["--dry-run", "-Werror"]
result = subprocess.run(["clang-format-19", *mode, *files])
print(f"{len(files)} files" + ("" if result.returncode == 0 else "; run: python3 tests/unit/checks/formatting.py . --fix"))
sys.exit(result.returncode)
