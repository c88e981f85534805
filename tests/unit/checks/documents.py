#!/usr/bin/env python3
"""Fails when a tracked file names a document (*.md), a decision (docs/adr/NNNN) or a section (§N) that does not exist.

A document is named by its path from the root or from the naming file, or by the end of its path (README.md). Sections are
those of docs/reference/fly-machines.md, the one document with numbered headings, except after RFC. In documents, links
with their headings and source files in backticks (`error.h`) are checked too.
"""
import pathlib
import posixpath
import re
import subprocess
import sys

REFERENCE = "docs/reference/fly-machines.md"
NAME = re.compile(r"(?<![\w./{}$*-])(?P<url>[a-z]+://)?(?P<path>[\w./-]*\w\.md)\b(?![/\w])")
DECISION = re.compile(r"\b(?:docs/adr/|ADR )(\d{4})\b")
SECTION = re.compile(r"(?P<rfc>RFC \d+ )?§(?P<section>\d+)(?:,? (?P<row>E\d+))?(?:,? pitfalls? (?P<pitfall>\d+))?")
SOURCE = re.compile(r"`(?P<path>[\w-][\w./-]*\.(?:h|cc|mjs))`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]*)\)")
# Files of other people's, and files in which *.md is a file of a workspace.
SKIPPED = ("LICENSE", "emulator/openapi/fly-machines-openapi.json", "tests/unit/checks/documents.py")
WORKSPACE_FILES = ("tests/e2e/", "tests/chaos/", "bench/", "tests/unit/transfer/", "tests/unit/cli/")


def anchors(text):
    """The anchors that GitHub gives to the headings of a document."""
    names = set()
    for heading in re.findall(r"^#+ +(.*)$", text, re.MULTILINE):
        names.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return names


def is_there(path, base, files):
    """Whether `path`, named in a file of the folder `base`, is one of `files`: from the root, from there, or by its end."""
    if posixpath.normpath(path) in files or posixpath.normpath(posixpath.join(base, path)) in files:
        return True
    return any(file.endswith("/" + path) for file in files)


def reference_parts(text):
    """Sections, rows and pitfalls of the reference."""
    pitfalls = text.partition("\nPitfalls")[2].partition("\n## ")[0]
    return set(re.findall(r"^## (\d+)\.", text, re.MULTILINE)), set(re.findall(r"^\| (E\d+) ", text, re.MULTILINE)), set(re.findall(r"^(\d+)\. ", pitfalls, re.MULTILINE))


def faults_of(name, text, tracked, parts):
    """What the file `name` names and what is not there; `tracked` holds the text of each document and None for other files."""
    documents = {path for path in tracked if path.endswith(".md")}
    base = posixpath.dirname(name)
    faults = []
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        if not name.startswith(WORKSPACE_FILES):
            for match in NAME.finditer(line):
                if not match["url"] and not is_there(match["path"], base, documents):
                    faults.append(f"{where}: there is no document {match['path']}")
        for decision in DECISION.findall(line):
            if not any(document.startswith(f"docs/adr/{decision}-") for document in documents):
                faults.append(f"{where}: there is no decision {decision}")
        for match in SECTION.finditer(line):
            named = [("section", match["section"], parts[0]), ("row", match["row"], parts[1]), ("pitfall", match["pitfall"], parts[2])]
            faults += [f"{where}: {REFERENCE} has no {what} {value}" for what, value, known in named if not match["rfc"] and value and value not in known]
        if name.endswith(".md"):
            faults += [f"{where}: there is no file {match['path']}" for match in SOURCE.finditer(line) if not is_there(match["path"], base, tracked)]
            for match in LINK.finditer(line):
                path, _, anchor = match["target"].partition("#")
                if "://" in path or path.startswith("mailto:"):
                    continue
                target = posixpath.normpath(posixpath.join(base, path)) if path else name
                if target not in tracked and not any(other.startswith(target + "/") for other in tracked):
                    faults.append(f"{where}: the link to {match['target']} leads nowhere")
                elif anchor and anchor not in anchors(tracked.get(target) or ""):
                    faults.append(f"{where}: {target} has no heading #{anchor}")
    return faults


def check(root):
    names = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True, text=True).stdout.split("\n")
    texts = {}
    for name in filter(None, names):
        path = root / name
        if path.is_file() and name not in SKIPPED and "/corpus/" not in name:
            try:
                texts[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                texts[name] = ""
    tracked = {name: text if name.endswith(".md") else None for name, text in texts.items()} | {name: None for name in SKIPPED}
    parts = reference_parts(texts[REFERENCE])
    return [fault for name, text in texts.items() for fault in faults_of(name, text, tracked, parts)], len(texts)


def self_test():
    tracked = {"README.md": "# A title, `here`\n", "docs/adr/0001-a.md": "", "src/a/README.md": "", "src/a/b.cc": None}
    parts = reference_parts("## 1. One\n| E1 | x |\n\nPitfalls:\n1. a\n\n## 2. Two\n")
    assert parts == ({"1", "2"}, {"E1"}, {"1"}), parts

    def found(name, text):
        return faults_of(name, text, tracked, parts)

    for text in ("architecture.md", "docs/adr/0002", "docs/adr/0002-b.md", "ADR 0003", "§3", "§1 E2", "§1, pitfall 2", "RFC 1 §9, §3"):
        assert found("src/a/b.cc", f"// see {text}."), text
    for text in ("README.md", "a/README.md", "docs/adr/0001-a.md", "docs/adr/0001", "§1 E1, §2", "RFC 9110 §7", "https://x.org/y.md", "*.md"):
        assert not found("src/a/b.cc", f"// see {text}."), text
    assert found("README.md", "[x](src/c.cc)") and found("README.md", "[x](#nothing)") and found("README.md", "`a/c.cc`")
    assert not found("src/a/README.md", "[x](b.cc) [y](../../README.md#a-title-here) [z](https://x.org) `b.cc` `a/b.cc`")


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        self_test()
        sys.exit(0)
    found, count = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found))
    print(f"{count} files, {len(found)} references to what is not there")
    sys.exit(1 if found or count == 0 else 0)
