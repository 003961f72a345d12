"""Writers by every way in, and what each of their writes may have become."""

import http.client
import json
import socket
import threading
import time
import urllib.parse

# What the caller of a write knows.
ACKNOWLEDGED = "acknowledged"
# Told that it is counted in memory: safe once the agent drained or flushed, unless it was killed before.
TAKEN = "taken"
# No answer, or one that says so.
UNKNOWN = "unknown"
# An error that promises that nothing was counted.
REFUSED = "refused"

ROOT = "x"


class Write:
    """One request or datagram: a subject of its own, a child for each of its lines, one hit each."""

    __slots__ = ("subject", "parts", "fate", "epoch")

    def __init__(self, writer, number, parts):
        self.subject = (ROOT, writer, f"b{number}")
        self.parts = parts
        self.fate, self.epoch = UNKNOWN, None

    def subjects(self):
        return [self.subject] + [(*self.subject, f"s{place}") for place in range(self.parts)]

    @property
    def body(self):
        name = ".".join(self.subject)
        return "\n".join(f"{name}.s{place}:hits=1|c|#d:v{place}" for place in range(self.parts))

    def allowed(self):
        """The smallest and the largest number of times that it may count."""
        return {ACKNOWLEDGED: (1, 1), TAKEN: (1, 1), UNKNOWN: (0, 1), REFUSED: (0, 0)}[self.fate]


class Gate:
    """Which run of the agent is on, and whether datagrams may be sent to it.

    A run that is killed takes with it what it only held in memory.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.epoch = 0
        self.is_open = False
        self.killed = set()
        # Where new connections go; nowhere while no agent is up: its port may be another's by then.
        self.http = self.udp = None

    def opened(self, agent):
        with self.lock:
            self.epoch += 1
            self.http, self.udp, self.is_open = agent.http, agent.udp_address, True

    def close(self, is_kill):
        with self.lock:
            self.http, self.is_open = None, False
            if is_kill:
                self.killed.add(self.epoch)


class Writer(threading.Thread):
    """Writes one after the other until it is told to end."""

    TIMEOUT_SECONDS = 4

    def __init__(self, name, gate, source, pause):
        super().__init__(daemon=True, name=name)
        self.gate, self.source, self.pause = gate, source, pause
        self.writes, self.ends, self.failure = [], threading.Event(), None
        # Events sent so far.
        self.events = 0
        self._connection = self._address = None

    def run(self):
        try:
            while not self.ends.is_set():
                if self.gate.http or self._connection:
                    self.step()
                self.ends.wait(self.source.uniform(0, 2 * self.pause))
            self.finish()
        except Exception as error:  # Told by the schedule's own thread.
            self.failure = error

    def finish(self):
        pass

    def new(self, parts):
        write = Write(self.name, len(self.writes), parts)
        write.epoch = self.gate.epoch
        self.writes.append(write)
        self.events += parts
        return write

    def call(self, path, body=None, headers=None):
        """(status, text); (None, True) without an answer, (None, False) where nothing can have been sent."""
        address = self.gate.http
        if address and address != self._address:
            self._drop()
        if self._connection is None:
            if not address:
                return None, False
            host, port = address.rsplit(":", 1)
            self._connection = http.client.HTTPConnection(host, int(port), timeout=self.TIMEOUT_SECONDS)
            self._address = address
            try:
                self._connection.connect()
            except OSError:
                self._drop()
                return None, False
        try:
            self._connection.request("POST" if body is not None else "GET", path, body, headers or {})
            answer = self._connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            self._drop()
            return None, True

    def _drop(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def judge(self, write, status, text, good):
        if status == 200:
            write.fate = good
        elif status is None:
            write.fate = UNKNOWN if text else REFUSED
        elif json.loads(text)["error"]["code"] != "unknown":
            write.fate = REFUSED
        if write.fate == REFUSED:
            time.sleep(0.01)


class Lines(Writer):
    """`POST /lines` at one level of waiting, or at none."""

    def __init__(self, name, gate, source, pause, wait, parts=(1, 5)):
        super().__init__(name, gate, source, pause)
        self.wait, self.range = wait, parts

    def step(self):
        write = self.new(self.source.randint(*self.range))
        status, text = self.call("/lines" + (f"?wait={self.wait}" if self.wait else ""), write.body.encode())
        self.judge(write, status, text, ACKNOWLEDGED if self.wait else TAKEN)


class CountNow(Writer):
    """`/count_now`."""

    def step(self):
        write = self.new(1)
        pk = urllib.parse.quote(json.dumps([*write.subject, "s0"]))
        status, text = self.call(f"/count_now?pk={pk}")
        self.judge(write, status, text, ACKNOWLEDGED)


class Retries(Writer):
    """Writes with an `Idempotency-Key`, sent again until they are acknowledged, and sometimes once more."""

    GIVES_UP_SECONDS = 25

    def step(self):
        write = self.new(self.source.randint(1, 4))
        ends = time.monotonic() + self.GIVES_UP_SECONDS
        times = self.source.choice([1, 1, 2])
        while times and time.monotonic() < ends:
            path = "/lines?wait=" + self.source.choice(["spool", "store"])
            status, _ = self.call(path, write.body.encode(), {"Idempotency-Key": ".".join(write.subject)})
            if status == 200:
                write.fate = ACKNOWLEDGED
                times -= 1
            else:
                time.sleep(0.02)
        assert write.fate == ACKNOWLEDGED, "a write was not acknowledged, however often it was tried"


class Datagrams(Writer):
    """Lines over UDP, at times followed by a flush that makes them safe."""

    def __init__(self, name, gate, source, pause, burst=8, parts=(1, 3)):
        super().__init__(name, gate, source, pause)
        self.burst, self.range, self.sent_epoch = burst, parts, None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def step(self):
        with self.gate.lock:
            if not self.gate.is_open:
                return
            self.sent_epoch = self.gate.epoch
            for _ in range(self.source.randint(1, self.burst)):
                write = self.new(self.source.randint(*self.range))
                self.socket.sendto(write.body.encode(), self.gate.udp)
                write.fate = TAKEN
        if self.source.random() < 0.3:
            self.make_safe()

    def make_safe(self):
        """Waits until the agent has judged every line of its run, then flushes: those survive whatever comes."""
        count, epoch, until = len(self.writes), self.sent_epoch, time.monotonic() + 1
        while time.monotonic() < until and not self.ends.is_set():
            status, text = self.call("/metrics")
            if status != 200 or epoch != self.gate.epoch:
                return
            if self.taken(text) >= sum(1 for write in self.writes if write.epoch == epoch):
                break
            time.sleep(0.005)
        else:
            return
        if self.call("/flush_hail", b"")[0] == 200 and epoch == self.gate.epoch:
            for write in self.writes[:count]:
                if write.epoch == epoch:
                    write.fate = ACKNOWLEDGED

    @staticmethod
    def taken(text):
        for line in text.splitlines():
            if line.startswith('hailwhale_datagrams_total{transport="udp"}'):
                return float(line.rsplit(" ", 1)[1])
        return 0
