"""A server, an emulated Fly.io and optionally a second Engine for the benchmark, in a temporary folder."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse


def docker(*words, host=None):
    where = ["-H", host] if host else []
    done = subprocess.run(["docker", *where, *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"docker {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def wait_until(what, attempt, seconds=60):
    end = time.monotonic() + seconds
    while True:
        found = attempt()
        if found:
            return found
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class SecondEngine:
    """A dockerd with all that is its own, and the image."""

    def __init__(self, folder, image):
        self.folder, self.host, self.bridge = pathlib.Path(folder) / "engine", f"unix://{folder}/engine/docker.sock", f"swb{os.getpid() % 100000}"
        self.folder.mkdir()
        subprocess.run(["ip", "link", "add", self.bridge, "type", "bridge"], check=True)
        subprocess.run(["ip", "address", "add", "10.214.0.1/24", "dev", self.bridge], check=True)
        subprocess.run(["ip", "link", "set", self.bridge, "up"], check=True)
        words = ["dockerd", "--host", self.host, "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec", "--pidfile",
                 f"{self.folder}/pid", "--bridge", self.bridge, "--iptables=false", "--ip-masq=false"]
        self.log = open(f"{folder}/engine.log", "w")
        self.process = subprocess.Popen(words, stdout=self.log, stderr=self.log)
        wait_until("the second Engine", lambda: subprocess.run(["docker", "-H", self.host, "info"], capture_output=True).returncode == 0)
        save = subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE)
        subprocess.run(["docker", "-H", self.host, "load"], stdin=save.stdout, check=True, stdout=subprocess.DEVNULL)
        save.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        subprocess.run(["ip", "link", "del", self.bridge], check=False)


class Server:
    def __init__(self, build, image, second_engine):
        self.folder, self.containers = tempfile.mkdtemp(prefix="swarm-bench-"), set()
        self.engine = SecondEngine(self.folder, image) if second_engine else None
        environment = {**os.environ, "XDG_CONFIG_HOME": f"{self.folder}/config", "XDG_DATA_HOME": f"{self.folder}/data", "SWARM_WORKSPACE_IMAGE": image}
        self.start_fly(build)
        environment |= {"SWARM_FLYIO_API_BASE_URL": self.fly["api"], "SWARM_FLYIO_APP_URL": self.fly["edge"], "SWARM_FLYIO_REGIONS": "ams",
                        "SWARM_FLYIO_API_TOKEN_FILE": f"{self.folder}/token", "SWARM_FLYIO_WORKSPACE_IMAGE": f"registry.fly.io/bench/{image}"}
        if self.engine:
            environment["SWARM_DOCKER_HOSTS"] = f"box2={self.engine.host}"
        self.program, self.environment = build / "swarm", environment
        log = open(f"{self.folder}/log", "w")
        self.process = subprocess.Popen([self.program, "serve", "--listen", "127.0.0.1:0", "--log-level", "warning"], env=environment, stdout=log, stderr=log)
        credentials = pathlib.Path(f"{self.folder}/config/swarm/credentials.json")
        wait_until("the server", lambda: credentials.exists() or self.process.poll() is not None, 20)
        if self.process.poll() is not None:
            raise SystemExit(f"the server did not start: {open(log.name).read()}")
        known = json.loads(credentials.read_text())
        self.port = urllib.parse.urlparse(known["url"]).port
        self.base = f"swarm.localhost:{self.port}"
        self.session = ""
        self.token = {"Authorization": f"Bearer {known['token']}"}

    def start_fly(self, build):
        pathlib.Path(f"{self.folder}/token").write_text("bench")
        words = [build / "fly-emulator", "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0", "--token-file", f"{self.folder}/token", "--data",
                 f"{self.folder}/fly"]
        self.emulator = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = [self.emulator.stdout.readline() for _ in range(2)]
        if not all(lines):
            raise SystemExit("fly-emulator did not start")
        self.fly = {"api": lines[0].split()[-1].removesuffix("/v1"), "edge": lines[1].split()[-1].replace("<app>", "{app}")}
        self.emulator_id = pathlib.Path(f"{self.folder}/fly/emulator-id").read_text().strip()

    def get(self, host, path, headers=None, method="GET", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1000)
        try:
            connection.request(method, path, body=body, headers={"Host": host, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def api(self, method, path, body=None):
        headers = {**self.token, **({"Content-Type": "application/json"} if body else {})}
        status, _, text = self.get(self.base, path, headers, method, json.dumps(body) if body else None)
        if status >= 400:
            raise SystemExit(f"{method} {path}: {status} {text.decode()}\n{open(f'{self.folder}/log').read()[-3000:]}")
        return json.loads(text) if text else None

    def command(self, *words):
        """As a person types it."""
        done = subprocess.run([self.program, *words], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            log = open(f"{self.folder}/log").read()[-3000:]
            raise SystemExit(f"swarm {' '.join(words)}: {done.stdout}{done.stderr}\n{log}")
        return done.stdout

    def cookie_for(self, name):
        """Signs in at the instance's host as a browser would."""
        page = {"Accept": "text/html"}
        first = lambda headers: headers.get_all("Set-Cookie")[0].split(";")[0]
        if not self.session:
            password = pathlib.Path(f"{self.folder}/config/swarm/admin-password").read_text().strip()
            body = json.dumps({"user": "admin", "password": password})
            self.session = first(self.get(self.base, "/api/auth/login", {"Content-Type": "application/json"}, "POST", body)[1])
        host = f"{name}.localhost:{self.port}"
        begun = self.get(host, "/", page)[1]
        sent = self.get(self.base, begun["Location"].split(self.base)[1], {"Cookie": self.session, **page})[1]
        return first(self.get(host, sent["Location"].split(host)[1], {"Cookie": first(begun), **page})[1]), host

    def container(self, name):
        """The container in which the instance runs now, and its Engine (None: the usual one)."""
        instance = self.api("GET", f"/api/instances/{name}")
        host = self.engine.host if self.engine and instance.get("region") == "box2" else None
        labels = [f"fly-emulator.id={self.emulator_id}", "fly-emulator.machine"] if instance["provider"] == "flyio" else [f"swarm.name={name}"]
        found = docker("ps", "-q", *(word for label in labels for word in ("--filter", f"label={label}")), host=host)
        self.containers.add(found)
        return found, host

    def stop(self):
        try:
            for instance in self.api("GET", "/api/instances")["items"]:  # what a failed round left, and what was kept
                self.api("DELETE", f"/api/instances/{instance['id']}?volumes=true&wait=120")
        finally:
            for process in (self.process, self.emulator):
                process.send_signal(signal.SIGTERM)
                process.wait(60)
            self.sweep()
            if self.engine:
                self.engine.stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    def sweep(self):
        """What an emulator with a data folder leaves at the Engine."""
        label = ["--filter", f"label=fly-emulator.id={self.emulator_id}"]
        for kind, listed, removed in (("container", ["ps", "-aq"], ["rm", "-f"]), ("volume", ["volume", "ls", "-q"], ["volume", "rm"]),
                                      ("network", ["network", "ls", "-q"], ["network", "rm"])):
            for found in docker(*listed, *label).split():
                docker(*removed, found)
