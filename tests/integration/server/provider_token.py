#!/usr/bin/env python3
"""A token of Fly that an administrator stores in a running server: checked, used at once, sealed, never shown.
Usage: provider_token.py SWARM FLY_EMULATOR"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, EmulatedFly, RunningServer, wait_for

GOOD = "bench"  # the emulator's
SECOND = "second-token-of-the-emulator"
WRONG = "wrong-token-of-another-place"


def main(swarm, emulator):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as others:
        fly = EmulatedFly(emulator, others, "workspace", "--backend", "memory", "--token", SECOND)
        variables = {name: value for name, value in fly.variables.items() if name != "SWARM_FLYIO_API_TOKEN_FILE"}
        seen = []

        def run(server, *words, text="", code=0):
            environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SWARM_URL": f"http://{server.host}", "SWARM_TOKEN": server.token}
            done = subprocess.run([swarm, *words], env=environment, input=text, capture_output=True, text=True, timeout=PATIENCE)
            assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
            seen.append(done.stdout + done.stderr)
            return done.stdout + done.stderr

        def shown(server):
            return server.api("GET", "/api/providers/flyio")

        def wait_for_status(server, status):
            wait_for(f"Fly is {status}", lambda: shown(server)["status"] == status)

        # A server whose configuration has no token starts, and says what is missing.
        server = RunningServer(swarm, folder, variables=variables)
        wait_for("the reason is known", lambda: "swarm providers token flyio" in shown(server)["detail"])
        assert shown(server)["token"] == {"source": "none"}, shown(server)

        assert "Fly refused the token" in run(server, "providers", "token", "flyio", text=WRONG + "\n", code=1)
        assert "Fly refused the token" in run(server, "providers", "token", "flyio", "--force", text=WRONG + "\n", code=1)
        assert shown(server)["token"] == {"source": "none"}
        assert "from now on" in run(server, "providers", "token", "flyio", text=GOOD + "\n")
        wait_for_status(server, "healthy")
        assert shown(server)["token"]["source"] == "stored" and shown(server)["token"]["setAt"], shown(server)
        assert "stored" in run(server, "providers")
        assert "setAt" in run(server, "providers", "show", "flyio")
        run(server, "providers", "token", "flyio", text=SECOND + "\n")
        run(server, "providers", "token", "docker", text=SECOND + "\n", code=1)
        records = server.api("GET", "/api/audit?action=setProviderToken")["items"]
        seen.append(json.dumps(records))
        first = records[-1]
        assert first["object"] == "flyio" and first["after"] == {"token": "***"} and first["before"] == {"source": "none"}, records

        # It is there after a crash, and Fly's outage does not remove it.
        server.process.kill()
        server.process.wait()
        fly.stop()
        server = RunningServer(swarm, folder, variables=variables)
        wait_for_status(server, "unavailable")
        assert shown(server)["token"]["source"] == "stored"
        assert "--force" in run(server, "providers", "token", "flyio", text=GOOD + "\n", code=1)
        run(server, "providers", "token", "flyio", "--force", text=SECOND + "\n")
        status, _, _ = server.send("PUT", "/api/providers/flyio/token", json.dumps({"token": ""}),
                                   {"Authorization": "Bearer " + server.token, "Content-Type": "application/json"})
        assert status == 400, status
        line = pathlib.Path(f"/proc/{server.process.pid}/cmdline").read_text() + pathlib.Path(f"/proc/{server.process.pid}/environ").read_text()
        assert SECOND not in line and WRONG not in line
        server.stop()

        # With another key file nothing is opened, and nothing starts.
        data = server.folder / "data/swarm"
        kept = (data / "secrets.key").read_bytes()
        (data / "secrets.key").unlink()
        failed = subprocess.run([swarm, "serve", "--listen", "127.0.0.1:0"], env=server.environment, capture_output=True, text=True, timeout=PATIENCE)
        assert failed.returncode != 0 and "cannot be opened" in failed.stderr, (failed.returncode, failed.stderr)
        (data / "secrets.key").write_bytes(kept)
        (data / "secrets.key").chmod(0o600)

        # Beside a token of the configuration, the stored one counts until it is removed.
        server = RunningServer(swarm, folder, variables={**variables, "FLY_API_TOKEN": GOOD})
        assert shown(server)["token"]["source"] == "stored"
        assert "the server's environment" in run(server, "providers", "token", "flyio", "--remove")
        assert shown(server)["token"] == {"source": "environment"}
        server.stop()
        for file in pathlib.Path(folder).rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert SECOND.encode() not in content and WRONG.encode() not in content, file
        assert not any(secret in text for text in seen for secret in (SECOND, WRONG)), seen


main(*sys.argv[1:])
