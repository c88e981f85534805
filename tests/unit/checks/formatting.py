#!/usr/bin/env python3
"""Fails when a C++ file is not formatted as .clang-format says, or a line of a document is longer than MAX_COLUMNS. With --fix, mends them."""
import pathlib
import re
import subprocess
import sys
import textwrap

MAX_COLUMNS = 100
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


def main():
    root, fixes = pathlib.Path(sys.argv[1]), "--fix" in sys.argv
    sources = tracked(root, "*.h", "*.cc")
    assert sources, "no C++ files were found"
    is_wrong = subprocess.run(["clang-format-19", *(["-i"] if fixes else ["--dry-run", "-Werror"]), *map(str, sources)]).returncode != 0
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
