#!/usr/bin/env python3
"""`swarm doctor` on this machine: without a server, with a real one, and with the mistakes that people make first.

usage: doctor.py SWARM

Needs a Docker Engine of this machine. Makes no workspace."""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer


def doctor(swarm, environment, *flags):
    """The exit code, and the checks by their names."""
    done = subprocess.run([swarm, "doctor", "-o", "json", *flags], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout, done
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)}


def expect(checks, name, result, *parts):
    assert checks[name]["result"] == result, checks[name]
    for part in parts:
        assert part in checks[name]["detail"], (part, checks[name])


def without_a_server(swarm, environment, folder):
    code, checks = doctor(swarm, environment, "--listen", "127.0.0.1:0")
    expect(checks, "address", "warning", "does not run")
    expect(checks, "data folder", "ok", "first start")
    expect(checks, "docker: endpoint", "ok", "responds")
    assert code == 0 or {name for name, check in checks.items() if check["result"] == "failed"} <= {"docker: image swarm-workspace:latest"}, checks
    assert not (folder / "data").exists(), "it changes nothing"
    code, checks = doctor(swarm, {**environment, "DOCKER_HOST": f"unix://{folder}/absent.sock"}, "--listen", "127.0.0.1:0")
    assert code == 1
    expect(checks, "docker: endpoint", "failed", "absent.sock", "systemctl start docker")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        listener.listen()
        code, checks = doctor(swarm, environment, "--listen", address)
        assert code == 1
        expect(checks, "address", "failed", f"Another program listens at {address}")
    bad = folder / "bad.toml"
    bad.write_text('[server]\nlissten = "127.0.0.1:7420"\n')
    code, checks = doctor(swarm, environment, "--config", str(bad))
    assert code == 1
    expect(checks, "configuration", "failed", f"{bad}:2", "lissten")


def with_a_server(swarm, folder):
    server = RunningServer(swarm, folder)
    listen = f"127.0.0.1:{server.port}"
    _, checks = doctor(swarm, {**server.environment, "SWARM_URL": server.saved["url"]}, "--listen", listen)
    expect(checks, "address", "ok", "the server responds")
    expect(checks, "version", "ok")
    expect(checks, "secrets", "ok")
    expect(checks, "docker: endpoint", "ok")
    (folder / "data/swarm").chmod(0o755)
    code, checks = doctor(swarm, server.environment, "--listen", listen)
    assert code == 1
    expect(checks, "data folder", "failed", "chmod 700")
    server.stop()


def main(swarm):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        homes = {f"XDG_{kind.upper()}_HOME": f"{folder}/{kind}" for kind in ("config", "data", "state")}
        environment = {"PATH": "/usr/bin:/bin", "HOME": name, **homes}
        without_a_server(swarm, environment, folder)
        with_a_server(swarm, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
