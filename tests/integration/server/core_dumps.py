#!/usr/bin/env python3
"""A server writes no core dump, which would contain its keys. Usage: core_dumps.py SWARM"""
import pathlib
import resource
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import RunningServer

with tempfile.TemporaryDirectory() as folder:
    server = RunningServer(sys.argv[1], folder)
    try:
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_CORE)
        assert limits == (0, 0), f"soft and hard limit of the size of core dumps: {limits}"
    finally:
        server.stop()
