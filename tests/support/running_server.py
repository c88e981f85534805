"""A whole server in a folder of its own, for tests and benchmarks, and the emulated Fly beside it."""
import atexit
import http.client
import json
import os
import pathlib
import resource
import signal
import subprocess
import time

PATIENCE = 60  # seconds for anything that is waited for


def wait_for(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def first_cookie(headers):
    return headers.get_all("Set-Cookie")[0].split(";")[0]


class RunningServer:
    """`flags` are those of `swarm serve`, `variables` go to its environment; `descriptors` limits how many it may open."""

    session = ""

    def __init__(self, program, folder, *flags, variables=None, descriptors=None):
        self.program, self.folder, self.variables = program, pathlib.Path(folder), variables
        homes = {f"XDG_{kind.upper()}_HOME": f"{folder}/{kind}" for kind in ("config", "data", "state")}
        self.environment = {**os.environ, "HOME": str(folder), **homes, "SWARM_URL": "", "SWARM_TOKEN": "", **(variables or {})}
        self.config = self.folder / "config/swarm"
        self.log = self.folder / "log"
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))) if descriptors else None
        with self.log.open("w") as log:
            words = [program, "serve", "--listen", "127.0.0.1:0", *flags]
            self.process = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log, preexec_fn=limit)
        atexit.register(self.process.kill)  # also after a failed assertion nothing remains
        wait_for("the server serves", self.is_serving)
        self.token = self.saved["token"]
        self.host = self.saved["url"].split("//")[1]  # with the port
        self.port = int(self.host.split(":")[1])

    def is_serving(self):
        if self.process.poll() is not None:
            raise AssertionError("the server ended: " + self.log.read_text())
        credentials = self.config / "credentials.json"
        if not credentials.exists():
            return False
        self.saved = json.loads(credentials.read_text())
        connection = http.client.HTTPConnection("127.0.0.1", int(self.saved["url"].split(":")[-1]), timeout=PATIENCE)
        try:
            connection.request("GET", "/healthz", headers={"Host": self.saved["url"].split("//")[1]})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def password(self):
        return (self.config / "admin-password").read_text().strip()

    def send(self, method, path, body=None, headers=None, host=None, timeout=PATIENCE):
        """(status, headers, bytes), without credentials unless `headers` has them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Host": host or self.host, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def api(self, method, path, body=None, timeout=1000):
        """The document of a successful call; `body` is sent as JSON."""
        headers = {"Authorization": "Bearer " + self.token, **({"Content-Type": "application/json"} if body is not None else {})}
        status, _, text = self.send(method, path, None if body is None else json.dumps(body), headers, timeout=timeout)
        if status >= 400:
            raise AssertionError(f"{method} {path}: {status} {text.decode()}\n{self.log.read_text()[-3000:]}")
        return json.loads(text) if text else None

    def sign_in(self):
        """As the admin, with the password; the session's cookie."""
        body = json.dumps({"user": "admin", "password": self.password()})
        status, headers, text = self.send("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
        if status >= 400:
            raise AssertionError(f"the sign-in failed: {status} {text.decode()}")
        return first_cookie(headers)

    def cookie_for(self, name):
        """Signs in at the instance's host as a browser would; the cookie and the host."""
        page = {"Accept": "text/html"}
        self.session = self.session or self.sign_in()
        host = f"{name}.localhost:{self.port}"
        begun = self.send("GET", "/", headers=page, host=host)[1]
        sent = self.send("GET", begun["Location"].split(self.host)[1], headers={"Cookie": self.session, **page})[1]
        landed = self.send("GET", sent["Location"].split(host)[1], headers={"Cookie": first_cookie(begun), **page}, host=host)[1]
        return first_cookie(landed), host

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


class EmulatedFly:
    """`flags` are those of fly-emulator. `variables`: with them, a server uses it."""

    def __init__(self, program, folder, image, *flags):
        token = pathlib.Path(folder, "token")
        token.write_text("bench")
        words = [program, "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0", "--token-file", token, *flags]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        atexit.register(self.process.kill)
        lines = [self.process.stdout.readline() for _ in range(2)]
        if not all(lines):
            raise AssertionError("fly-emulator did not start")
        self.variables = {
            "SWARM_FLYIO_API_BASE_URL": lines[0].split()[-1].removesuffix("/v1"),
            "SWARM_FLYIO_APP_URL": lines[1].split()[-1].replace("<app>", "{app}"),
            "SWARM_FLYIO_REGIONS": "ams",
            "SWARM_FLYIO_API_TOKEN_FILE": str(token),
            "SWARM_FLYIO_WORKSPACE_IMAGE": f"registry.fly.io/bench/{image}",
        }

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
