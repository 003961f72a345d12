"""Starts the release binary, reads where it listens, talks to it, and stops it by its process id."""

import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("HAILWHALE_BINARY", str(ROOT / ".build/release/hailwhale"))
# More of it for an agent that a sanitizer slows down.
PATIENCE_SECONDS = int(os.environ.get("HAILWHALE_PATIENCE", "20"))
# What a sanitizer is told, and that its agent has memory of the sanitizer's own: freed blocks are kept, shadows are added.
SANITIZER = [name for name in ("ASAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ]


def environment(extra=None):
    """The environment of a command: nothing of the caller's HAILWHALE_… may leak into a test."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HAILWHALE_")}
    return clean | (extra or {})


def command(*arguments, stdin="", env=None, timeout=PATIENCE_SECONDS):
    """Runs a command to its end."""
    return subprocess.run(
        [BINARY, *arguments], input=stdin, capture_output=True, text=True, timeout=timeout, env=environment(env)
    )


def fields(line):
    """The `key=value` pairs of one line of the log."""
    try:
        words = shlex.split(line)
    except ValueError:
        return {}
    return dict(word.split("=", 1) for word in words if "=" in word)


# What a service manager does between fork and exec: descriptors from 3 on, and the process id that only it knows.
HANDOVER = """
import fcntl, os, sys
numbers, names, program = sys.argv[1], sys.argv[2], sys.argv[3:]
numbers = [int(number) for number in numbers.split(",") if number]
kept = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 100) for number in numbers]
for number in numbers:
    os.close(number)
for place, number in enumerate(kept):
    os.dup2(number, 3 + place)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=names)
os.execv(program[0], program)
"""


class Agent:
    """One running agent. Ports are free ones, read from its start-up lines."""

    # Sockets that it is handed over, with their names; those of a test's own, which outlive it.
    handed = []

    def __init__(self, data, *arguments, env=None, udp="127.0.0.1:0", http="127.0.0.1:0"):
        self.data = pathlib.Path(data)
        self.arguments = ["--udp", udp, "--http", http, "--data", str(self.data), *arguments]
        self.env = env
        self.process = None
        self.log = []
        self.udp = None
        self.http = None

    def start(self, is_awaited=True):
        """Starts the agent and waits until it is ready, or only until it listens."""
        self.log, self.udp, self.http, self.is_ready = [], None, None, False
        self._ready, self._listening = threading.Event(), threading.Event()
        command, numbers = [BINARY, "run", *self.arguments], [held.fileno() for held, _ in self.handed]
        if self.handed:
            names = ":".join(name for _, name in self.handed)
            command = [sys.executable, "-c", HANDOVER, ",".join(map(str, numbers)), names, *command]
        self.process = subprocess.Popen(
            command, pass_fds=numbers,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace", env=environment(self.env),
        )
        self._reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        if is_awaited:
            self.await_ready()
        elif not self._listening.wait(PATIENCE_SECONDS):
            self.kill()
            raise AssertionError("the agent does not listen:\n" + "".join(self.log))
        self.client = httpx.Client(base_url=f"http://{self.http}", timeout=PATIENCE_SECONDS, trust_env=False)
        return self

    def await_ready(self):
        if not self._ready.wait(PATIENCE_SECONDS) or not self.is_ready:
            self.kill()
            raise AssertionError("the agent did not become ready:\n" + "".join(self.log))

    def _read(self, stream):
        for line in stream:
            self.log.append(line)
            values = fields(line)
            if values.get("msg") == "listening":
                setattr(self, values["transport"], values["address"])
                if values["transport"] == "http":
                    self._listening.set()
            elif values.get("msg") == "ready":
                self.is_ready = True
                self._ready.set()
        # Its stderr ended, so nobody need wait any longer.
        self._ready.set()
        self._listening.set()

    @property
    def udp_address(self):
        host, port = self.udp.rsplit(":", 1)
        return host.strip("[]"), int(port)

    def terminate(self):
        """Drains: what was taken is in the store or in the spool when this returns."""
        return self._end(signal.SIGTERM)

    def kill(self):
        """Stops without any chance to flush."""
        return self._end(signal.SIGKILL)

    def _end(self, number):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        self.process.stderr.close()
        if getattr(self, "client", None):
            self.client.close()
        return code

    def stop(self):
        """Ends the agent and the store that it leaves behind for the next one."""
        try:
            self.terminate()
        except subprocess.TimeoutExpired:
            self.kill()
        for child in embedded_stores(self.data):
            end_process(child)

    # What users do.

    def send(self, *datagrams):
        """Sends datagrams over UDP."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for datagram in datagrams:
                sender.sendto(datagram if isinstance(datagram, bytes) else datagram.encode(), self.udp_address)

    def lines(self, body, wait=None, **headers):
        parameters = {"wait": wait} if wait else {}
        body = body if isinstance(body, bytes) else body.encode()
        return self.client.post("/lines", params=parameters, content=body, headers=headers)

    def flush(self):
        answer = self.client.post("/flush_hail")
        assert (answer.status_code, answer.text.strip()) == (200, "OK"), answer.text

    def get(self, path, **parameters):
        return self.client.get(path, params=parameters)

    def totals(self, **parameters):
        answer = self.get("/totals", **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def plotpoints(self, **parameters):
        answer = self.get("/plotpoints", **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def metrics(self):
        """Every sample of /metrics by its name and labels."""
        answer = self.client.get("/metrics")
        assert answer.status_code == 200, answer.text
        samples = {}
        for line in answer.text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                assert name not in samples, f"{name} stands twice"
                samples[name] = float(value)
        return samples

    def until(self, claim, what):
        """Waits until a claim about /metrics holds: for what has no answer to wait for, such as a datagram."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            samples = self.metrics()
            if claim(samples):
                return samples
            assert time.monotonic() < deadline, f"{what} did not come true: {samples}"
            time.sleep(0.02)

    def until_lines(self, count):
        """Waits until this many lines have been judged since the start."""
        return self.until(lambda samples: total(samples, "hailwhale_lines_total") >= count, f"{count} lines")


def total(samples, name, **labels):
    """The sum of a metric's samples that carry these labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        value
        for sample, value in samples.items()
        if re.split(r"[{ ]", sample)[0] == name and all(label in sample for label in wanted)
    )


def embedded_stores(data):
    """Process ids of redis-servers that work under a data folder."""
    found = []
    folder = os.path.realpath(data)
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                place = os.readlink(entry / "cwd")
            except OSError:
                continue
            if "redis-server" in line and (folder in line or place == folder or place.startswith(folder + "/")):
                found.append(int(entry.name))
    return found


def end_process(pid):
    """Ends one process by its id and waits until it is gone."""
    try:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
            os.kill(pid, 0)
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError):
        pass
