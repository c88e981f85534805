#!/usr/bin/env python3
"""A whole server with a certificate of its own, which is renewed while clients are connected. Usage: tls.py SWARM"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, wait_for

BASE = "swarm.example.test"


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Authority:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.certificate = self.folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Test CA", "-keyout", self.folder / "ca.key",
                "-out", self.certificate)

    def issue(self, name):
        """The files of a certificate for BASE and the hosts below it, which has `name` as its subject."""
        key, request, certificate = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        extensions = self.folder / "extensions"
        extensions.write_text(f"subjectAltName=DNS:{BASE},DNS:*.{BASE},IP:127.0.0.1\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key", "-CAcreateserial", "-days", "1", "-extfile", extensions, "-out", certificate)
        key.chmod(0o600)
        return certificate, key


class Server:
    def __init__(self, swarm, folder, authority):
        self.swarm = swarm
        self.folder = pathlib.Path(folder)
        self.authority = authority
        self.environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=f"{folder}/config", XDG_DATA_HOME=f"{folder}/data", SWARM_URL="", SWARM_TOKEN="", SWARM_CA_FILE="")
        self.certificate, self.key = self.folder / "served.pem", self.folder / "served.key"
        self.log = self.folder / "log"
        self.process = None
        self.install("first")

    def install(self, name):
        for source, target in zip(self.authority.issue(name), (self.certificate, self.key)):
            shutil.copy2(source, f"{target}.new")
            os.rename(f"{target}.new", target)

    def command(self, *flags):
        return [self.swarm, "serve", "--fake-provider", "--base-domain", BASE, "--tls-certificate", self.certificate, "--tls-key", self.key, *flags]

    def refusal(self, *flags):
        ended = subprocess.run(self.command(*flags), env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode == 1, ended
        return ended.stderr

    def start(self):
        # Beyond loopback, which requires --insecure-http without a certificate. The redirecting port has to be known: one that is free now.
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.plain = taken.getsockname()[1]
        flags = ("--listen", "0.0.0.0:0", "--tls-redirect-listen", f"127.0.0.1:{self.plain}")
        self.process = subprocess.Popen(self.command(*flags), env=self.environment, stderr=self.log.open("w"))
        credentials = self.folder / "config/swarm/credentials.json"
        wait_for("the server serves", lambda: self.process.poll() is not None or (credentials.exists() and "Serving" in self.log.read_text()))
        assert self.process.poll() is None, self.log.read_text()
        known = json.loads(credentials.read_text())
        self.token, self.url = known["token"], known["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def context(self):
        return ssl.create_default_context(cafile=self.authority.certificate)

    def connect(self, context=None, **options):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return (context or self.context()).wrap_socket(plain, server_hostname=BASE, **options)

    def subject(self):
        with self.connect() as connection:
            return dict(pair for part in connection.getpeercert()["subject"] for pair in part)["commonName"]

    def ask(self, connection, line, body=""):
        head = f"{line} HTTP/1.1\r\nHost: {BASE}:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(f"{head}\r\n{body}".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response

    def cli(self, *words, text="", **environment):
        ended = subprocess.run([self.swarm, *words], env={**self.environment, **environment}, input=text, capture_output=True, text=True, timeout=PATIENCE)
        return ended.returncode, ended.stderr

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)


def refuses_bad_files(server):
    server.key.chmod(0o644)
    assert "chmod o=" in server.refusal()
    shutil.copy2(server.authority.issue("other")[1], server.key)
    assert "does not belong to" in server.refusal()
    server.key.unlink()
    assert "No such file" in server.refusal()
    server.install("first")
    assert "expected https://" in server.refusal("--public-url", f"http://{BASE}")
    server.key.chmod(0o600)


def speaks_modern_tls_alone(server):
    assert server.url == f"https://{BASE}:{server.port}", server.url
    context = server.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with server.connect(context) as connection:
        assert connection.version() == "TLSv1.3" and connection.selected_alpn_protocol() == "http/1.1"
        response = server.ask(connection, "GET /healthz")
        assert response.status == 200 and response.headers["Strict-Transport-Security"].startswith("max-age="), response.headers
        response.read()
        with server.connect(context, session=connection.session) as again:
            assert again.session_reused
    old = server.context()
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        server.connect(old)
        raise AssertionError("TLS 1.1 was accepted")
    except ssl.SSLError as error:
        assert "PROTOCOL_VERSION" in str(error).upper(), error


def hints_at_https(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {BASE}\r\nAccept: text/html\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 400 and b"https://" in response.read()


def redirects(server):
    for host, location in (BASE, f"https://{BASE}:{server.port}/x?y=z"), (f"dev.{BASE}", f"https://dev.{BASE}:{server.port}/x?y=z"), ("evil.example", None):
        connection = http.client.HTTPConnection("127.0.0.1", server.plain, timeout=PATIENCE)
        connection.request("GET", "/x?y=z", headers={"Host": host})
        response = connection.getresponse()
        assert (response.status, response.headers["Location"]) == ((308, location) if location else (421, None)), (host, response.status, response.headers)
        connection.close()


def serves_the_command_line(server):
    # The name of this test resolves nowhere; the certificate is for the address, too.
    there = {"SWARM_URL": f"https://127.0.0.1:{server.port}", "SWARM_TOKEN": server.token}
    code, said = server.cli("list", **there)
    assert code == 1 and "the certificate was rejected" in said and "--ca-file" in said, said
    authority = str(server.authority.certificate)
    for ended in server.cli("list", "--ca-file", authority, **there), server.cli("list", SWARM_CA_FILE=authority, **there):
        assert ended[0] == 0, ended
    elsewhere = {"XDG_CONFIG_HOME": f"{server.folder}/elsewhere"}
    password = (server.folder / "config/swarm/admin-password").read_text()
    ended = server.cli("login", "--url", there["SWARM_URL"], "--ca-file", authority, "--password-stdin", text=password, **elsewhere)
    assert ended[0] == 0, ended
    ended = server.cli("list", **elsewhere)
    assert ended[0] == 0, f"the authority of the sign-in is not remembered: {ended}"


def renews(server):
    """A stream of events stays open, and continues, while the certificate is replaced."""
    with server.connect() as stream:
        events = server.ask(stream, "GET /api/events")
        assert events.status == 200, events.status
        assert server.subject() == "first"
        server.install("second")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the new certificate is served", lambda: server.subject() == "second")
        server.key.write_text("broken")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the server reports the broken key", lambda: "kept the former certificate" in server.log.read_text())
        assert server.subject() == "second"
        server.install("third")
        wait_for("the server finds the new certificate without a signal", lambda: server.subject() == "third")
        with server.connect() as connection:
            response = server.ask(connection, "POST /api/instances", json.dumps({"name": "renewed"}))
            assert response.status in (201, 202), response.read()
        while b"renewed" not in (line := events.readline()):
            assert line, "the stream of events has ended"


def main():
    with tempfile.TemporaryDirectory(prefix="swarm-tls-") as folder:
        server = Server(sys.argv[1], folder, Authority(folder))
        try:
            refuses_bad_files(server)
            server.start()
            for check in speaks_modern_tls_alone, hints_at_https, redirects, serves_the_command_line, renews:
                check(server)
                print(f"ok   {check.__name__}")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
