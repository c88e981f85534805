"""What benchmarks share: programs that end with the benchmark, processor time, load by wrk, ratios."""
import atexit
import contextlib
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a browser sends with a request of a page of VS Code.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-US,en;q=0.9",
    "Referer": "http://ws.localhost:7420/",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
}


def require(*programs):
    """Ends this program when one of them was not built."""
    for program in programs:
        if not pathlib.Path(program).exists():
            sys.exit(f"{program} is missing: build it first (cmake --preset release && ninja -C build/release)")


@contextlib.contextmanager
def running(*words, **more):
    process = subprocess.Popen([str(word) for word in words], **more)
    atexit.register(process.kill)  # also after a failure that leaves no time for the context
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def listens(port):
    """Waits until a program does."""
    for _ in range(400):
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port)).close()
        time.sleep(0.02)
    sys.exit(f"nothing listens on port {port}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def application(build):
    """The one behind each proxy of bench/gateway; its port."""
    port = free_port()
    with running(build / "bench/gateway_upstream", port):
        listens(port)
        yield port


@contextlib.contextmanager
def gateway(build, folder, upstream, *certificate):
    """gateway_proxy: its process, and what it prints."""
    with running(build / "bench/gateway_proxy", upstream, folder, *certificate, stdout=subprocess.PIPE, text=True) as process:
        facts = {}
        while "cookie" not in facts:
            line = process.stdout.readline() or sys.exit("gateway_proxy did not start")
            name, facts[name] = line.split()
        yield process, facts


def cpu_seconds(*pids):
    """Of all their threads, in the kernel too. Ended threads are missing: do not use it for a program that ends some."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


class Sample:
    """One run of wrk against a server, and the processor time that the server used."""

    def __init__(self, pid, url, headers, seconds, connections=64):
        words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
        for name, value in headers.items():
            words += ["-H", f"{name}: {value}"]
        before = cpu_seconds(pid)
        done = subprocess.run([*words, url], capture_output=True, text=True, check=True)
        used = cpu_seconds(pid) - before
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            sys.exit(f"requests to {url} failed:\n{done.stdout}")
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
        self.cpu = used / int(re.search(r"(\d+) requests in", done.stdout)[1]) * 1e6  # microseconds per request


def median(samples, value):
    return statistics.median(value(sample) for sample in samples)


def ratio(numerators, denominators, value):
    """Median of the rounds' ratios: both sides of a round saw the same load of the machine."""
    return statistics.median(value(one) / value(other) for one, other in zip(numerators, denominators))


def verdict(name, value, limit, at_most=True):
    """Prints a goal. Whether it was reached."""
    reached = value <= limit if at_most else value >= limit
    print(f"{name}: {value:.3f} (goal: {'at most' if at_most else 'at least'} {limit}){'' if reached else ': NOT REACHED'}")
    return reached
