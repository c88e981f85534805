#!/usr/bin/env python3
"""Fails when a tracked file contains a word that reads as translated or treats a program as a person.

Identifiers are checked, too, split at capitals and underscores: NobodyWrites counts as "nobody writes". The standard terms: report,
notify, request, query, poll, expire, release, roll back, supersede, retry, time out, replace, concurrent, automatically, continue.

Sentences that users read (errors, help, pages, progress) say "workspace"; code, JSON, REST paths, logs and the description of the REST API
say "instance".
"""
import pathlib
import re
import subprocess
import sys

WORDS = {
    r"nobody|somebody|everybody|anybody|whoever|whomever": "name the party: user, client, caller, process, request",
    r"anew": "again, new, or restart",
    r"meanwhile": "concurrently, or name the time",
    r"by (?:itself|themselves)": "automatically, alone, or leave it out",
    r"in force": "current, applicable",
    r"hears?|heard": "a program receives, observes or is notified",
    r"tells?|told": "a program reports, returns or notifies",
    r"asks|asked|asking": "a program requests, queries or calls",
    r"(?<!there )(?:is|are|was|were|be) no(?! longer| more than)": "is not a",
}
FIRST_LINE = re.compile(r"// See [\w./]+\.h\.")
# Texts of others, and the words themselves.
SKIPPED = ("emulator/openapi/fly-machines-openapi.json", "tests/unit/checks/plain_words.py")
# The description of the REST API, and SQL.
OF_THE_API = ("src/api/openapi/", "src/api/routes/", "src/model/rules/field_rules.h", "src/model/rules/schema.cc", "src/store/")
# In these, rows that describe the API stand beside handlers: only errors are read by users of the command line and the pages.
WITH_ROUTES = ("src/api/handlers/",)
LITERAL = re.compile(r'//[^\n]*|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.DOTALL)
INSTANCE = re.compile(r"(?<![-/?{.\w])[Ii]nstances?\b(?![/?])")
NOT_READ = re.compile(r"\b(?:log::\w+|hmacSha256|spawn)\([^;]*$")
RAISED = re.compile(r"\b(?:Error|respondProblem|withField)\([^;]*$")
PATTERNS = [(re.compile(rf"\b(?:{words})\b"), advice) for words, advice in WORDS.items()]
BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")


def faults_of(name, text):
    faults = []
    lines = text.split("\n")
    if FIRST_LINE.match(lines[0]):
        faults.append(f"{name}:1: says only where to look: say what the file is for")
    for number, line in enumerate(lines, 1):
        plain = BOUNDARY.sub(" ", line).lower()
        for pattern, advice in PATTERNS:
            found = pattern.search(plain)
            if found:
                faults.append(f'{name}:{number}: "{found[0]}" ({advice})')
    return faults


def words_for_users(name, text):
    """Faults of the sentences in the literals of a C++ file."""
    if not name.startswith(("src/", "apps/", "include/")) or not name.endswith((".cc", ".h")) or name.startswith(OF_THE_API):
        return []
    faults = []
    for literal in LITERAL.finditer(text):
        found = literal[0]
        if found.startswith("//") or " " not in found.strip('" ') or not INSTANCE.search(found):
            continue
        before = text[max(0, literal.start() - 400) : literal.start()]
        if NOT_READ.search(before) or (name.startswith(WITH_ROUTES) and not RAISED.search(before)):
            continue
        faults.append(f"{name}:{text.count(chr(10), 0, literal.start()) + 1}: users read \"workspace\", not \"instance\": {found}")
    return faults


def main():
    if sys.argv[1] == "--self-test":
        caught = ["Nobody reads it.", "struct NobodyWrites;", "int told_;", "This is no image.", "// It goes by itself.", "TEST(A, isNoFile) {"]
        passed = ["There is no image.", "It is no longer needed.", "isNotified", "a new one", "int tolderate;"]
        wrong = [text for text in caught if not faults_of("x", text)] + [text for text in passed if faults_of("x", text)]
        read = ['throw Error(kCode, "The instance is gone.");', 'help("Only of this instance");', 'auto s = format("a {}", "instance of it");']
        other = ['log::info("instance moved", {});', '// "The instance is gone."', 'get("/api/instances/web1 x");', 'key("instance");', '"--instance x"']
        wrong += [code for code in read if not words_for_users("src/a.cc", code)] + [code for code in other if words_for_users("src/a.cc", code)]
        route = '.summary = "Show an instance",'
        wrong += [route] if words_for_users("src/api/handlers/a.cc", route) or not words_for_users("src/b.cc", route) else []
        print("\n".join(wrong))
        return 1 if wrong else 0
    root = pathlib.Path(sys.argv[1])
    names = subprocess.run(["git", "-C", root, "ls-files"], check=True, capture_output=True, text=True).stdout.split("\n")
    faults = []
    for name in names:
        path = root / name
        if name not in SKIPPED and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            faults += faults_of(name, text) + words_for_users(name, text)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
