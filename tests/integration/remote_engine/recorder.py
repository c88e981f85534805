"""What travels on the networks of this machine, as a program in between would see it; and an Engine that is reached over TCP."""
import ctypes
import os
import socket
import struct
import threading
import time

ETH_P_ALL = 3  # ETH_P_IP has no packets that leave
FORCED_RECEIVE_BUFFER = 33  # SO_RCVBUFFORCE
ATTACH_FILTER = 26
SOL_PACKET, PACKET_STATISTICS = 263, 6


# Classic BPF over the IP header: everything but TCP from an address to itself, as programs of this machine use among each other.
FILTER = [(0x30, 0, 0, 9),      # A = protocol
          (0x15, 5, 0, 17),     # UDP: accept (the marks of catch_up)
          (0x20, 0, 0, 16),     # A = destination
          (0x07, 0, 0, 0),      # X = A
          (0x20, 0, 0, 12),     # A = source
          (0x1D, 0, 1, 0),      # the same: reject
          (0x06, 0, 0, 0),
          (0x06, 0, 0, 1 << 18)]


class Recorder:
    """Copies of the packets that pass this machine's networks, from now on. Needs root."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, FORCED_RECEIVE_BUFFER, 512 << 20)
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in FILTER))
        self.socket.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HL", len(FILTER), ctypes.addressof(program)))
        self.packets, self.lock = [], threading.Lock()
        threading.Thread(target=self.record, daemon=True).start()

    def record(self):
        while True:
            packet = self.socket.recv(1 << 17)
            with self.lock:
                self.packets.append(packet)

    def catch_up(self):
        """Returns once a packet that is sent now is recorded; the kernel counts those that it had no room for."""
        mark = os.urandom(32)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(mark, ("127.0.0.1", 9))
        while not self.has(mark):
            time.sleep(0.05)
        _, dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        assert dropped == 0, f"{dropped} packets were not recorded"

    def has(self, mark):
        with self.lock:
            return any(mark in one for one in reversed(self.packets))

    def between(self, addresses):
        """The bytes of all packets from or to one of the addresses, until now."""
        self.catch_up()
        wanted = {socket.inet_aton(one) for one in addresses}
        with self.lock:
            return b"\n".join(one for one in self.packets if not wanted.isdisjoint((one[12:16], one[16:20])))


class EngineOverTcp:
    """Passes connections to a port on to the Engine's socket."""

    def __init__(self, host, path):
        self.path, self.listener = path, socket.create_server((host, 0))
        self.url = f"tcp://{host}:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client = self.listener.accept()[0]
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self.path)
            for source, target in ((client, engine), (engine, client)):
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    @staticmethod
    def carry(source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                end.close()
