#!/usr/bin/env python3
"""What the code of an attacker can do in swarm-ssh: nothing but exchange bytes on the sockets that the process has. Usage: sandbox.py SWARM_SSH INTRUDER"""
import os
import signal
import socket
import sys

from process import PATIENCE, START, host_key, message, start

FORBIDDEN = (
    "read a file", "write a file", "remove a file", "run a program", "start a process", "make a socket", "connect a socket", "signal the server",
    "have a socket signal the server", "trace the server", "map code", "make data code", "be dumpable")


def attempt(program, intruder, key, deed):
    """What the client received, and how the process ended."""
    client, connection = socket.socketpair()
    server, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = start(program, connection, control, {"LD_PRELOAD": intruder, "DEED": deed, "SERVER": str(os.getpid())})
    server.send(message(START, first=key))
    client.settimeout(PATIENCE)
    received = client.recv(4096)
    client.close()
    server.close()
    return received, process.wait(PATIENCE)


def main(program, intruder):
    key = host_key()
    ended = attempt(program, intruder, key, "map data")
    assert ended == (b"survived", 0), ended
    for deed in FORBIDDEN:
        ended = attempt(program, intruder, key, deed)
        assert ended == (b"", -signal.SIGSYS), (deed, ended)


main(sys.argv[1], sys.argv[2])
