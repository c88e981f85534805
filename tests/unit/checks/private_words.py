#!/usr/bin/env python3
"""Fails when a tracked file names this checkout's path, its user's home, or a package source that this machine is configured with.

Everything is read from the machine that runs the check: the repository lists no host and no path of any machine.
"""
import os
import pathlib
import re
import subprocess
import sys

SYSTEM_HOMES = ("/", "/root", "/home")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
# Where a machine says from which hosts it takes packages.
SOURCES = ["/etc/apt/sources.list", "/etc/apt/sources.list.d/*", "/etc/apt/apt.conf.d/*", "/etc/pip.conf", "~/.config/pip/pip.conf", "~/.npmrc", "/etc/npmrc"]
VARIABLES = re.compile(r"^(?:(?:https?|all)_proxy|npm_config_registry|pip_(?:extra_)?index_url|goproxy)$", re.IGNORECASE)
URL_HOST = re.compile(r"https?://(?:[^/@\s]*@)?([\w.-]+)")


def own_paths(root):
    """The checkout, the repository that it is a worktree of, and the user's home."""
    common = subprocess.run(["git", "-C", root, "rev-parse", "--path-format=absolute", "--git-common-dir"], check=True, capture_output=True, text=True).stdout.strip()
    paths = {str(root.resolve()), str(pathlib.Path(common).parent), str(pathlib.Path.home())}
    return {path for path in paths if path not in SYSTEM_HOMES}


def package_hosts():
    """The hosts in this machine's settings of apt, pip, npm and proxies."""
    texts = [value for name, value in os.environ.items() if VARIABLES.match(name)]
    for pattern in SOURCES:
        folder, _, name = pattern.rpartition("/")
        for path in pathlib.Path(folder).expanduser().glob(name) if pathlib.Path(folder).expanduser().is_dir() else []:
            try:
                texts.append(path.read_text(encoding="utf-8", errors="replace"))
            except OSError:
                pass
    lines = [line for text in texts for line in text.split("\n") if not line.lstrip().startswith(("#", "//", ";"))]
    hosts = {host for line in lines for host in URL_HOST.findall(line)}
    return {host for host in hosts if "." in host and host not in LOCAL_HOSTS}


def faults_of(name, text, paths, hosts):
    named = [(re.compile(rf"(?<![\w.]){re.escape(path)}(?![\w-])"), "a path of this machine") for path in paths]
    named += [(re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-])"), "a package source of this machine") for host in hosts]
    return [f"{name}:{number}: names {what}" for number, line in enumerate(text.split("\n"), 1) for pattern, what in named if pattern.search(line)]


def check(root):
    names = subprocess.run(["git", "-C", root, "ls-files"], check=True, capture_output=True, text=True).stdout.split("\n")
    paths, hosts = own_paths(root), package_hosts()
    faults = []
    for name in filter(None, names):
        path = root / name
        if path.is_file() and path.stat().st_size < 4_000_000:
            faults += faults_of(name, path.read_text(encoding="utf-8", errors="replace"), paths, hosts)
    return faults


def self_test():
    paths, hosts = {"/somewhere/checkout"}, {"mirror.example.com"}
    assert faults_of("a", "cd /somewhere/checkout/src", paths, hosts)
    assert faults_of("a", "deb https://mirror.example.com/debian stable main", paths, hosts)
    assert not faults_of("a", "cd /somewhere/checkout2; see other.mirror.example.com", paths, hosts)


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        self_test()
        sys.exit(0)
    found = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
