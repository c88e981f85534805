#!/usr/bin/env python3
"""The SSH listener against clients that do not behave: strangers that say nothing or anything, and a signed-in one that requests what there is not. Usage: listener.py SWARM"""
import collections
import pathlib
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import paramiko

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
from running_server import PATIENCE, RunningServer, wait_for

SILENT = 60  # connections at once: several times what one address may have
HALF_OPEN = 10_000


def children(server):
    """The processes of connections."""
    found = subprocess.run(["pgrep", "-x", "-P", str(server.process.pid), "swarm-ssh"], capture_output=True, text=True)
    return found.stdout.split()


class Client:
    def __init__(self, port, key, user="admin"):
        self.transport = paramiko.Transport(("127.0.0.1", port))
        self.transport.banner_timeout = PATIENCE
        self.transport.start_client(timeout=PATIENCE)
        self.transport.auth_publickey(user, key)

    def refused(self, kind, **more):
        try:
            self.transport.open_channel(kind, timeout=PATIENCE, **more)
        except paramiko.ChannelException as refusal:
            return refusal.code == 1  # administratively prohibited
        return False

    def is_open(self):
        return self.transport.is_active()


def strangers(server, port, key):
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(SILENT)]
    Client(port, key).transport.close()
    wait_for("there is no process for a connection from which nothing has arrived", lambda: not children(server))
    for words in (b"GET / HTTP/1.0\r\n\r\n", b"SSH-2.0-" + b"x" * 100_000, b"SSH-2.0-x\r\n" + bytes(range(256)) * 64, b"\0" * 4096, b"SSH-2.0-x\r\n\xff\xff\xff\xff" * 9):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as odd:
            try:
                odd.sendall(words)
                odd.shutdown(socket.SHUT_WR)
                while odd.recv(65536):
                    pass
            except OSError:
                pass  # the server has closed it
    for one in silent:
        one.close()
    wait_for("their processes have ended", lambda: len(children(server)) == 0)


def half_open(server, port, key):
    """Key exchanges that do not end, from two addresses, while a user signs in from a third."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    begun = b"SSH-2.0-x\r\n" + struct.pack(">IBB", 1000, 8, 20)  # a packet of 1000 bytes, without all but its first
    held = collections.deque(maxlen=min(HALF_OPEN, most - 200))
    before = server.descriptors()
    for number in range(HALF_OPEN):
        one = socket.socket()
        one.bind((f"127.0.0.{2 + number % 2}", 0))
        one.connect(("127.0.0.1", port))
        try:
            one.sendall(begun)
        except OSError:
            pass  # the server has closed it
        held.append(one)  # the oldest ones are closed where this process may not have as many
        if number % 1000 == 999:
            Client(port, key).transport.close()
            assert len(children(server)) <= 32, "the limit of all, and some that are ending"
            assert server.descriptors() < before + 200, server.descriptors()
            server.api("GET", "/api/ssh")
    for one in held:
        one.close()
    wait_for("their processes have ended", lambda: len(children(server)) == 0)


def sign_ins(server, port, key):
    other = paramiko.ECDSAKey.generate()
    for user, with_key in (("admin", other), ("noone", other), ("noone", key), ("", key), ("admin\n", key), ("x" * 5000, key)):
        try:
            Client(port, with_key, user)
        except paramiko.SSHException:
            continue
        raise AssertionError((user, "was let in"))
    transport = paramiko.Transport(("127.0.0.1", port))
    transport.start_client(timeout=PATIENCE)
    for user in ("admin", "noone"):  # each name gets the same
        try:
            transport.auth_none(user)
        except paramiko.BadAuthenticationType as refusal:
            assert refusal.allowed_types == ["publickey"], refusal.allowed_types
    try:
        for _ in range(40):
            try:
                transport.auth_publickey("admin", other)
            except paramiko.AuthenticationException:
                pass
        raise AssertionError("a connection may try any number of keys")
    except (paramiko.SSHException, EOFError):
        pass
    transport.close()


def demands(server, port, key):
    client = Client(port, key)
    for kind in ("session", "x11", "auth-agent@openssh.com", "forwarded-tcpip", "direct-streamlocal@openssh.com", "tun@openssh.com", "nonsense", ""):
        address = ("127.0.0.1", 1)
        more = {"dest_addr": address, "src_addr": address} if kind == "forwarded-tcpip" else {"src_addr": address} if kind == "x11" else {}
        assert client.refused(kind, **more), kind
    here = ("127.0.0.1", 1)
    for host in ("web1", "127.0.0.1", "localhost", "x" * 5000, "../etc", "web1\n", ""):
        assert client.refused("direct-tcpip", dest_addr=(host, 8080), src_addr=here), host
    for port_of in (0, 65_536, 4_294_967_295):
        assert client.refused("direct-tcpip", dest_addr=("web1", port_of), src_addr=here), port_of
    try:
        client.transport.request_port_forward("127.0.0.1", 0)
        raise AssertionError("ports of the server are forwarded")
    except paramiko.SSHException:
        pass
    # A window of 4 GB, and a connection to an sshd that is not there: the reason comes, and the end after that of the client.
    channel = client.transport.open_channel("direct-tcpip", dest_addr=("absent", 22), src_addr=here, window_size=0xFFFFFFFF, timeout=PATIENCE)
    channel.settimeout(PATIENCE)
    text = b""
    while b"absent" not in text:
        text += channel.recv(65536)
    channel.shutdown_write()
    while piece := channel.recv(65536):
        text += piece
    assert text.startswith(b"SSH-2.0-swarm\r\n") and b'There is no workspace "absent"' in text, text
    assert client.is_open()
    # With a window of 0 bytes, the reason is never sent, and the channels stay.
    client.transport._sanitize_window_size = lambda size: size
    client.channels = []
    try:
        for _ in range(40):
            client.channels.append(client.transport.open_channel("direct-tcpip", dest_addr=("absent", 22), src_addr=here, window_size=0, timeout=PATIENCE))
        raise AssertionError("a connection may have any number of channels")
    except paramiko.ChannelException as refusal:
        assert refusal.code == 1, refusal
    assert client.is_open()
    return client


def endless(server, port, key, bystander):
    """A packet size with which libssh would write empty packets for ever: the process of the connection ends, and nothing else."""
    before = set(children(server))
    client = Client(port, key)
    of_client = set(children(server)) - before
    assert of_client
    client.transport.packetizer.read_message = threading.Event().wait  # the client reads no more
    opening = paramiko.Message()
    opening.add_byte(paramiko.common.cMSG_CHANNEL_OPEN)
    opening.add_string("direct-tcpip")
    for number in (0, 0x200000, 10):  # channel, window, packet size
        opening.add_int(number)
    for host, number in (("absent", 22), ("127.0.0.1", 1)):
        opening.add_string(host)
        opening.add_int(number)
    client.transport._send_user_message(opening)
    wait_for("its process has ended", lambda: not of_client & set(children(server)))
    assert bystander.is_open()
    Client(port, key).transport.close()


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        server = RunningServer(swarm, folder, "--fake-provider", variables={"SWARM_SSH_LISTEN": "127.0.0.1:0"})
        listener = server.api("GET", "/api/ssh")
        port = listener["port"]
        host_key = pathlib.Path(folder, "data/swarm/ssh_host_ed25519_key")
        assert host_key.stat().st_mode & 0o777 == 0o600
        made = subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", host_key], capture_output=True, text=True, check=True).stdout
        assert made.split()[:2] == listener["hostKey"].split(), (made, listener)
        key = paramiko.ECDSAKey.generate()
        registered = server.api("POST", "/api/keys", {"key": f"{key.get_name()} {key.get_base64()} me"})
        server.api("POST", "/api/instances?wait=30", {"provider": "fake", "name": "web1"})
        strangers(server, port, key)
        half_open(server, port, key)
        sign_ins(server, port, key)
        bystander = demands(server, port, key)
        endless(server, port, key, bystander)
        records = server.api("GET", "/api/audit?limit=500")["items"]
        facts = {(one["action"], one["result"], one.get("user", ""), one.get("object", "")) for one in records}
        assert {("signIn", "done", "admin", "admin"), ("signIn", "refused", "", ""), ("openSsh", "refused", "admin", "absent")} <= facts, facts
        server.api("DELETE", "/api/keys/" + registered["id"])
        wait_for("the removal of its key ends a connection", lambda: not bystander.is_open())
        assert "PRIVATE KEY" not in server.log.read_text()
        transport = paramiko.Transport(("127.0.0.1", port))
        transport.start_client(timeout=PATIENCE)
        of_connection = children(server)
        assert of_connection
        server.stop()
        wait_for("no process outlives the server", lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in of_connection))


main(sys.argv[1])
