#!/usr/bin/env python3
"""Holds 20,000 requests without their bodies against a server that may open 1,024 descriptors: it keeps responding, and its Engine stays
connected. Usage: held_requests.py SWARM"""
import contextlib
import multiprocessing
import pathlib
import resource
import socket
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer, wait_for

SERVER_DESCRIPTORS = 1024
CLIENTS = 4  # processes, each with an address of its own: one may have too few descriptors for all
HELD = 5000  # by each


def engine_responds(server):
    return any(item["type"] == "docker" and item["status"] == "healthy" for item in server.api("GET", "/api/providers", timeout=PATIENCE)["items"])


def hold(host, port, address, control):
    """Runs in a process of its own, until the other end of `control` is closed."""
    head = f"POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nuser="
    held = []
    for _ in range(HELD):
        connection = socket.socket()
        connection.settimeout(PATIENCE)
        held.append(connection)
        connection.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        connection.bind((address, 0))
        connection.connect(("127.0.0.1", port))
        with contextlib.suppress(ConnectionError):  # replaced already by a newer one
            connection.sendall(head.encode())
    control.send(len(held))
    with contextlib.suppress(EOFError):
        control.recv()


def check(server):
    wait_for("the Engine answers", lambda: engine_responds(server))
    processes = multiprocessing.get_context("fork")
    controls, clients = [], []
    try:
        for number in range(CLIENTS):
            mine, its = processes.Pipe()
            clients.append(processes.Process(target=hold, args=(server.host, server.port, f"127.0.0.{number + 2}", its), daemon=True))
            clients[-1].start()
            its.close()
            controls.append(mine)
        held = sum(control.recv() for control in controls)
        for _ in range(5):
            status, _, text = server.send("GET", "/healthz")
            assert status == 200, text
            assert engine_responds(server), "the connection to the Engine was lost"
        used = server.descriptors()
        assert used < SERVER_DESCRIPTORS * 3 // 4, f"{used} descriptors are open"
        print(f"{held} requests held back; {used} of {SERVER_DESCRIPTORS} descriptors in use")
    finally:
        for client in clients:
            client.kill()
            client.join()


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = HELD + 100
    if hard != resource.RLIM_INFINITY and hard < wanted:
        sys.exit(f"this test needs {wanted} descriptors; the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    with tempfile.TemporaryDirectory(prefix="swarm-held-") as folder:
        server = RunningServer(sys.argv[1], folder, descriptors=SERVER_DESCRIPTORS)
        try:
            check(server)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
