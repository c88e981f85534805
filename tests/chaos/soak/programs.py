"""A server and an emulator that `run` kills and starts again, and what the Engine has."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
WAIT = 100  # seconds that an operation may take


class Cut(Exception):
    """The server went away: whether the request had an effect is not known."""


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status} {text[:300]}")
        self.status = status


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def at_the_engine():
    """Ids of all containers, networks and volumes."""
    questions = {"containers": ["ps", "-aq"], "networks": ["network", "ls", "-q"], "volumes": ["volume", "ls", "-q"]}
    return {kind: set(subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.split()) for kind, words in questions.items()}


class Programs:
    """A server and an emulator with state of their own, which may be killed and started again."""

    def __init__(self, folder, options):
        self.folder = folder
        self.bin = ROOT / options.build
        self.api, self.edge, self.port = free_port(), free_port(), free_port()
        (folder / "token").write_text("soak")
        self.environment = {
            **os.environ, "XDG_CONFIG_HOME": f"{folder}/config", "XDG_DATA_HOME": f"{folder}/data", "SWARM_WORKSPACE_IMAGE": options.image,
            "SWARM_FLYIO_API_BASE_URL": f"http://127.0.0.1:{self.api}", "SWARM_FLYIO_APP_URL": f"http://{{app}}.fly.localhost:{self.edge}",
            "SWARM_FLYIO_REGIONS": "ams,fra", "SWARM_FLYIO_API_TOKEN_FILE": f"{folder}/token",
            "SWARM_FLYIO_WORKSPACE_IMAGE": f"registry.fly.io/soak/{options.image}"}
        self.running = {}
        self.start("emulator")
        self.start("server")
        credentials = folder / "config/swarm/credentials.json"
        end = time.monotonic() + 20
        while not credentials.exists():
            if time.monotonic() > end or self.running["server"].poll() is not None:
                raise SystemExit(f"the server did not start: {(folder / 'server.log').read_text()}")
            time.sleep(0.05)
        self.token = json.loads(credentials.read_text())["token"]
        self.environment |= {"SWARM_URL": f"http://127.0.0.1:{self.port}", "SWARM_TOKEN": self.token}

    def start(self, which):
        words = {"server": [self.bin / "swarm", "serve", "--listen", f"127.0.0.1:{self.port}"],
                 "emulator": [self.bin / "fly-emulator", "--listen", f"127.0.0.1:{self.api}", "--edge", f"127.0.0.1:{self.edge}", "--token-file",
                              self.folder / "token", "--data", self.folder / "fly", "--strict"]}[which]
        with open(self.folder / f"{which}.log", "a") as log:
            self.running[which] = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log)

    def end(self, which, how=signal.SIGKILL):
        self.running[which].send_signal(how)
        self.running[which].wait()

    def request(self, method, path, body=None):
        """The answer's JSON. Throws Cut or Refused."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT + 50)
        headers = {"Host": f"localhost:{self.port}", "Authorization": f"Bearer {self.token}"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers | ({} if body is None else {"Content-Type": "application/json"}))
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise Cut(str(error)) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(response.status, text)
        return json.loads(text) if text else None

    def apps_at_fly(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=30)
        connection.request("GET", "/v1/apps?org_slug=personal", headers={"Authorization": "Bearer soak"})
        return json.loads(connection.getresponse().read())["total_apps"]

    def inside(self, name, command):
        """`command` in the workspace: exit code, output, errors; code -1 when it took too long."""
        try:
            ran = subprocess.run([self.bin / "swarm", "exec", name, "--", "sh", "-c", command], env=self.environment, capture_output=True, text=True, timeout=WAIT)
            return ran.returncode, ran.stdout, ran.stderr
        except subprocess.TimeoutExpired:
            return -1, "", "it took too long"
