#!/usr/bin/env python3
"""Paths that lead out of where they begin, at every host of a server: nothing of its files is in a response, and no redirect leaves the server. Usage: paths.py SWARM"""
import pathlib
import re
import socket
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer

UP = ["..", "%2e%2e", ".%2e", "%252e%252e", "..;", "..%00", "..%5c..", "%c0%ae%c0%ae", "....//.."]
BEGIN = ["/", "//", "/\\", "/api/", "/api/instances/", "/api/volumes/", "/api/users/", "/api/operations/", "/.swarm/", "/.swarm/status/", "/.well-known/", "/login/", "/login/oidc/", "/invite/",
         "/auth/instance/", "/workspaces/", "/assets/", "/static/", "/_static/", "/healthz/", "/metrics/"]
SLASHES = ["/", "%2f", "\\", "%5c"]


class Wire:
    def __init__(self, server):
        self.port = server.port

    def get(self, target, host, fields):
        head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as wire:
            wire.sendall(head.encode())
            response = b""
            while piece := wire.recv(65536):
                response += piece
        return response.decode(errors="replace")


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        server = RunningServer(swarm, folder, "--fake-provider")
        server.api("POST", "/api/instances?wait=30", {"provider": "fake", "name": "web1"})
        # Relative to whatever folder the server may read its files from: these are below its home, its current folder, or at the root.
        outside = {"etc/passwd": "root:x:0:0", "etc/group": "root:x:0:", "proc/self/environ": "XDG_CONFIG_HOME=", "config/swarm/admin-password": server.password(),
                   "config/swarm/credentials.json": server.token, "data/swarm/swarm.db": "SQLite format"}
        wire = Wire(server)
        session = server.sign_in()
        callers = {server.host: [f"Authorization: Bearer {server.token}\r\n", f"Cookie: {session}\r\nAccept: text/html\r\n", ""], f"web1.localhost:{server.port}": [""],
                   f"8080.web1.localhost:{server.port}": [""], f"127.0.0.1:{server.port}": [f"Authorization: Bearer {server.token}\r\n"]}
        own = re.compile(rf"^(/(?![/\\])|http://(swarm|web1|8080\.web1)\.localhost:{server.port}(/|$))")
        sent = 0
        for host, all_fields in callers.items():
            for begin in BEGIN:
                for up in UP:
                    slash = SLASHES[sent % len(SLASHES)]
                    for file in list(outside)[sent % 3::3]:
                        target = begin + slash.join([up] * 8 + [file])
                        response = wire.get(target, host, all_fields[sent % len(all_fields)])
                        sent += 1
                        status = int(response.split(" ")[1])
                        assert status in (302, 303, 400, 401, 403, 404, 405, 421), (host, target, response)
                        head, _, body = response.partition("\r\n\r\n")
                        for content in outside.values():
                            assert content not in body, (host, target)
                        location = re.search(r"\r\nLocation: (.*?)\r\n", head + "\r\n")
                        assert not location or own.match(location[1]), (host, target, location)
        assert sent > 1000, sent


main(sys.argv[1])
