#!/usr/bin/env python3
"""What a workspace uses, as the API, the command line and a Prometheus with the files of deploy/ see it; also after a restart.

usage: monitoring.py SWARM      (image: SWARM_TEST_IMAGE or swarm-workspace:latest)

Needs a Docker Engine of this machine, the image, and Debian's prometheus. Removes what it created."""
import atexit
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer, wait_for

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"
INTERVAL = 5  # seconds between samples
SENT = 20 << 20  # bytes that leave the workspace
# Metrics of the files that this server does not have: of Prometheus itself, and of TLS.
ELSEWHERE = {"up", "swarm_tls_certificate_expiry_seconds"}


def command_line(server, *words):
    done = subprocess.run([server.program, *words], env=server.environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def start(swarm, folder):
    config = pathlib.Path(folder, "config/swarm")
    config.mkdir(parents=True, exist_ok=True)
    (config / "swarm.toml").write_text(f"[monitoring]\ninterval = {INTERVAL}\n")
    image = os.environ.get("SWARM_TEST_IMAGE", "swarm-workspace:latest")
    return RunningServer(swarm, folder, variables={"SWARM_WORKSPACE_IMAGE": image})


def check_usage(server):
    """A program that uses a whole core, and traffic."""
    burn = ["/bin/sh", "-c", f"head -c {SENT} /dev/urandom >/home/coder/random; nohup sh -c 'while :; do :; done' >/dev/null 2>&1 &"]
    assert server.api("POST", "/api/instances/web/exec", {"command": burn})["exitCode"] == 0

    def sampled():
        items = server.api("GET", "/api/usage")["items"]
        return items and items[0]["cpu"]["usage"] > 50 and items[0]
    seen = wait_for("a sample of a busy workspace", sampled)
    assert seen["name"] == "web" and seen["owner"] == "admin", seen
    assert 1 < seen["memory"]["usage"] < seen["memory"]["limit"], seen
    assert abs(seen["recentCpu"][-1] - seen["cpu"]["usage"]) < 0.1, seen
    headers = {"Authorization": "Bearer " + server.token}
    status, _, archive = server.send("GET", "/api/instances/web/export", headers=headers)
    assert status == 200 and len(archive) > SENT, (status, len(archive))
    moment = server.api("GET", "/api/instances/web/usage")
    assert moment["network"]["sent"] > SENT, moment
    path = "/api/instances/web/usage?step=60"
    points = wait_for("traffic and CPU in the history",
                      lambda: [one for one in server.api("GET", path)["history"]["points"] if one["network"]["sent"] > 1000])
    assert max(one["cpuMax"] for one in points) > 50, points
    table = command_line(server, "usage")
    assert "web" in table and "of 4.0 GB" in table, table
    one = command_line(server, "usage", "web")
    assert "LAST HOUR" in one and "█" in one and "/s" in one, one


def check_restart(server, swarm, folder):
    before = server.api("GET", "/api/instances/web/usage?step=900")["history"]["points"]
    server.stop()
    server = start(swarm, folder)
    after = server.api("GET", "/api/instances/web/usage?step=900")["history"]["points"]
    assert after and after[0]["at"] == before[0]["at"] and after[0]["cpuMax"] >= before[0]["cpuMax"], (before, after)
    return server


def check_stop(server):
    server.api("POST", "/api/instances/web/stop?wait=60")
    assert server.api("GET", "/api/usage")["items"] == []
    assert server.api("GET", "/api/instances/web/usage?step=900")["history"]["points"]
    assert "SINCE 1d" in command_line(server, "usage", "web", "--since", "1d")


def metrics_of(expressions):
    names = set()
    for text in expressions:
        text = re.sub(r'"[^"]*"', "", re.sub(r"\b(by|without) *\([^)]*\)", "", text))
        names |= {name for name in re.findall(r"[a-z_]+(?=[{\s\[)<>=]|$)", text) if name == "up" or name.startswith(("swarm_", "process_"))}
    return names


class Prometheus:
    def __init__(self, folder, server):
        config = pathlib.Path(folder, "prometheus")
        shutil.copytree(DEPLOY / "prometheus", config)
        (config / "swarm-token").write_text(command_line(server, "tokens", "create", "prometheus", "--scope", "read", "-o", "json"))
        (config / "swarm-token").write_text(json.loads((config / "swarm-token").read_text())["token"])
        text = (config / "prometheus.yml").read_text()
        for old, new in (("127.0.0.1:7420", f"127.0.0.1:{server.port}"), ("scrape_interval: 30s", "scrape_interval: 1s"),
                         ("evaluation_interval: 30s", "evaluation_interval: 1s")):
            assert old in text, old
            text = text.replace(old, new)
        (config / "prometheus.yml").write_text(text)
        self.check("promtool", "check", "config", config / "prometheus.yml")
        self.check("promtool", "test", "rules", config / "swarm-alerts_test.yml")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self.log = config / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={config}/prometheus.yml", f"--storage.tsdb.path={config}/data",
                 f"--web.listen-address={self.address}"], stdout=log, stderr=log)
        atexit.register(self.process.kill)

    @staticmethod
    def check(*words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, (words, done.stdout, done.stderr)

    def get(self, path, **query):
        try:
            with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=PATIENCE) as response:
                return json.load(response)["data"]
        except OSError as error:
            assert self.process.poll() is None, self.log.read_text()
            if getattr(error, "code", 503) != 503:  # 503: it starts
                raise AssertionError(f"{query}: {error.read().decode()}") from error
            return None

    def values(self, expression):
        data = self.get("query", query=expression)
        return [float(one["value"][1]) for one in data["result"]] if data else []

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def check_prometheus(server, folder):
    prometheus = Prometheus(folder, server)
    try:
        wait_for("Prometheus reads the server's metrics", lambda: prometheus.values('up{job="swarm"}') == [1])
    except AssertionError as error:
        raise AssertionError(f"{prometheus.get('targets')}") from error
    wait_for("what workspaces use", lambda: prometheus.values("swarm_usage_memory_bytes > 0"))
    text = server.send("GET", "/metrics", headers={"Authorization": "Bearer " + server.token})[2].decode()
    known = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    known |= {f"{name}_bucket" for name in known}

    def rules():
        groups = (prometheus.get("rules") or {"groups": []})["groups"]
        all_rules = [rule for group in groups for rule in group["rules"]]
        return all_rules and all(rule["health"] == "ok" for rule in all_rules) and all_rules
    loaded = wait_for("all alert rules are evaluated", rules)
    assert [rule["name"] for rule in loaded if rule["state"] == "firing"] == [], loaded
    dashboard = json.loads((DEPLOY / "grafana/swarm.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    unknown = metrics_of(expressions + [rule["query"] for rule in loaded]) - known - ELSEWHERE
    assert not unknown, f"the server has no {sorted(unknown)}"
    assert {"swarm_usage_cpu_cores", "swarm_http_request_duration_seconds_bucket"} <= metrics_of(expressions), "the search above finds names"
    for expression in expressions:
        runs = expression.replace("$__rate_interval", "30s")
        wait_for(f"a value of {runs}", lambda: prometheus.values(runs))
    prometheus.stop()


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        server = start(swarm, folder)
        try:
            server.api("POST", "/api/instances?wait=120", {"name": "web"})
            wait_for("the workspace runs", lambda: server.api("GET", "/api/instances/web")["status"] == "running")
            check_usage(server)
            server = check_restart(server, swarm, folder)
            check_stop(server)
            server.api("POST", "/api/instances/web/start?wait=60")
            check_prometheus(server, folder)
        finally:
            command_line(server, "delete", "web", "--volumes", "--yes")
            server.stop()


if __name__ == "__main__":
    begun = time.monotonic()
    main(*sys.argv[1:])
    print(f"passed in {time.monotonic() - begun:.0f} s")
