#!/usr/bin/env python3
"""Users of a server that is killed and started again, and an administrator who lost the password. Usage: users.py SWARM"""
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer

CHOSEN = "correct horse battery staple"


def call(server, method, path, body=None, token=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        headers = {"Host": server.host, "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        text = response.read().decode()
        return response.status, json.loads(text) if text.startswith("{") else text
    finally:
        connection.close()


def sign_in(server, user, password):
    return call(server, "POST", "/api/auth/login", {"user": user, "password": password})


def accept_invitation(server, url):
    """As a browser does it, without its cookies of other hosts."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", url.split(server.host)[1], headers={"Host": server.host, "Accept": "text/html"})
    opened = connection.getresponse()
    opened.read()
    cookie = opened.getheader("Set-Cookie").split(";")[0]
    form = f"password={CHOSEN.replace(' ', '+')}&again={CHOSEN.replace(' ', '+')}"
    headers = {"Host": server.host, "Origin": f"http://{server.host}", "Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/invite", form, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        server = RunningServer(swarm, folder)
        password = server.password()
        assert call(server, "POST", "/api/users", {"name": "ben"}, server.token)[0] == 201
        status, invitation = call(server, "POST", "/api/users/ben/invite", token=server.token)
        assert status == 201, invitation
        server.process.kill()
        server.process.wait()

        server = RunningServer(swarm, folder)
        url = "http://" + server.host + invitation["url"][invitation["url"].index("/invite"):]
        assert accept_invitation(server, url) == 303, "the invitation is as valid as before"
        status, ben = sign_in(server, "ben", CHOSEN)
        assert status == 200, ben
        assert call(server, "POST", "/api/users/ben/disable", token=server.token)[0] == 200
        server.process.kill()
        server.process.wait()

        server = RunningServer(swarm, folder)
        assert call(server, "GET", "/api/auth/status", token=ben["token"])[0] == 401
        assert sign_in(server, "ben", CHOSEN)[0] == 401
        assert CHOSEN not in server.log.read_text() and invitation["url"].split("code=")[1] not in server.log.read_text()

        reset = [swarm, "serve", "--reset-admin-password"]
        environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=f"{folder}/config", XDG_DATA_HOME=f"{folder}/data")
        running = subprocess.run(reset, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert running.returncode != 0, "a running server keeps its data"
        server.stop()
        done = subprocess.run(reset, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        file = f"{folder}/data/swarm/admin-password"
        assert file in done.stderr and os.stat(file).st_mode & 0o777 == 0o600, done.stderr
        server = RunningServer(swarm, folder)
        assert sign_in(server, "admin", password)[0] == 401
        assert sign_in(server, "admin", open(file).read().strip())[0] == 200
        server.stop()


main(sys.argv[1])
