#!/usr/bin/env python3
"""Runs a workspace whose owner has replaced the agent beside another user's, under a real server. Whatever the agent answers, the server's memory grows by at
most 20 MiB, its log by a few KiB per request, and no control characters reach a terminal.

usage: hostile_workspace.py --server FILE --agent FILE [--image IMAGE] [--seconds N] [--latency]
       (image: SWARM_TEST_IMAGE or swarm-workspace:latest; 10 seconds)

--latency also fails when the other user's requests take 50 ms longer than without the hostile workspace (99 of 100); use it on an idle machine.
Needs a Docker Engine, the docker command and the image. Listens on loopback only; removes what it created."""
import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import RunningServer

MIB = 1024 * 1024
MOST_GROWTH = 20 * MIB
MOST_LOG = 12 * 1024  # for each request that was made: a warning with message and cause, and the request's own line
MOST_DELAY = 0.050
# C0 but newline and tab, DEL, C1, what turns or hides text, and bytes that are not UTF-8.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\udc80-\udcff]")


class Server(RunningServer):
    def request(self, method, path, body=None, timeout=60):
        """(status, text); status 0: the connection ended."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Host": self.host, "Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.read(4 * MIB).decode(errors="surrogateescape")  # an export may have no end
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def make(self, name):
        status, text = self.request("POST", "/api/instances?wait=60", {"name": name})
        if status not in (200, 201):
            raise SystemExit(f"{name} was not made: {status} {text}")
        return json.loads(text)["id"]

    def memory(self, what):
        line = next(line for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines() if line.startswith(what))
        return int(line.split()[1]) * 1024

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def docker(*words):
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()


def replace_agent(instance, agent):
    container = docker("ps", "-aq", "--filter", f"label=swarm.instance={instance}")
    docker("cp", agent, f"{container}:/usr/local/bin/swarm-agent")
    docker("restart", "--time", "1", container)


class Friend:
    """Measures what another user waits for."""

    def __init__(self, server):
        self.server, self.times = server, []

    def measure(self, seconds):
        self.times = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            status, text = self.server.request("GET", "/api/instances/friend")
            self.times.append(time.monotonic() - began)
            if status != 200:
                raise SystemExit(f"a friend's request failed: {status} {text}")
            time.sleep(0.01)
        self.times.sort()
        return self.times[int(len(self.times) * 0.99)]


class Attack:
    """Requests of the hostile owner, several at a time, until it ends."""
    KINDS = [("GET", "/usage", None), ("POST", "/exec", {"command": ["true"], "timeout": 5}), ("POST", "/snapshots?wait=3", {}), ("GET", "/logs?tail=50", None),
             ("GET", "/export", None), ("GET", "", None)]

    def __init__(self, server):
        self.server, self.over = server, threading.Event()
        self.made, self.texts = 0, []
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(6)]
        self.unread = []

    def begin(self):
        for thread in self.threads:
            thread.start()
        for path in ["/api/events"] * 10 + ["/api/instances/hostile/logs?follow=true"] * 10:  # which are never read
            taken = socket.create_connection(("127.0.0.1", self.server.port))
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            taken.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.server.host}\r\nAuthorization: Bearer {self.server.token}\r\n\r\n".encode())
            self.unread.append(taken)

    def run(self, number):
        while not self.over.is_set():
            method, path, body = self.KINDS[(number + self.made) % len(self.KINDS)]
            _, text = self.server.request(method, f"/api/instances/hostile{path}", body, timeout=20)
            self.made += 1
            if not path.startswith(("/exec", "/logs", "/export")):  # these are the workspace's own bytes, as they are
                self.texts.append(text)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        for taken in self.unread:
            taken.close()


def examine(server, options):
    wrong = []
    server.make("friend")
    hostile = server.make("hostile")
    friend = Friend(server)
    alone = friend.measure(2)
    before, log_before = server.memory("VmRSS"), server.log.stat().st_size
    server.forget_peak()
    worked = server.cpu_seconds()
    replace_agent(hostile, options.agent)
    attack = Attack(server)
    attack.begin()
    try:
        beside = friend.measure(options.seconds)
    finally:
        attack.end()
    growth = server.memory("VmHWM") - before
    logged = server.log.stat().st_size - log_before
    worked = server.cpu_seconds() - worked
    print(f"{attack.made} requests; the server grew by {growth / MIB:.1f} MiB at its peak, its log by {logged / 1024:.0f} KiB, and worked {worked:.2f} s; "
          f"a friend waited {alone * 1000:.1f} ms alone, {beside * 1000:.1f} ms beside it (99 of 100)")
    if attack.made < 20:
        wrong.append(f"only {attack.made} requests were made")
    if growth > MOST_GROWTH:
        wrong.append(f"the server grew by {growth / MIB:.1f} MiB")
    if logged > MOST_LOG * attack.made + MIB:
        wrong.append(f"the log grew by {logged / attack.made / 1024:.1f} KiB for each request")
    log = server.log.read_bytes().decode(errors="surrogateescape")
    for where, text in [("the log", log)] + [("a response", text) for text in attack.texts]:
        if found := FORBIDDEN.search(text):
            wrong.append(f"{where} has {found.group()!r}: {text[max(0, found.start() - 80):found.end() + 20]!r}")
            break
    if options.latency and beside > alone + MOST_DELAY:
        wrong.append(f"a friend waited {(beside - alone) * 1000:.1f} ms longer")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--agent", required=True)
    parser.add_argument("--image", default=os.environ.get("SWARM_TEST_IMAGE", "swarm-workspace:latest"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--latency", action="store_true")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="swarm-hostile-"))
    server = Server(options.server, folder, variables={"SWARM_WORKSPACE_IMAGE": options.image})
    try:
        wrong = examine(server, options)
    finally:
        for name in ("hostile", "friend"):
            server.request("DELETE", f"/api/instances/{name}?volumes=true&wait=60", timeout=90)
        server.stop()
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    if not wrong:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
