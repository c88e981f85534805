#!/usr/bin/env python3
"""A server writes no core dump, which would contain its keys, nor does the kernel send one to a program. Usage: core_dumps.py SWARM"""
import os
import pathlib
import resource
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import RunningServer

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    server = RunningServer(sys.argv[1], folder)
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_CORE)
    # With a limit of 0, the kernel still sends the dump to the program that core_pattern may name (systemd-coredump, apport).
    assert limits == (1, 1), f"soft and hard limit of the size of core dumps: {limits}"
    server.process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(server.process.pid, 0)
    server.process.returncode = -os.WTERMSIG(status)
    assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status), f"the server ended with status {status:#x}"
    os.chdir("/")
