#!/usr/bin/env python3
"""Access tokens as a program uses them: by the command line, over a restart, while a stream is open. Usage: tokens.py SWARM"""
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer


def run(swarm, server, *words, token=None, code=0):
    """A command line of another machine: it has the server's address and a token."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SWARM_URL": f"http://{server.host}", "SWARM_TOKEN": token or server.token}
    done = subprocess.run([swarm, *words], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout.strip(), done.stderr


def open_events(server, token):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", "/api/events", headers={"Host": server.host, "Authorization": "Bearer " + token})
    response = connection.getresponse()
    assert response.status == 200, response.status
    return connection, response


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        server = RunningServer(swarm, folder)
        run(swarm, server, "users", "create", "bot", "--service")
        secret, note = run(swarm, server, "tokens", "create", "ci", "--owner", "bot", "--scope", "write", "--prefix", "ci-")
        assert secret.startswith("swarm_pat_") and "not shown again" in note, (secret, note)
        who = json.loads(run(swarm, server, "whoami", "-o", "json", token=secret)[0])
        assert who["user"] == "bot", who
        assert run(swarm, server, "list", "-o", "name", token=secret)[0] == ""
        assert "limited to workspaces" in run(swarm, server, "names", token=secret, code=4)[1]
        assert run(swarm, server, "volumes", "-o", "json", token=secret)[0] == "[]"
        assert "requires a session" in run(swarm, server, "login-link", token=secret, code=4)[1]
        server.process.kill()
        server.process.wait()

        server = RunningServer(swarm, folder)
        run(swarm, server, "whoami", token=secret)
        unlimited, _ = run(swarm, server, "tokens", "create", "agent", "--owner", "bot")
        listed = json.loads(run(swarm, server, "tokens", "list", "-o", "json")[0])
        assert [one["name"] for one in listed] == ["ci", "agent"] and "lastUsedAt" in listed[0], listed
        connection, events = open_events(server, unlimited)
        begin = time.monotonic()
        run(swarm, server, "tokens", "revoke", *[one["id"] for one in listed])
        try:
            while events.read(1):
                pass
        except (http.client.HTTPException, ConnectionError):
            pass
        print(f"the stream ended {time.monotonic() - begin:.2f} s after the command")
        connection.close()
        for token in (secret, unlimited):
            run(swarm, server, "whoami", token=token, code=4)
        server.stop()
        for file in pathlib.Path(folder).rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert secret.encode() not in content and unlimited.encode() not in content, file


main(sys.argv[1])
