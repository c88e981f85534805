#!/usr/bin/env python3
"""A workspace with an egress policy, from its first start on: what it reaches, what root inside can do about it, restarts, changes, and a server that is killed, also at each fault point of the rules.

usage: egress.py SWARM      (image: SWARM_TEST_IMAGE or swarm-workspace:latest)

Needs a Docker Engine of this machine, the docker command and the image. Removes what it created."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer, wait_for

# Runs beside VS Code at every start, and notes whether its first connection succeeds.
COMMAND = r"""
gateway=$(ip route | awk '/^default/ {print $3}')
if curl --silent --max-time 5 "http://$gateway:PORT/" >/dev/null; then echo reached; else echo refused; fi >>/home/coder/starts
exec sleep infinity"""


def listen():
    """A program of this machine that responds to every connection; its port."""
    listener = socket.create_server(("0.0.0.0", 0))

    def serve():
        while True:
            client = listener.accept()[0]
            client.recv(4096)
            client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nhost")
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def docker(*words):
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.split()


class Workspace:
    def __init__(self, server, port, name, policy):
        self.port, self.name = port, name
        self.server = server
        body = {"name": name, "command": ["/bin/sh", "-c", COMMAND.replace("PORT", str(port))], "network": {"egress": policy}}
        self.id = server.api("POST", "/api/instances?wait=120", body)["id"]
        self.await_ready()

    def await_ready(self):
        wait_for("the workspace runs", lambda: self.show()["status"] == "running" and not self.show()["statusReason"])

    def show(self):
        return self.server.api("GET", f"/api/instances/{self.name}")

    def exec(self, script):
        return "POST", f"/api/instances/{self.name}/exec", {"command": ["/bin/sh", "-c", script], "timeout": 30}

    def run(self, script):
        result = self.server.api(*self.exec(script))
        return result["exitCode"], result["stdout"] + result["stderr"]

    def reaches_host(self):
        gateway = "$(ip route | awk '/^default/ {print $3}')"
        return self.run(f"curl --silent --max-time 5 http://{gateway}:{self.port}/")[0] == 0

    def starts(self, count):
        """What each start has noted, once there are `count`."""
        def noted():
            method, path, body = self.exec("cat /home/coder/starts")
            headers = {"Authorization": "Bearer " + self.server.token, "Content-Type": "application/json"}
            status, _, text = self.server.send(method, path, json.dumps(body), headers)
            assert status in (200, 503), text  # 503: the server has not seen yet that another program has started it
            lines = json.loads(text)["stdout"].split() if status == 200 else []
            return len(lines) >= count and lines
        return wait_for(f"{count} starts", noted)

    def container(self):
        return docker("ps", "--all", "--quiet", "--filter", f"label=swarm.instance={self.id}")[0]


def command_line(server, *words):
    done = subprocess.run([server.program, *words], env=server.environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout + done.stderr


def check_root_inside(workspace):
    for attempt in ("nft flush ruleset", "nft delete table inet swarm", "ip link set lo down", "ip route add 198.51.100.0/24 dev lo",
                    "unshare --net=/proc/1/ns/net true", "nsenter --target 1 --net nft flush ruleset", "mount -o remount,rw /proc/sys"):
        code, text = workspace.run(f"sudo {attempt}")
        assert code != 0, f"{attempt}: {text}"
    assert not workspace.reaches_host()


def check_changes(server, workspace):
    assert "was changed while it runs" in command_line(server, "update", "web", "--egress", "open")
    assert workspace.reaches_host()
    assert "was changed while it runs" in command_line(server, "update", "web", "--egress", "none", "--yes")
    assert not workspace.reaches_host()
    gateway = workspace.run("ip route | awk '/^default/ {print $3}'")[1].strip()
    command_line(server, "update", "web", "--egress-allow", f"{gateway}:{workspace.port}")
    assert workspace.reaches_host()
    command_line(server, "update", "web", "--egress", "default", "--egress-allow", "")
    assert not workspace.reaches_host()
    wait_for("denials are shown", lambda: server.api("GET", "/api/instances/web/network")["egress"]["denied"] > 0)
    shown = next(line for line in command_line(server, "show", "web").splitlines() if line.startswith("egress"))
    assert shown.split()[1] == "default;" and shown.endswith("packets were refused") and " 0 packets" not in shown, shown


# Of a start of the workspace: the first helpers read addresses and DNS servers of the machine, the third sets the rules.
KILLED_AT = ("create.before:3", "create.after:3", "started:3", "remove.before:3", "set:1")


def check_kills(server, web, swarm_id, starts):
    """A server that is killed at any time while it sets the rules: nothing of the user runs before another one has set them. The last server."""
    for point in KILLED_AT:
        server.process.kill()
        server.process.wait()
        docker("restart", "--time", "5", web.container())
        environment = {**server.environment, "SWARM_FAULT": f"docker.egress.{point}=kill"}
        ended = subprocess.run([server.program, "serve", "--listen", "127.0.0.1:0"], env=environment, capture_output=True, timeout=PATIENCE)
        assert ended.returncode == -signal.SIGKILL, (point, ended)
        assert not {"sleep", "node"} & set(docker("exec", web.container(), "ps", "-e", "-o", "comm=")), point
        server = web.server = RunningServer(server.program, server.folder, variables=server.variables)
        starts += 1
        assert web.starts(starts) == ["refused"] * starts, point
        helpers = ("ps", "--all", "--quiet", "--filter", "label=swarm.helper=egress", "--filter", f"label=swarm.id={swarm_id}")
        wait_for("helpers are removed", lambda: not docker(*helpers))
    assert not web.reaches_host()
    return server


def main(swarm):
    port = listen()
    with tempfile.TemporaryDirectory() as folder:
        variables = {"SWARM_WORKSPACE_IMAGE": os.environ.get("SWARM_TEST_IMAGE", "swarm-workspace:latest")}
        server = RunningServer(swarm, folder, variables=variables)
        swarm_id = ""
        try:
            free = Workspace(server, port, "free", {"policy": "open"})
            web = Workspace(server, port, "web", {"policy": "default"})
            swarm_id = json.loads("".join(docker("inspect", "--format", "{{json .Config.Labels}}", web.container())))["swarm.id"]
            assert free.starts(1) == ["reached"] and free.reaches_host(), "open is as before"
            assert web.starts(1) == ["refused"], "the first connection of the first program"
            assert not web.reaches_host()
            assert web.show()["network"]["egress"]["policy"] == "default" and "egress" not in free.show()["network"]
            check_root_inside(web)
            server.api("POST", "/api/instances/web/restart?wait=120")
            assert web.starts(2) == ["refused"] * 2, "after a restart"
            docker("restart", "--time", "5", web.container())  # by another program, in one step
            assert web.starts(3) == ["refused"] * 3
            check_changes(server, web)

            server.process.kill()
            server.process.wait()
            docker("restart", "--time", "5", web.container())
            # Nothing of the user runs while there is no server that sets the rules.
            processes = docker("exec", web.container(), "ps", "-e", "-o", "comm=")
            assert not {"sleep", "node"} & set(processes), processes
            server = web.server = RunningServer(swarm, folder, variables=variables)
            assert web.starts(4) == ["refused"] * 4
            assert not web.reaches_host()
            server = check_kills(server, web, swarm_id, 4)
            check = {one["name"]: one for one in server.api("POST", "/api/providers/docker/validate")["checks"]}["egress policies"]
            assert check["ok"], check
        finally:
            for name in ("web", "free"):
                server.send("DELETE", f"/api/instances/{name}?wait=60&volumes=true", headers={"Authorization": "Bearer " + server.token})
            server.stop()
        left = docker("ps", "--all", "--quiet", "--filter", f"label=swarm.id={swarm_id}")
        assert not left, left


main(sys.argv[1])
