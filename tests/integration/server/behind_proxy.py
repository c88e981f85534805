#!/usr/bin/env python3
"""Signs in through a proxy that the server trusts: one client that guesses passwords locks out neither the others nor a known device behind
its own address, and cannot choose the address by which it is throttled. Usage: behind_proxy.py SWARM"""
import http.client
import http.server
import json
import pathlib
import sys
import tempfile
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer

ATTACKER, OWNER = "127.0.0.2", "127.0.0.3"
MANY = 10  # attempts; the wait doubles with each after the fifth


def make_proxy(server):
    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            forwarded = ", ".join(self.headers.get_all("X-Forwarded-For", []) + [self.client_address[0]])
            headers = {name: value for name, value in self.headers.items() if name != "X-Forwarded-For"}
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            connection.request("POST", self.path, body, headers | {"X-Forwarded-For": forwarded})
            response = connection.getresponse()
            text = response.read()
            self.send_response_only(response.status)
            for name, value in response.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            connection.close()

        def log_message(self, *_):
            pass

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)


class People:
    def __init__(self, server, proxy):
        self.host = server.host
        self.port = proxy.server_address[1]
        self.password = server.password()

    def post(self, address, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE, source_address=(address, 0))
        try:
            connection.request("POST", path, body, {"Host": self.host} | headers)
            response = connection.getresponse()
            response.read()
            return response
        finally:
            connection.close()

    def by_api(self, address, password, headers={}):
        body = json.dumps({"user": "admin", "password": password})
        return self.post(address, "/api/auth/login", body, {"Content-Type": "application/json"} | headers)

    def by_form(self, address, password, headers={}):
        body = urllib.parse.urlencode({"user": "admin", "password": password})
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self.host}"}
        return self.post(address, "/login", body, form | headers)

    def guess_until_throttled(self, ask, headers_of=lambda attempt: {}):
        for attempt in range(MANY):
            response = ask(ATTACKER, f"wrong {attempt}", headers_of(attempt))
            if response.status == 429:
                assert int(response.headers["Retry-After"]) >= 1, response.headers
                return
            assert response.status == 401, response.status
        raise AssertionError(f"{MANY} wrong passwords were accepted for verification")


def device_of(response):
    """The cookies that stay when the session has ended."""
    cookies = [cookie.split(";")[0] for cookie in response.headers.get_all("Set-Cookie")]
    return "; ".join(cookie for cookie in cookies if "device" in cookie.split("=")[0])


def check(people):
    known = people.by_form(OWNER, people.password)
    assert known.status == 303, known.status
    device = device_of(known)
    assert device, known.headers
    for ask in (people.by_api, people.by_form):
        people.guess_until_throttled(ask)
        people.guess_until_throttled(ask, lambda attempt: {"X-Forwarded-For": f"203.0.113.{attempt}"})
        signed_in = ask(OWNER, people.password)
        assert signed_in.status in (200, 303), f"another client is locked out: {signed_in.status}"
        at_home = ask(ATTACKER, people.password, {"Cookie": device})
        assert at_home.status in (200, 303), f"a known device is locked out: {at_home.status}"
        people.guess_until_throttled(ask)


def main():
    with tempfile.TemporaryDirectory(prefix="swarm-proxy-") as folder:
        server = RunningServer(sys.argv[1], folder, variables={"SWARM_TRUSTED_PROXIES": "127.0.0.1"})
        proxy = make_proxy(server)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            check(People(server, proxy))
        finally:
            proxy.shutdown()
            proxy.server_close()
            server.stop()


if __name__ == "__main__":
    main()
