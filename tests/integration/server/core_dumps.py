#!/usr/bin/env python3
"""A server writes no core dump, which would contain its keys. Usage: core_dumps.py SWARM"""
import resource
import sys
import tempfile

from running_server import Server

with tempfile.TemporaryDirectory() as folder:
    server = Server(sys.argv[1], folder)
    try:
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_CORE)
        assert limits == (0, 0), f"soft and hard limit of the size of core dumps: {limits}"
    finally:
        server.stop()
