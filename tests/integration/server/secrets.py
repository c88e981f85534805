#!/usr/bin/env python3
"""No secret is in a log, an error, a command line, the audit log, or in plain text in a file of the server. Usage: secrets.py SWARM"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer, first_cookie, wait_for

CHOSEN, WRONG, VALUE, FLY = "chosen battery staple", "mistyped battery staple", "value-of-a-variable-8c1f", "fo1_token-of-fly-55aa"
JSON = {"Content-Type": "application/json"}


def code_of(seed):
    """Of an app (RFC 6238)."""
    mac = hmac.digest(base64.b32decode(seed + "=" * (-len(seed) % 8)), int(time.time() // 30).to_bytes(8, "big"), hashlib.sha1)
    return f"{(int.from_bytes(mac[mac[19] & 15:][:4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


class Secrets:
    def __init__(self, server):
        self.server = server
        self.known = {"a password": CHOSEN, "a mistyped password": WRONG, "a token of Fly": FLY, "the first password": server.password(), "the machine's token": server.token}
        self.errors = []  # and other responses that must have none

    def call(self, method, path, body=None, token=None):
        headers = {**JSON, "Authorization": "Bearer " + (token or self.server.token)}
        status, _, text = self.server.send(method, path, None if body is None else json.dumps(body), headers)
        if status >= 400:
            self.errors.append(f"{method} {path}: {status} {text.decode()}")
            return None
        return json.loads(text) if text else {}

    def sign_in(self, **body):
        status, headers, text = self.server.send("POST", "/api/auth/login", json.dumps(body), JSON)
        if status != 200:
            self.errors.append(text.decode())
            return None
        self.known["a session's cookie"] = first_cookie(headers).split("=", 1)[1]
        return json.loads(text)["token"]

    def make(self):
        """Each kind of secret that the server makes or is given, and requests in which people or programs put them in a wrong place."""
        known, call = self.known, self.call
        assert call("POST", "/api/users", {"name": "ben", "password": CHOSEN}) is not None, self.errors
        known["a session's token"] = session = self.sign_in(user="ben", password=CHOSEN)
        known["an access token"] = access = call("POST", "/api/tokens", {"name": "ci", "scopes": ["read", "write", "inside"]}, session)["token"]
        call("POST", "/api/users", {"name": "ida"})
        known["an invitation"] = call("POST", "/api/users/ida/invite")["url"].split("code=")[1]
        known["a login link"] = call("POST", "/api/auth/links", token=session)["url"].split("code=")[1]
        begun = call("POST", "/api/users/me/second-factor", {"password": CHOSEN}, session)
        known["the seed of a second factor"] = begun["secret"]
        confirmed = call("POST", "/api/users/me/second-factor/confirm", {"ticket": begun["ticket"], "code": code_of(begun["secret"])}, session)
        known |= {f"recovery code {number}": code for number, code in enumerate(confirmed["recoveryCodes"])}
        self.sign_in(user="ben", password=CHOSEN, code=confirmed["recoveryCodes"][0])
        call("POST", "/api/instances?wait=30", {"provider": "fake", "name": "one", "env": {"PASSWORD": VALUE}}, access)
        known["a token of an agent"] = call("POST", "/api/instances/one/token", {"scope": "port"}, session)["token"]

        self.sign_in(user="ben", password=WRONG)
        self.sign_in(user=WRONG, password=CHOSEN)
        self.sign_in(user="ben", password=CHOSEN, code=confirmed["recoveryCodes"][0])
        for wrong in ({"name": "two", "env": {"1": VALUE, "A=B": VALUE}}, {"name": "not a label", "env": {"A": VALUE}}, {"provider": "fake", "name": "one", "env": {"A": VALUE}}):
            assert call("POST", "/api/instances", wrong) is None, wrong
        known["a value"] = VALUE
        for token in (access[:-1] + "x", session[:-2] + "xx"):
            assert call("GET", f"/api/instances/{token}", token=token) is None
        call("POST", "/api/users/ben/password", {"password": WRONG, "oldPassword": WRONG}, session)
        call("POST", "/api/providers/flyio/validate")
        for path in ("/invite?code=" + known["an invitation"] + "x", "/auth/link?code=" + known["a login link"] + "x"):
            self.errors.append(self.server.send("GET", path, headers={"Accept": "text/html"})[2].decode())

    def check(self, where, text, *exceptions):
        for what, secret in self.known.items():
            assert what in exceptions or secret not in text, f"{what} is in {where}"


def command_lines():
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            yield (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            pass  # it has ended


def watch_command(swarm, server, secrets):
    """While a command of a user runs, with a token and a password that it reads from its standard input."""
    environment = {**server.environment, "SWARM_URL": f"http://{server.host}", "SWARM_TOKEN": server.token}
    follows = subprocess.Popen([swarm, "api", "GET", "/api/events"], env=environment, stdout=subprocess.PIPE)
    try:
        wait_for("the command runs", lambda: any("/api/events" in line for line in command_lines()))
        for line in command_lines():
            secrets.check("a command line", line)
    finally:
        follows.kill()
        follows.communicate()
    login = [swarm, "login", f"http://{server.host}", "--user", "ben", "--password-stdin"]
    refused = subprocess.run(login, env={**environment, "SWARM_TOKEN": ""}, input=WRONG + "\n", capture_output=True, text=True, timeout=PATIENCE)
    assert refused.returncode != 0
    secrets.check("what `swarm login` prints", refused.stdout + refused.stderr)


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        fly = pathlib.Path(folder, "fly-token")
        fly.write_text(FLY)
        fly.chmod(0o600)
        variables = {"SWARM_FLYIO_API_TOKEN_FILE": str(fly), "SWARM_FLYIO_API_BASE_URL": "http://127.0.0.1:1"}
        server = RunningServer(swarm, folder, "--fake-provider", "--log-level", "debug", variables=variables)
        secrets = Secrets(server)
        secrets.make()
        watch_command(swarm, server, secrets)
        assert len(secrets.errors) >= 10, secrets.errors
        for error in secrets.errors:
            secrets.check("an error: " + error, error)
        audit = server.send("GET", "/api/audit/export", headers={"Authorization": "Bearer " + server.token})[2].decode()
        assert "createUser" in audit and "createAccessToken" in audit, audit
        secrets.check("the audit log", audit)
        server.stop()
        own = {"fly-token": "a token of Fly", "admin-password": "the first password", "credentials.json": "the machine's token"}
        files = [file for file in pathlib.Path(folder).rglob("*") if file.is_file()]
        assert any(file.name == "swarm.db" for file in files), files
        for file in files:
            exceptions = [own[file.name]] if file.name in own else []
            if file.name.startswith("swarm.db"):
                exceptions.append("a value")  # of a workspace's configuration
            assert not exceptions or os.stat(file).st_mode & 0o077 == 0, f"others may read {file}"
            secrets.check(str(file), file.read_bytes().decode("latin-1"), *exceptions)


main(sys.argv[1])
