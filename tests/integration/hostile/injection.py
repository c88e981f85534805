#!/usr/bin/env python3
"""Texts of clients and users that another language would take for code: SQL, HTML, templates, lines of a log, orders to a terminal. Wherever they may stand, they are refused or
stay the texts that they are. Usage: injection.py SWARM"""
import base64
import json
import os
import pathlib
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer

JSON = {"Content-Type": "application/json"}
MARK = "INJECTED"  # in each text, which says where to look for it
TEXTS = [
    f"'; DROP TABLE users; -- {MARK}",
    f"' OR '1'='1' UNION SELECT password_hash FROM users -- {MARK}",
    f'<script>alert("{MARK}")</script><img src=x onerror=alert(1)>',
    f'"><svg onload=alert(1)>{MARK}',
    "{{#each users}}{{passwordHash}}{{/each}}{{> style}}{{{" + MARK + "}}}",
    f"${{jndi:ldap://127.0.0.1/{MARK}}} %s%n %(name)s {{0}} {{}} $(id) `id`",
    f"a\n2026-12-03T00:00:00.000Z info    forged {MARK} user=admin",
    f"a\r\nSet-Cookie: {MARK}=1\r\n\r\n<b>",
    f"\x1b[2J\x1b]0;{MARK}\x07\x9b31m\x1b]52;c;Y3VybA==\x07",
    f"{MARK}\u202egnp.exe\u2066\u200b",
    f"../../../../etc/passwd\0{MARK}",
]
# Of C0 all but newline and tab, DEL, C1, and what turns or hides text.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) +")


def ssh_key():
    """A new one, without a private half."""
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", os.urandom(32)))
    return "ssh-ed25519 " + base64.b64encode(blob).decode()


class Attack:
    def __init__(self, server):
        self.server = server
        self.accepted = set()

    def call(self, method, path, body=None, headers=None, token=None):
        headers = {"Authorization": "Bearer " + (self.server.token if token is None else token), **({} if body is None else JSON), **(headers or {})}
        status, received, text = self.server.send(method, path, None if body is None else json.dumps(body), headers)
        assert status < 500, (method, path, body, status, text)
        assert MARK not in str(received.get("Set-Cookie", "")), "a header was forged"
        return status, text.decode()

    def store(self, kind, method, path, body, headers=None):
        """A request whose body has the text, at a place that takes free text or not."""
        status, text = self.call(method, path, body, headers)
        if status < 300:
            self.accepted.add(kind)
        return status, text

    def bodies(self, text, number):
        """Everything that one may name or describe."""
        quoted = urllib.parse.quote(text, safe="")
        self.store("label", "POST", "/api/instances?wait=30", {"provider": "fake", "name": f"label{number}", "labels": {"note": text}})
        self.store("a label's key", "POST", "/api/instances?wait=30", {"provider": "fake", "labels": {text: "x"}})
        self.store("metadata", "POST", "/api/instances?wait=30", {"provider": "fake", "name": f"meta{number}", "metadata": {text: [text, {"a": text}]}})
        self.store("variable", "POST", "/api/instances?wait=30", {"provider": "fake", "name": f"env{number}", "env": {"TEXT": text}})
        self.store("setup", "POST", "/api/instances?wait=30", {"provider": "fake", "name": f"setup{number}", "setup": "#!/bin/sh\n" + text})
        for member in ("name", "image", "owner", text):
            self.store("a new workspace's " + member, "POST", "/api/instances?wait=30", {"provider": "fake", member: text})
        self.store("storage", "POST", "/api/instances?wait=30", {"provider": "fake", "storage": [{"size": 1, "mountPath": "/" + text}]})
        self.store("volume", "POST", "/api/instances?wait=30", {"provider": "fake", "storage": [{"size": 1, "mountPath": "/data", "volumeName": text}]})
        self.store("network", "POST", "/api/instances?wait=30", {"provider": "fake", "network": {"egress": {"policy": "none", "allow": [text]}}})
        self.store("region", "POST", "/api/instances?wait=30", {"provider": "fake", "network": {"regions": [text]}})
        self.store("user", "POST", "/api/users", {"name": text, "password": "long enough " + text[:20]})
        self.store("role", "POST", "/api/users", {"name": f"user{number}", "role": text})
        self.store("group", "POST", "/api/groups", {"name": text})
        self.store("token", "POST", "/api/tokens", {"name": text})
        self.store("token's prefix", "POST", "/api/tokens", {"name": f"t{number}", "namePrefix": text})
        self.store("key", "POST", "/api/keys", {"key": ssh_key() + " " + text})
        self.store("key's name", "POST", "/api/keys", {"key": ssh_key(), "name": text})
        self.store("snapshot", "POST", "/api/instances/victim/snapshots?wait=30", {"name": text})
        self.store("git identity", "PUT", "/api/users/me/git-identity", {"name": text, "email": text})
        self.store("share", "PUT", "/api/instances/victim/shares/" + quoted, {"access": "viewer"})
        self.call("POST", "/api/auth/login", {"user": text, "password": text, "code": text}, token="")
        self.call("POST", "/api/auth/program", {"code": text, "verifier": text}, token="")
        for path in ("instances", "operations", "volumes", "snapshots", "users", "groups", "names", "tokens", "providers"):
            for method in ("GET", "DELETE"):
                self.call(method, f"/api/{path}/{quoted}")
        for query in ("instances?name", "instances?owner", "instances?label.note", "instances?image", "instances?cursor", "instances?status", "operations?instance", "audit?user",
                      "audit?action", "audit?object", "audit?cursor", "volumes?owner"):
            self.call("GET", f"/api/{query}={quoted}")

    def heads(self, text):
        """What a client says of itself, as bytes that http.client would refuse to send."""
        for name in ("User-Agent", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Host", "Referer", "Origin", "Cookie", "Authorization", "Host", "If-Match", "Idempotency-Key"):
            lines = {"Host": self.server.host, "Authorization": "Bearer " + self.server.token, "Connection": "close", name: text}
            head = "GET /api/instances/" + MARK + " HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in lines.items()) + "\r\n"
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE) as wire:
                wire.sendall(head.encode())
                response = b""
                while piece := wire.recv(65536):
                    response += piece
            # Behind an end of a head, the text is another request; before it, it is a field.
            first = response.decode(errors="surrogateescape").split("\r\n\r\n")[0]
            assert f"{MARK}=1" not in first, first
            assert not CONTROLS.search(first.replace("\r\n", "\n")), first

    def pages(self, session):
        page = {"Accept": "text/html", "Cookie": session}
        for path in ("/", "/second-factor", "/identities", "/login?next=" + urllib.parse.quote(TEXTS[2]), "/nothing/" + urllib.parse.quote(TEXTS[3])):
            text = self.server.send("GET", path, headers=page)[2].decode()
            assert "<script>alert" not in text and "onload=alert" not in text and "onerror=alert" not in text, path
        for text in TEXTS[2:5]:
            for label in ("label0", "absent"):
                host = f"{label}.localhost:{self.server.port}"
                shown = self.server.send("GET", "/" + urllib.parse.quote(text), headers={"Accept": "text/html"}, host=host)
                assert text not in shown[2].decode(), text
                assert "\n" not in (shown[1]["Location"] or "")


def commands(swarm, server):
    environment = {**server.environment, "SWARM_URL": f"http://{server.host}", "SWARM_TOKEN": server.token}
    for words in (["list"], ["list", "--all"], ["show", "label8"], ["show", "meta8"], ["operations"], ["volumes"], ["snapshot", "list"], ["users"], ["groups"], ["tokens"], ["keys"],
                  ["audit", "--limit", "500"], ["sessions"], ["show", TEXTS[8]], ["start", TEXTS[8]], ["share", "label8", TEXTS[8]]):
        ran = subprocess.run([swarm, *words], env=environment, capture_output=True, timeout=PATIENCE)
        text = (ran.stdout + ran.stderr).decode(errors="surrogateescape")
        assert not CONTROLS.search(text), (words, text)
        assert text, words


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        server = RunningServer(swarm, folder, "--fake-provider", "--log-level", "debug")
        attack = Attack(server)
        attack.call("POST", "/api/instances?wait=30", {"provider": "fake", "name": "victim"})
        users = json.loads(attack.call("GET", "/api/users")[1])["items"]
        for number, text in enumerate(TEXTS):
            attack.bodies(text, number)
            attack.heads(text)
        # What is free text is kept as it is, and is found by no other filter.
        assert {"label", "metadata", "variable"} <= attack.accepted, attack.accepted
        assert "a new workspace's name" not in attack.accepted and "user" not in attack.accepted and "group" not in attack.accepted, attack.accepted
        for number, text in enumerate(TEXTS):
            status, shown = attack.call("GET", f"/api/instances/label{number}")
            if status == 200:
                assert json.loads(shown)["config"]["labels"]["note"] == text, shown
                found = json.loads(attack.call("GET", "/api/instances?label.note=" + urllib.parse.quote(text, safe=""))[1])["items"]
                assert [one["config"]["name"] for one in found] == [f"label{number}"], found
        attack.pages(server.sign_in())
        commands(swarm, server)
        names = {one["name"] for one in json.loads(attack.call("GET", "/api/users")[1])["items"]}
        assert {one["name"] for one in users} <= names and not any(MARK in name for name in names), names
        assert server.api("GET", "/api/instances/victim")["status"] == "running"
        print("accepted:", ", ".join(sorted(attack.accepted)))
        server.stop()
        log = server.log.read_text(errors="surrogateescape")
        assert "request method=POST" in log and MARK not in log, "what clients send is not in the log"
        assert not CONTROLS.search(log), CONTROLS.search(log)
        odd = [line for line in log.splitlines() if not LINE.match(line) and not line.startswith('The user "admin" was created. ')]
        assert not odd, odd
        with sqlite3.connect(next(pathlib.Path(folder).rglob("swarm.db"))) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


main(sys.argv[1])
