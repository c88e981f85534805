"""A whole server in a folder of its own, for the tests of this folder."""
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


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


class Server:
    def __init__(self, swarm, folder, descriptors=1024, **variables):
        environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=f"{folder}/config", XDG_DATA_HOME=f"{folder}/data", SWARM_URL="", SWARM_TOKEN="", **variables)
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.config = pathlib.Path(folder, "config/swarm")
        self.log = pathlib.Path(folder, "log")
        self.process = subprocess.Popen([swarm, "serve", "--listen", "127.0.0.1:0"], env=environment, stderr=self.log.open("w"), preexec_fn=limit)
        atexit.register(self.process.kill)  # after a failed assertion it would hold the test's output open
        credentials = self.config / "credentials.json"
        wait_for("the server serves", lambda: self.process.poll() is not None or (credentials.exists() and "Serving" in self.log.read_text()))
        if self.process.poll() is not None:
            raise AssertionError("the server ended: " + self.log.read_text())
        known = json.loads(credentials.read_text())
        self.token = known["token"]
        self.host = known["url"].split("//")[1]
        self.port = int(self.host.split(":")[1])

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Host": self.host, "Authorization": "Bearer " + self.token})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
