#!/usr/bin/env python3
"""Fails when an include points up, a folder has more than MAX_FILES files, or a source file more than MAX_LINES lines.

Each folder of src/ may use only itself and the folders before it in LAYERS (ARCHITECTURE.md, "The rooms of src/"); emulator/ may use those of EMULATOR_USES."""
import collections
import pathlib
import posixpath
import re
import sys

LAYERS = ["base", "secrets", "sqlite", "async", "protocol", "net", "model", "audit", "engine", "provider", "store", "auth", "oidc", "transfer", "agent", "controller", "gateway", "ssh", "api", "client", "cli"]
EMULATOR_USES = ["base", "sqlite", "async", "protocol", "net", "model", "engine"]
MAX_FILES = 15
MAX_LINES = 400
SOURCES = (".h", ".cc", ".py", ".mjs", ".js")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# A library that is included in one place only; everything else uses our own header.
ONE_PLACE = {
    "boost/url": ["src/net/url.cc"],
    "spdlog/": ["src/base/diagnostics/log.cc"],
    "CLI/": ["src/cli/arguments.cc", "src/cli/command_line.cc"],
    "toml++/": ["src/provider/config_section.cc"],
    "kainjow/": ["src/gateway/pages/template.cc"],
    "sodium.h": ["src/secrets/", "src/auth/passwords.cc"],
    "sqlite3.h": ["src/sqlite/", "src/store/sqlite/"],
    "prometheus/": ["src/base/diagnostics/metrics.cc"],
    "libssh/": ["apps/swarm-ssh/"],
    "seccomp.h": ["apps/swarm-ssh/"],
}
SYSTEM_INCLUDE = re.compile(r"^\s*#\s*include\s+<([^>]+)>", re.MULTILINE)


def layer_faults(name, text):
    """Wrong includes of src/<layer>/…, given its path below src/ and its text."""
    layer = name.split("/")[0]
    faults = []
    for target in INCLUDE.findall(text):
        used = target.split("/")[0]
        if target.startswith("swarm/"):
            used = "client"
        if used not in LAYERS:
            faults.append(f'src/{name}: #include "{target}" names no layer; write the path from src/')
        elif LAYERS.index(used) > LAYERS.index(layer):
            faults.append(f'src/{name}: #include "{target}" points up: {layer} comes before {used}')
    return faults


def emulator_faults(name, text):
    """emulator/ is a product of its own."""
    used = {target.split("/")[0]: target for target in INCLUDE.findall(text)}
    return [f'{name}: #include "{target}": the emulator may use {", ".join(EMULATOR_USES)}' for room, target in used.items() if room not in [*EMULATOR_USES, "emulator"]]


def large_folders(names):
    """A folder with many files hides what belongs together; CMakeLists.txt and README.md do not count."""
    counts = collections.Counter(posixpath.dirname(name) for name in names if posixpath.basename(name) not in ("CMakeLists.txt", "README.md"))
    return [f"{folder}: {count} files; group them in sub-folders of at most {MAX_FILES}" for folder, count in sorted(counts.items()) if count > MAX_FILES]


def long_files(lines):
    """A file with many lines holds several ideas. `lines`: how many, by name."""
    return [f"{name}: {count} lines; split it where it holds two ideas, at most {MAX_LINES} lines each" for name, count in lines.items() if count > MAX_LINES]


def provider_faults(name, text):
    """Providers must not include each other."""
    parts = name.split("/")
    if parts[0] != "provider" or len(parts) < 3:
        return []
    return [
        f'src/{name}: #include "{target}": providers must not include each other'
        for target in INCLUDE.findall(text)
        if target.startswith("provider/") and target.count("/") >= 2 and target.split("/")[1] != parts[1]
    ]


def one_place_faults(name, text):
    faults = []
    for header in SYSTEM_INCLUDE.findall(text):
        for prefix, places in ONE_PLACE.items():
            if header.startswith(prefix) and not any(name.startswith(place) for place in places):
                faults.append(f"{name}: <{header}> may be named only in {', '.join(places)}")
    return faults


def check(root):
    faults = []
    files = [path for folder in ("src", "include", "apps", "emulator") for path in sorted((root / folder).rglob("*")) if path.suffix in (".h", ".cc")]
    for path in files:
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        faults += one_place_faults(name, text)
        if name.startswith("src/"):
            faults += layer_faults(name[4:], text) + provider_faults(name[4:], text)
        if name.startswith("emulator/"):
            faults += emulator_faults(name, text)
    everything = [path for folder in ("src", "include", "apps", "emulator", "tests") for path in (root / folder).rglob("*")]
    counted = [path for path in everything if path.is_file() and not {"corpus", "__pycache__"} & set(path.parts)]
    lines = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in counted if path.suffix in SOURCES}
    return faults + large_folders([path.relative_to(root).as_posix() for path in counted]) + long_files(lines), len(files)


def self_test():
    assert layer_faults("net/a.cc", '#include "model/types.h"\n')
    assert not layer_faults("model/a.cc", '#include "net/stream/stream.h"\n')
    assert layer_faults("net/a.cc", '#include "stream.h"\n')
    assert provider_faults("provider/docker/a.cc", '#include "provider/fake/world.h"\n')
    assert emulator_faults("emulator/a.cc", '#include "controller/controller.h"\n')
    assert not emulator_faults("emulator/a.cc", '#include "net/url.h"\n#include "emulator/backend.h"\n')
    assert large_folders([f"src/a/{number}.cc" for number in range(MAX_FILES + 1)])
    assert not large_folders([f"src/a/{number}.cc" for number in range(MAX_FILES)] + ["src/a/CMakeLists.txt"])
    assert long_files({"src/a.cc": MAX_LINES + 1}) and not long_files({"src/a.cc": MAX_LINES})
    assert one_place_faults("src/api/a.cc", "#include <sqlite3.h>\n")
    assert not one_place_faults("src/store/sqlite/a.cc", "#include <sqlite3.h>\n")


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        self_test()
        sys.exit(0)
    found, count = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found))
    print(f"{count} files, {len(found)} faults")
    sys.exit(1 if found or count == 0 else 0)
