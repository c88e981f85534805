"""What is measured from outside while a move runs."""
import http.client
import pathlib
import subprocess
import threading
import time


class Peaks:
    """Peak resident memory (VmHWM) of each agent and of the server, sampled until the process has ended."""

    def __init__(self, server_pid):
        self.server_pid, self.peaks, self.over = server_pid, {}, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        # The server hashed a password at its start, which takes 64 MiB by design: its peak counts from here.
        pathlib.Path(f"/proc/{self.server_pid}/clear_refs").write_text("5")
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self):
        while not self.over.wait(0.3):
            self.sample()
        self.sample()

    def sample(self):
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                pid = int(status.parent.name)
                if lines["Name"].strip() == "swarm-agent" or pid == self.server_pid:
                    who = "server" if pid == self.server_pid else container_of(pid)
                    self.peaks[who] = max(self.peaks.get(who, 0), int(lines["VmHWM"].split()[0]) / 1024)
            except (OSError, KeyError, ValueError):
                pass  # the process ended during the sample


def container_of(pid):
    path = pathlib.Path(f"/proc/{pid}/cgroup").read_text().strip().rsplit("/", 1)[-1]
    return path.removeprefix("docker-").removesuffix(".scope")[:12]


def travelled(docker, container):
    """Bytes that the container's network interface received and sent since it was started."""
    lines = docker("exec", container, "cat", "/proc/net/dev").splitlines()
    fields = next(line.split(":", 1)[1].split() for line in lines if line.strip().startswith("eth0"))
    return int(fields[0]) + int(fields[8])


class VsCode:
    """Requests VS Code through the gateway repeatedly, and records when it responded and when not."""

    def __init__(self, port, host, cookie):
        self.port, self.headers, self.seen, self.over = port, {"Host": host, "Cookie": cookie, "Accept": "*/*"}, [], threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers=self.headers)
            response = connection.getresponse()
            return response.status == 200 and b'"status"' in response.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def watch(self):
        while not self.over.wait(0.03):
            is_there = self.answers()
            self.seen.append((time.time(), is_there))

    def first_answer_after(self, moment):
        """The first one after VS Code had been away. The last write may come a little before or after the first failure."""
        failures = [at for at, is_there in self.seen if not is_there and at > moment - 5]
        if not failures:
            raise SystemExit("VS Code was never unavailable: the probe requests something else")
        return next(at for at, is_there in self.seen if is_there and at > max(moment, failures[0]))


TICK = "/home/coder/ticks"
WRITE = r"""use Time::HiRes qw(sleep time); unlink($ARGV[0]); open(my $file, '>>', $ARGV[0]) or die $!; $file->autoflush(1);
for (my $n = 1;; ++$n) { printf $file "%d %.6f\n", $n, time or exit; sleep(0.01) }"""


def start_writer(container):
    return subprocess.Popen(["docker", "exec", "-u", "coder", container, "perl", "-MIO::Handle", "-e", WRITE, TICK], stderr=subprocess.DEVNULL)


def last_write(docker, container):
    """When the last line that arrived was written, and how many there are; none may be missing."""
    lines = docker("exec", container, "cat", TICK).splitlines()
    counted = [int(line.split()[0]) for line in lines]
    if counted != list(range(1, len(counted) + 1)):
        raise SystemExit(f"lines are missing at the target: {len(counted)} of {counted[-1]}")
    return float(lines[-1].split()[1]), len(counted)
