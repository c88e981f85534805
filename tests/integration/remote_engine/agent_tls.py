#!/usr/bin/env python3
"""Workspaces at an Engine that counts as another machine: what passes between server and agent, of an image of before and of the present one, is recorded.
VS Code's page, commands, an archive, restarts, a server that is killed, a restore, a move to the emulated Fly and back, and `agentTls = "required"`.

usage: agent_tls.py SWARM AGENT FLY_EMULATOR      (image: SWARM_TEST_IMAGE or swarm-workspace:latest)

Needs root, a Docker Engine of this machine, the docker command and the image. Removes what it created."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from recorder import EngineOverTcp, Recorder

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, EmulatedFly, RunningServer, wait_for

IMAGE = os.environ.get("SWARM_TEST_IMAGE", "swarm-workspace:latest")
NAME = f"swarm-test-agent-tls-{os.getpid()}"
OLDER, PRESENT = f"{NAME}:older", f"{NAME}:present"
WEB, OLD, NEW = (f"{one}-{os.getpid()}" for one in ("web", "old", "new"))
MARKER = "what-only-the-owner-may-read"
# What a recorder sees of a connection without TLS: heads with tokens, commands and their output.
PLAIN = (b"swarm-token:", b"http/1.1 ", MARKER.encode())


def docker(*words):
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.strip()


def make_image(tag, agent, version):
    """The workspace image with the agent of this build; with version 2, the server takes it for one without TLS."""
    container = docker("create", "--network", "none", IMAGE)
    docker("cp", agent, f"{container}:/usr/local/bin/swarm-agent")
    docker("commit", "--change", f"LABEL swarm.image.version={version}", container, tag)
    docker("rm", container)


class Setup:
    def __init__(self, swarm, folder, engine, fly):
        self.swarm, self.folder, self.engine, self.fly = swarm, folder, engine, fly
        self.server = None

    def start(self, agent_tls):
        config = pathlib.Path(self.folder, "config/swarm/swarm.toml")
        config.parent.mkdir(parents=True, exist_ok=True)
        host = self.engine.url.split("//")[1].split(":")[0]
        config.write_text(f'[docker]\nagentPublishAddress = "{host}"\nagentTls = "{agent_tls}"\n')
        variables = {"SWARM_WORKSPACE_IMAGE": PRESENT, "DOCKER_HOST": self.engine.url, **self.fly.variables}
        self.server = RunningServer(self.swarm, self.folder, variables=variables)

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()

    def command(self, *words, expected=0):
        done = subprocess.run([self.swarm, *words], env=self.server.environment, capture_output=True, timeout=300)
        assert done.returncode == expected, (words, done.returncode, done.stdout[-2000:], done.stderr[-2000:], self.server.log.read_text()[-3000:])
        return done.stdout + done.stderr

    def show(self, name):
        return self.server.api("GET", f"/api/instances/{name}")

    def await_ready(self, name):
        def runs():
            shown = self.show(name)
            # stale: the server was started again, and its provider has not reported the instance yet.
            return shown["status"] == "running" and not shown["statusReason"] and not shown["stale"]
        wait_for(f"{name} runs", runs, seconds=120)

    def inspect(self, name):
        """Its running containers: the current place, and those of a move, snapshot or restore."""
        return json.loads(docker("inspect", *docker("ps", "--quiet", "--filter", f"label=swarm.name={name}").split()))

    def agents_check(self):
        return {one["name"]: one for one in self.server.api("POST", "/api/providers/docker/validate")["checks"]}["agents"]


def addresses_of(containers):
    """Without those that have stopped since they were listed."""
    return {next(iter(one["NetworkSettings"]["Networks"].values()))["IPAddress"] for one in containers} - {""}


def use(setup, name):
    """VS Code's page through the gateway, a command in one request and as a stream, an archive."""
    cookie, host = setup.server.cookie_for(name)
    status, headers, text = setup.server.send("GET", "/", headers={"Cookie": cookie, "Accept": "text/html"}, host=host)
    if status == 302:
        where = headers["Location"]
        where = where[where.index("/", 8):] if where.startswith("http") else where if where.startswith("/") else "/" + where.removeprefix("./")
        status, _, text = setup.server.send("GET", where, headers={"Cookie": cookie, "Accept": "text/html"}, host=host)
    assert status == 200 and b"vscode-workbench-web-configuration" in text, (status, text[:500])
    body = {"command": ["/bin/sh", "-c", f"echo {MARKER} | tee ~/note"], "timeout": 60}
    assert setup.server.api("POST", f"/api/instances/{name}/exec", body)["stdout"].strip() == MARKER
    assert setup.command("exec", name, "--", "cat", "note").strip() == MARKER.encode()
    archive = pathlib.Path(setup.folder, f"{name}.tar.zst")
    setup.command("export", name, "-o", str(archive))
    assert archive.stat().st_size > 1000
    archive.unlink()


def check_files(setup, name):
    setup.await_ready(name)
    assert setup.command("exec", name, "--", "cat", "note").strip() == MARKER.encode()


def check_images_of_before(setup, recorder):
    setup.server.api("POST", "/api/instances?wait=120", {"name": OLD, "image": OLDER})
    setup.await_ready(OLD)
    use(setup, OLD)
    seen = recorder.between(addresses_of(setup.inspect(OLD))).lower()
    for plain in PLAIN:
        assert plain in seen, f"the recorder did not see {plain}"
    check = setup.agents_check()
    assert check["ok"] and f"warning: {OLD} has an agent without TLS" in check["detail"], check
    assert "an agent on another machine has no TLS" in setup.server.log.read_text()


def check_tls(setup, recorder):
    setup.server.api("POST", "/api/instances?wait=120", {"name": WEB})
    setup.await_ready(WEB)
    (container,) = setup.inspect(WEB)
    assert container["Config"]["Labels"]["swarm.agent.tls"] == "true"
    addresses = addresses_of([container])
    use(setup, WEB)
    key = json.loads(next(one for one in container["Config"]["Env"] if one.startswith("SWARM_AGENT=")).split("=", 1)[1])["tlsKey"]
    assert key not in setup.server.log.read_text() and key not in docker("logs", container["Id"])
    assert key not in setup.command("exec", WEB, "--", "env").decode()
    setup.command("exec", WEB, "--", "sh", "-c", "! sudo cat /proc/1/environ", expected=0)

    setup.kill()
    setup.start("remote")
    check_files(setup, WEB)
    setup.server.api("POST", f"/api/instances/{WEB}/restart?wait=120")
    check_files(setup, WEB)
    addresses |= addresses_of(setup.inspect(WEB))
    setup.command("snapshot", "create", WEB, "--name", "before")
    setup.command("exec", WEB, "--", "rm", "note")
    setup.command("snapshot", "restore", WEB, "before")
    check_files(setup, WEB)
    addresses |= addresses_of(setup.inspect(WEB))
    setup.command("migrate", WEB, "--to", "flyio", "--keep-source")
    assert setup.show(WEB)["provider"] == "flyio"
    setup.command("migrate", WEB, "--back")
    check_files(setup, WEB)
    addresses |= addresses_of(setup.inspect(WEB))
    seen = recorder.between(addresses).lower()
    assert b"\x17\x03\x03" in seen, "records of TLS"
    for plain in PLAIN:
        assert plain not in seen, f"{plain} was sent in the clear"


def check_required(setup):
    setup.kill()
    setup.start("required")
    check_files(setup, WEB)
    wait_for("the old agent is refused", lambda: "agentTls of [docker] requires" in setup.show(OLD)["statusReason"])
    assert b"does not support TLS" in setup.command("create", NEW, "--image", OLDER, expected=1)
    assert not setup.agents_check()["ok"]
    docker("tag", PRESENT, OLDER)
    setup.command("update", OLD, "--refresh-image", "--yes")
    check_files(setup, OLD)
    assert setup.agents_check()["ok"]


def leftovers(swarm_id):
    label = ["--filter", f"label=swarm.id={swarm_id}", "--quiet"]
    return [docker("ps", "--all", *label), docker("volume", "ls", *label), docker("network", "ls", *label)]


def remove_all(setup):
    for one in setup.server.api("GET", "/api/instances")["items"]:
        setup.server.api("DELETE", f"/api/instances/{one['id']}?wait=120&volumes=true")


def main(swarm, agent, emulator):
    gateway = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    recorder = Recorder()
    try:
        make_image(OLDER, agent, 2)
        make_image(PRESENT, agent, 3)
        with tempfile.TemporaryDirectory() as folder:
            fly = EmulatedFly(emulator, folder, IMAGE, "--transitions", "none")
            setup = Setup(swarm, folder, EngineOverTcp(gateway, "/var/run/docker.sock"), fly)
            setup.start("remote")
            try:
                check_images_of_before(setup, recorder)
                check_tls(setup, recorder)
                check_required(setup)
            finally:
                swarm_id = setup.inspect(OLD)[0]["Config"]["Labels"]["swarm.id"]
                remove_all(setup)
                wait_for("nothing is left", lambda: not any(leftovers(swarm_id)))
                setup.server.stop()
                fly.stop()
    finally:
        subprocess.run(["docker", "rmi", "--force", OLDER, PRESENT], capture_output=True, timeout=PATIENCE)


main(*sys.argv[1:])
