"""One seeded schedule: traffic, faults in the middle of it, then everything is made whole and compared."""

import collections
import contextlib
import heapq
import os
import random
import shutil
import signal
import socket
import tempfile
import time

import redis

import cells
from agent import PATIENCE_SECONDS, Agent, embedded_stores, total
from clock import Clock, library
from proxy import Proxy
from store import Store
from strikes import FAULTS, Failure, Strikes
from traffic import ACKNOWLEDGED, ROOT, TAKEN, UNKNOWN, CountNow, Datagrams, Gate, Lines, Retries

TRAFFIC_SECONDS = 1.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Schedule(Strikes):
    """What a seed decides is what strikes, when and for how long; threads and the kernel decide the rest."""

    # How long what is missing may take to come.
    PATIENCE_SECONDS = 15

    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)
        self.struck = collections.Counter()
        self.figures = collections.Counter()
        self.log = []
        self.folder = tempfile.mkdtemp(prefix="hw-", dir="/tmp")
        self.is_embedded = self.random.random() < 0.12
        self.fsync = self.random.choice(["always", "everysec", "no"])
        self.clock = Clock(self.folder) if library() and self.random.random() < 0.3 else None
        self.gate, self.writers, self.heap = Gate(), [], []
        self.proxy, self.stores, self.agent = None, [], None
        # What is not as it should be, so that no fault strikes what is struck already.
        self.busy = set()

    # MARK: The stage

    def _scene(self):
        """What is to be seen where a schedule failed."""
        state = ""
        try:
            state = self.agent.get("/status").text
        except Exception:  # It may be gone.
            pass
        lines = self.log[-10:] + ["--\n"] + self.agent.log[-15:] if self.agent else []
        return f"fsync {self.fsync}, struck {dict(self.struck)}\n{state}\n{''.join(lines)}"

    def run(self):
        """Plays the schedule; raises `Failure` where something counted otherwise than it may."""
        try:
            self._open()
            self._play()
            self._heal()
            self._compare()
            return self
        except Exception as error:
            raise Failure(f"{type(error).__name__}: {error}\n{self._scene()}") from error
        finally:
            self._close()

    def _store(self):
        store = Store(
            f"{self.folder}/store{len(self.stores)}", "--appendfsync", self.fsync, "--port", str(free_port()),
            "--bind", "127.0.0.1", "--busy-reply-threshold", "50", "--repl-diskless-sync-delay", "0",
            env=self.clock.env if self.clock else None)
        self.stores.append(store)
        return store.start()

    @property
    def store(self):
        return self.stores[-1]

    def _open(self):
        arguments = ["--window", self.random.choice(["0.1", "0.1", "0.3", "1"]), "--lanes", self.random.choice("12")]
        if not self.is_embedded:
            self._store()
            self.proxy = Proxy(f"{self.folder}/proxy.sock", self.store.path).start()
            arguments += ["--store", f"redis+unix://{self.folder}/proxy.sock"]
        self.agent = Agent(self.folder + "/data", *arguments, env=self.clock.env if self.clock else None)
        self.agent.start()
        self.gate.opened(self.agent)
        pause, seed = 0.012, lambda: random.Random(self.random.random())
        self.writers = [
            Lines("spool", self.gate, seed(), pause, "spool"), Lines("store", self.gate, seed(), pause, "store"),
            Lines("none", self.gate, seed(), pause, None), CountNow("now", self.gate, seed(), pause),
            Retries("retry", self.gate, seed(), pause), Datagrams("udp", self.gate, seed(), pause)]
        for writer in self.writers:
            writer.start()

    def _close(self):
        for writer in self.writers:
            writer.ends.set()
        if self.agent and self.agent.process:
            self._signal(signal.SIGCONT)
            self.agent.kill()
            for child in embedded_stores(self.agent.data):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        if self.proxy:
            self.proxy.stop()
        for store in self.stores:
            store.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    # MARK: Faults

    def _play(self):
        kinds = EMBEDDED if self.is_embedded else EVERY
        if self.clock:
            kinds = kinds + ["clock"] * 4
        began = time.monotonic()
        for _ in range(self.random.randint(1, 5)):
            self._after(self.random.uniform(0, TRAFFIC_SECONDS * 0.8), self.random.choice(kinds))
        while self.heap and time.monotonic() < began + 4 * TRAFFIC_SECONDS:
            at, _, step = heapq.heappop(self.heap)
            time.sleep(max(0, began + at - time.monotonic()))
            if callable(step):
                step()
            else:
                self._strike(step, time.monotonic() - began)
        while self.heap:
            _, _, step = heapq.heappop(self.heap)
            if callable(step):
                step()
        time.sleep(max(0, began + TRAFFIC_SECONDS - time.monotonic()))

    def _after(self, at, step):
        heapq.heappush(self.heap, (at, len(self.heap) + self.random.random(), step))

    def _strike(self, kind, now):
        parts = FAULTS[kind]
        if self.busy.intersection(parts):
            return
        self.busy.update(parts)
        self.struck[kind] += 1
        end = getattr(self, "_" + kind)()

        def over():
            if end:
                end()
            self.busy.difference_update(parts)

        self._after(now + self.random.uniform(0.02, 0.35), over)

    # MARK: Healing and comparing

    def _mend_store(self):
        """What is down or stands still would keep a drain waiting."""
        if self.proxy:
            self.proxy.heal()
        self._store_up()

    def _heal(self):
        self._mend_store()
        self._signal(signal.SIGCONT)
        if self.went_back:
            # What went back is seen when it is next connected to, or asked; tests of their own wait for the latter.
            self.proxy.cut()
        for writer in self.writers:
            writer.ends.set()
        for writer in self.writers:
            writer.join(40)
            if writer.is_alive() or writer.failure:
                raise Failure(f"{writer.name}: {writer.failure or 'hangs'}")
        self.agent.await_ready()
        until = time.monotonic() + PATIENCE_SECONDS
        while self.agent.client.post("/flush_hail").status_code != 200:
            if time.monotonic() > until:
                raise Failure("the agent does not flush")
            time.sleep(0.05)
        try:
            self.agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "nothing pending")
        except AssertionError as error:
            raise Failure(str(error)[:300]) from None

    def _compare(self):
        writes = [write for writer in self.writers for write in writer.writes]
        for write in writes:
            if write.fate == TAKEN and write.epoch in self.gate.killed:
                write.fate = UNKNOWN
        subjects = [subject for write in writes for subject in write.subjects()]
        sums = [(ROOT, writer.name) for writer in self.writers] + [(ROOT,)]
        until = time.monotonic() + self.PATIENCE_SECONDS
        while True:
            client = redis.Redis(unix_socket_path=f"{self.folder}/data/store/store.sock") if self.is_embedded \
                else self.store.client
            values = cells.hits(client, subjects + sums)
            read = dict(zip(subjects + sums, values))
            missing, wrong = judge(writes, self.writers, read)
            if wrong or not missing or time.monotonic() > until:
                break
            time.sleep(0.05)
        lines = self.log + self.agent.log
        errors = [line.strip() for line in lines if line.startswith("level=error")]
        if wrong or missing:
            raise Failure(f"{(wrong + missing)[:3]} ({len(wrong)} too many, {len(missing)} missing); {errors[:3]}")
        if errors:
            raise Failure(f"the log has {errors[:3]}")
        samples = self.agent.metrics()
        for name in ["events_lost_total", "events_reverted_total", "cells_dead_total", "datagrams_kernel_dropped_total"]:
            if total(samples, "hailwhale_" + name):
                raise Failure(f"{name}: {samples}")
        self._books(samples)
        self.figures["sent"] += sum(write.parts for write in writes)
        self.figures["acknowledged"] += sum(write.parts for write in writes if write.fate in (ACKNOWLEDGED, TAKEN))
        self.figures["stored"] += read[ROOT,]
        for reason in ["lost", "reverted"]:
            self.figures[reason] += int(total(samples, f"hailwhale_events_{reason}_total"))

    @staticmethod
    def _books(samples):
        accepted = total(samples, "hailwhale_events_accepted_total")
        parts = [total(samples, f"hailwhale_events_{name}") for name in ["stored_total", "used_total", "pending"]]
        if accepted != sum(parts):
            raise Failure(f"the ledger does not close: {accepted} accepted, {parts} stored, used, pending")


def judge(writes, writers, read):
    """What is missing and what is wrong for good, a sentence each."""
    missing, wrong = [], []
    for write in writes:
        least, most = write.allowed()
        counts = [read[subject] for subject in write.subjects()]
        once = [write.parts] + [1] * write.parts
        if counts == once and most == 1 or not any(counts) and least == 0:
            continue
        is_over = any(count > limit * most for count, limit in zip(counts, once))
        (wrong if is_over else missing).append(f"{write.fate} {'.'.join(write.subject)} of {write.parts}: {counts}")
    for writer in writers:
        every = sum(read[write.subject] for write in writer.writes)
        if read[ROOT, writer.name] != every:
            missing.append(f"{writer.name} adds up to {every} and reads {read[ROOT, writer.name]}")
    if read[ROOT,] != sum(read[ROOT, writer.name] for writer in writers):
        missing.append(f"all reads {read[ROOT,]}")
    return missing, wrong


EVERY = [kind for kind in FAULTS if kind != "clock"] + ["agent_kill"] * 3
EMBEDDED = ["agent_kill", "agent_term", "agent_stop", "both_kill", "store_kill", "store_term", "store_stop"]
