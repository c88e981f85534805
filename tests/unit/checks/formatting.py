#!/usr/bin/env python3
"""Fails when a C++ file is not formatted as .clang-format says, or a line of a document is longer than MAX_COLUMNS. With --fix, mends them. With
--known FILE, skips the C++ files that had the same text and rules in an earlier run that found nothing in them: FILE has their digests."""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import textwrap

MAX_COLUMNS = 100
TOOL = "clang-format-19"
BATCH = 50  # files of one process of TOOL
FENCE = re.compile(r"\s*(```|~~~)")
ITEM = re.compile(r"(\s*)([-*+]|\d+\.) +")
# Tables, headings, quotes, HTML and links that others refer to are left alone; so is indented code.
OTHER = re.compile(r"\s*($|[|#<>]|\[[^\]]+\]: )|    ")
# What would be another kind of block at the beginning of a line.
AMBIGUOUS = re.compile(r"\s*([-*+#>|]|\d+[.)]|=+|~~~|```)(\s|$)")


def blocks_of(lines):
    """Paragraphs and list items: (first line, line after the last, indents of the first line and of the others)."""
    at, fenced, item = 0, False, ""
    while at < len(lines):
        line = lines[at]
        if FENCE.match(line):
            fenced = not fenced
        begins = ITEM.match(line)
        if line.strip() and not line.startswith(" ") and not begins:
            item = ""
        if fenced or FENCE.match(line) or (OTHER.match(line) and not begins and not (item and line.startswith(item) and line.strip())):
            at += 1
            continue
        first = begins[0] if begins else item if item and line.startswith(item) else ""
        rest = " " * len(first)
        item = rest
        end = at + 1
        while end < len(lines) and lines[end].startswith(rest) and lines[end].strip() and not FENCE.match(lines[end]):
            inner = lines[end][len(rest) :]
            if ITEM.match(lines[end]) or OTHER.match(inner):
                break
            end += 1
        yield at, end, first, rest
        at = end


def wrapped(text):
    """The text with each paragraph and list item that has too long a line filled again."""
    lines = text.split("\n")
    result, done = [], 0
    for start, end, first, rest in list(blocks_of(lines)):
        result += lines[done:start]
        done = end
        old = lines[start:end]
        words = " ".join(line.strip() for line in [old[0][len(first) :], *old[1:]])
        new = textwrap.wrap(words, MAX_COLUMNS, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)
        is_long = any(len(line) > MAX_COLUMNS for line in old) and not any(line.endswith(("  ", "\\")) for line in old)
        result += new if is_long and not any(AMBIGUOUS.match(line) for line in new[1:]) else old
    return "\n".join(result + lines[done:])


def self_test():
    long = "word " * 30
    assert wrapped(long.strip()) != long.strip() and wrapped(wrapped(long.strip())) == wrapped(long.strip())
    assert all(len(line) <= MAX_COLUMNS for line in wrapped("- " + long + "\n  " + long).split("\n"))
    assert wrapped("- " + long).split("\n")[1].startswith("  word")
    for kept in ("| " + long, "    " + long, "# " + long, "```\n" + long + "\n```", "short\nlines\n\n- of\n  all\n- kinds", "x" * 150):
        assert wrapped(kept) == kept, kept


def tracked(root, *patterns):
    names = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", *patterns], check=True, capture_output=True, text=True)
    return [root / name for name in names.stdout.split("\n") if name and (root / name).exists()]


def are_formatted(root, sources, known, fixes):
    """Whether the C++ files are formatted, or have been by now."""
    rules = (root / ".clang-format").read_bytes() + subprocess.run([TOOL, "--version"], check=True, capture_output=True).stdout
    digests = {path: hashlib.sha256(rules + path.read_bytes()).hexdigest() for path in sources}
    clean = set(known.read_text(encoding="ascii").split()) if known and known.exists() else set()
    rest = [path for path in sources if digests[path] not in clean]
    batches = [rest[at : at + BATCH] for at in range(0, len(rest), BATCH)]
    command = [TOOL, "-i"] if fixes else [TOOL, "--dry-run", "-Werror"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = list(pool.map(lambda batch: subprocess.run([*command, *batch]).returncode == 0, batches))
    if known and not fixes:
        clean |= {digests[path] for batch, good in zip(batches, passed) if good for path in batch}
        known.write_text("\n".join(sorted(clean & set(digests.values()))), encoding="ascii")
    return all(passed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--known", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    root, fixes = options.root, options.fix
    sources = tracked(root, "*.h", "*.cc")
    assert sources, "no C++ files were found"
    is_wrong = not are_formatted(root, sources, options.known, fixes)
    documents = tracked(root, "*.md")
    for path in documents:
        text = path.read_text(encoding="utf-8")
        if wrapped(text) == text:
            continue
        if fixes:
            path.write_text(wrapped(text), encoding="utf-8")
        else:
            print(f"{path.relative_to(root)}: a line is longer than {MAX_COLUMNS} columns")
            is_wrong = True
    print(f"{len(sources)} source files, {len(documents)} documents" + ("; run: python3 tests/unit/checks/formatting.py . --fix" if is_wrong else ""))
    return is_wrong


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1] == "--self-test" else main())
