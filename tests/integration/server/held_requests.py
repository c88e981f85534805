#!/usr/bin/env python3
"""Holds thousands of requests without their bodies against a server that may open 1,024 descriptors: it keeps responding, and its Engine stays
connected. Usage: held_requests.py SWARM"""
import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

SERVER_DESCRIPTORS = 1024
HELD = 3000
PATIENCE = 60  # seconds for anything that is waited for


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


class Server:
    def __init__(self, swarm, folder):
        environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=f"{folder}/config", XDG_DATA_HOME=f"{folder}/data", SWARM_URL="", SWARM_TOKEN="")
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (SERVER_DESCRIPTORS, SERVER_DESCRIPTORS))
        self.log = pathlib.Path(folder, "log")
        self.process = subprocess.Popen([swarm, "serve", "--listen", "127.0.0.1:0"], env=environment, stderr=self.log.open("w"), preexec_fn=limit)
        credentials = pathlib.Path(folder, "config/swarm/credentials.json")
        wait_for("the server serves", lambda: self.process.poll() is not None or (credentials.exists() and "Serving" in self.log.read_text()))
        if self.process.poll() is not None:
            raise AssertionError("the server ended: " + self.log.read_text())
        known = json.loads(credentials.read_text())
        self.token = known["token"]
        self.host = known["url"].split("//")[1]
        self.port = int(self.host.split(":")[1])

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Host": self.host, "Authorization": "Bearer " + self.token})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def engine_answers(self):
        status, text = self.get("/api/providers")
        assert status == 200, text
        return any(item["type"] == "docker" and item["status"] == "healthy" for item in json.loads(text)["items"])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


def hold(server):
    held = []
    head = f"POST /login HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nuser="
    for _ in range(HELD):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        connection.sendall(head.encode())
        held.append(connection)
    return held


def check(server):
    wait_for("the Engine answers", server.engine_answers)
    held = hold(server)
    for _ in range(5):
        status, text = server.get("/healthz")
        assert status == 200, text
        assert server.engine_answers(), "the connection to the Engine was lost"
    used = server.descriptors()
    assert used < SERVER_DESCRIPTORS * 3 // 4, f"{used} descriptors are open"
    print(f"{HELD} requests held back; {used} of {SERVER_DESCRIPTORS} descriptors in use")
    for connection in held:
        connection.close()


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = HELD + 100
    if hard != resource.RLIM_INFINITY and hard < wanted:
        sys.exit(f"this test needs {wanted} descriptors; the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    with tempfile.TemporaryDirectory(prefix="swarm-held-") as folder:
        server = Server(sys.argv[1], folder)
        try:
            check(server)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
