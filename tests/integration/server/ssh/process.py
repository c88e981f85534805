#!/usr/bin/env python3
"""swarm-ssh between a real client and this test, which is its server: what a workspace sends before it closes always arrives, and a program may read slowly. Usage: process.py SWARM_SSH"""
import os
import queue
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import paramiko

PATIENCE = 60
TEXT = b"the last words"
START, ACCEPT, REFUSE, OPENED, FAILED, PING, PROBE, SIGN_IN, OPEN, PONG = range(10)
IDENTIFICATION = b"SSH-2.0-swarm\r\n"  # the server sends it before it starts the process
CONNECTION, CONTROL = 3, 4
UPLOAD, PIECE = 8 << 20, 64 << 10  # more than swarm-ssh keeps of one channel
programs = queue.Queue()  # what serve() opened to port 3


def message(kind, number=0, first=b"", second=b""):
    return struct.pack("<BIHH", kind, number, 0, len(first)) + first + second


def host_key():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder + "/key"], check=True)
        with open(folder + "/key", "rb") as file:
            return file.read()


def start(program, connection, control, environment=None):
    """Through a shell, which puts the sockets where the program expects them."""
    high = [os.dup2(one.fileno(), 50 + i) for i, one in enumerate((connection, control))]
    command = f"exec {CONNECTION}<&50 {CONTROL}<&51 50<&- 51<&-; exec"
    process = subprocess.Popen(["/bin/bash", "-c", f'{command} "$0"', program], pass_fds=high, env=environment or {})
    for one in high:
        os.close(one)
    connection.close()
    control.close()
    return process


def serve(control):
    """Accepts every key. The workspace of a channel to port 1 sends TEXT and closes at once; that of one to port 3 is in `programs`; channels to other ports fail."""
    while data := control.recv(9000):
        kind, number, port, _ = struct.unpack_from("<BIHH", data)
        if kind in (PROBE, SIGN_IN):
            control.send(message(ACCEPT))
        elif kind == OPEN and port not in (1, 3):
            control.send(message(FAILED, number))
        elif kind == OPEN:
            ours, theirs = socket.socketpair()
            if port == 3:
                programs.put(ours)
            else:
                ours.sendall(TEXT)
                ours.close()
            theirs.setblocking(False)
            socket.send_fds(control, [message(OPENED, number)], [theirs.fileno()])
            theirs.close()


def open_channel(transport, port, window):
    return transport.open_channel("direct-tcpip", dest_addr=("web1", port), src_addr=("127.0.0.1", 1), window_size=window, timeout=PATIENCE)


def round_trip(transport):
    """Whatever was sent before has been handled."""
    for _ in range(2):
        try:
            open_channel(transport, 2, 65536)
            raise AssertionError("a channel to port 2 was opened")
        except paramiko.ChannelException:
            pass


def grow_window(transport, channel, size):
    adjust = paramiko.Message()
    adjust.add_byte(paramiko.common.cMSG_CHANNEL_WINDOW_ADJUST)
    adjust.add_int(channel.remote_chanid)
    adjust.add_int(size)
    transport._send_user_message(adjust)


def upload(transport):
    """To a program that takes a piece whenever swarm-ssh has handled all that the client's window allowed: that does not end the connection."""
    channel = open_channel(transport, 3, 65536)
    program = programs.get(timeout=PATIENCE)
    program.settimeout(PATIENCE)
    sent = taken = 0
    while taken < UPLOAD:
        while sent < UPLOAD and channel.out_window_size > 0:
            sent += channel.send(bytes(min(PIECE, UPLOAD - sent)))
        round_trip(transport)
        if sent > taken:
            taken += len(program.recv(PIECE))
    channel.shutdown_write()
    assert program.recv(1) == b""
    program.close()


def flood(program, channels, size):
    """A client that sends `size` bytes on each of its channels, whatever their windows allow, to programs that read nothing: its connection ends, before its memory does. The number of bytes that it could send."""
    client, server, process = begin(program)
    threading.Thread(target=serve, args=(server,), daemon=True).start()
    transport = paramiko.Transport(client)
    transport.start_client(timeout=PATIENCE)
    transport.auth_publickey("ann", paramiko.ECDSAKey.generate())
    silent, sent = [], 0
    try:
        for channel in [open_channel(transport, 3, 65536) for _ in range(channels)]:
            silent.append(programs.get(timeout=PATIENCE))
            channel.out_window_size = 1 << 30
            for _ in range(size // PIECE):
                channel.settimeout(PATIENCE)
                channel.sendall(bytes(PIECE))
                sent += PIECE
        round_trip(transport)
    except (OSError, EOFError, paramiko.SSHException):
        assert len(silent) > 0, "no channel was opened"
    ended = process.wait(PATIENCE)  # although the client has closed nothing
    transport.close()
    for one in (*silent, server):
        one.close()
    assert ended == 0, f"the process ended with {ended}"
    return sent


def offers(program):
    """The first message of swarm-ssh, which lists the methods that it offers."""
    client, server, process = begin(program)
    with client, server, client.makefile("rb") as stream:
        client.settimeout(PATIENCE)
        client.sendall(b"SSH-2.0-test\r\n")
        stream.readline()
        listed = stream.read(struct.unpack(">I", stream.read(4))[0])
    process.wait(PATIENCE)
    return listed


def begin(program):
    client, connection = socket.socketpair()
    connection.sendall(IDENTIFICATION)
    server, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = start(program, connection, control)
    server.send(message(START, first=host_key()))
    return client, server, process


def main(program):
    listed = offers(program)
    assert b"curve25519-sha256" in listed and b"zlib" not in listed, listed
    client, server, process = begin(program)
    threading.Thread(target=serve, args=(server,), daemon=True).start()
    transport = paramiko.Transport(client)
    transport._sanitize_window_size = lambda size: size
    transport.start_client(timeout=PATIENCE)
    transport.auth_publickey("ann", paramiko.ECDSAKey.generate())
    # Without a window, TEXT has to wait, and the bytes of the client find a workspace that has closed.
    channel = open_channel(transport, 1, 0)
    channel.settimeout(PATIENCE)
    channel.sendall(b"SSH-2.0-client\r\n")
    round_trip(transport)
    channel.sendall(b"more")
    round_trip(transport)
    grow_window(transport, channel, 65536)
    text = b""
    while piece := channel.recv(4096):
        text += piece
    assert text == TEXT, text
    upload(transport)
    assert transport.is_active()
    server.shutdown(socket.SHUT_RDWR)
    assert process.wait(PATIENCE) == 0
    transport.close()
    # Each channel has its limit, and all of a connection have one.
    assert flood(program, 1, 64 << 20) < 16 << 20
    assert flood(program, 15, 60 * PIECE) > 40 << 20


if __name__ == "__main__":
    main(sys.argv[1])
