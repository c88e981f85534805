"""A server, an emulated Fly.io and optionally a second Engine for the benchmark, in a temporary folder."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/support"))
from running_server import EmulatedFly, RunningServer, wait_for


def docker(*words, host=None):
    where = ["-H", host] if host else []
    done = subprocess.run(["docker", *where, *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"docker {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


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
        wait_for("the second Engine", lambda: subprocess.run(["docker", "-H", self.host, "info"], capture_output=True).returncode == 0)
        save = subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE)
        subprocess.run(["docker", "-H", self.host, "load"], stdin=save.stdout, check=True, stdout=subprocess.DEVNULL)
        save.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        subprocess.run(["ip", "link", "del", self.bridge], check=False)


class Server(RunningServer):
    def __init__(self, build, image, second_engine):
        folder, self.containers = tempfile.mkdtemp(prefix="swarm-bench-"), set()
        self.engine = SecondEngine(folder, image) if second_engine else None
        self.fly = EmulatedFly(build / "fly-emulator", folder, image, "--data", f"{folder}/fly")
        self.emulator_id = pathlib.Path(f"{folder}/fly/emulator-id").read_text().strip()
        variables = {"SWARM_WORKSPACE_IMAGE": image, **self.fly.variables}
        if self.engine:
            variables["SWARM_DOCKER_HOSTS"] = f"box2={self.engine.host}"
        super().__init__(build / "swarm", folder, "--log-level", "warning", variables=variables)

    def command(self, *words):
        """As a person types it."""
        done = subprocess.run([self.program, *words], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"swarm {' '.join(words)}: {done.stdout}{done.stderr}\n{self.log.read_text()[-3000:]}")
        return done.stdout

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
            super().stop()
            self.fly.stop()
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
