"""Two hundred thousand events, fifty kills of agent and store, and nothing counted but once."""

import os
import random
import shutil
import signal
import tempfile
import time

import cells
from agent import PATIENCE_SECONDS, Agent, total
from schedule import judge
from store import Store
from strikes import Failure
from traffic import ACKNOWLEDGED, ROOT, TAKEN, UNKNOWN, Datagrams, Gate, Lines

SIGNALS = [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM]


class BlackBox:
    """An agent on a redis-server with `appendfsync always`; writers until enough events are sent, kills all along."""

    def __init__(self, seed, events, kills, folder):
        self.random, self.events, self.kills = random.Random(seed), events, kills
        self.store = Store(folder + "/redis", "--appendfsync", "always")
        self.agent = Agent(folder + "/data", "--store", self.store.url, "--window", "0.1")
        self.gate, self.log, self.struck = Gate(), [], {}
        self.is_clear = True

    def run(self, tell):
        self.store.start()
        self.agent.start()
        self.gate.opened(self.agent)
        self.writers = [
            Lines(f"spool{number}", self.gate, random.Random(number), 0.015, "spool", parts=(20, 60)) for number in range(3)
        ] + [Datagrams("udp", self.gate, random.Random(9), 0.015, burst=8, parts=(10, 20))]
        for writer in self.writers:
            writer.start()
        for number in range(1, self.kills + 1):
            # Kills keep step with the events, so that the last ones fall among the last events.
            while self.sent < self.events * number / (self.kills + 1):
                self._check_writers()
                time.sleep(0.005)
            self._kill()
            if number % 10 == 0:
                tell(f"{number} kills, {self.sent} events sent")
        while self.sent < self.events:
            self._check_writers()
            time.sleep(0.005)
        for writer in self.writers:
            writer.ends.set()
        for writer in self.writers:
            writer.join(PATIENCE_SECONDS)
        self._check_writers()
        self.agent.await_ready()
        # A busy machine may take its time for what waits.
        deadline = time.monotonic() + 6 * PATIENCE_SECONDS
        while total(samples := self.agent.metrics(), "hailwhale_events_pending") > 0:
            if time.monotonic() > deadline:
                raise Failure(f"still pending: {samples}")
            time.sleep(0.1)
        return self._compare(samples)

    @property
    def sent(self):
        return sum(writer.events for writer in self.writers)

    def _check_writers(self):
        for writer in self.writers:
            if writer.failure:
                raise writer.failure

    def _kill(self):
        number, whom = self.random.choice(SIGNALS), self.random.choice(["agent", "store", "both"])
        name = f"{signal.Signals(number).name} {whom}"
        self.struck[name] = self.struck.get(name, 0) + 1
        strikes_agent, strikes_store = whom != "store", whom != "agent"
        if strikes_agent and number != signal.SIGSTOP:
            self.gate.close(is_kill=number == signal.SIGKILL)
        if strikes_store:
            self.store.process.send_signal(number)
        if strikes_agent:
            self.agent.process.send_signal(number)
        time.sleep(self.random.uniform(0.01, 0.25))
        if strikes_store and number == signal.SIGSTOP:
            self.store.process.send_signal(signal.SIGCONT)
        elif strikes_store:
            self.store.process.wait(PATIENCE_SECONDS)
            self.store.client.close()
            self.store.start()
        if strikes_agent and number == signal.SIGSTOP:
            self.agent.process.send_signal(signal.SIGCONT)
        elif strikes_agent:
            # A second TERM would end the drain.
            code = self.agent.process.wait(PATIENCE_SECONDS)
            self.agent.kill()
            if number == signal.SIGTERM and code != 0:
                raise Failure(f"TERM ended with {code}: {''.join(self.agent.log[-6:])}")
            self.log += self.agent.log
            self.agent.start(is_awaited=False)
            self.gate.opened(self.agent)

    def _compare(self, samples):
        writes = [write for writer in self.writers for write in writer.writes]
        for write in writes:
            if write.fate == TAKEN and write.epoch in self.gate.killed:
                write.fate = UNKNOWN
        subjects = [subject for write in writes for subject in write.subjects()]
        sums = [(ROOT, writer.name) for writer in self.writers] + [(ROOT,)]
        read = dict(zip(subjects + sums, cells.hits(self.store.client, subjects + sums)))
        missing, wrong = judge(writes, self.writers, read)
        errors = [line.strip() for line in self.log + self.agent.log if line.startswith("level=error")]
        if missing or wrong or errors:
            raise Failure(f"{len(wrong)} too many, {len(missing)} missing: {(wrong + missing)[:5]}; {errors[:3]}")
        lost = sum(total(samples, f"hailwhale_events_{name}_total") for name in ["lost", "reverted"])
        if lost or total(samples, "hailwhale_datagrams_kernel_dropped_total"):
            raise Failure(f"lost or reverted: {samples}")
        sums = {fate: sum(write.parts for write in writes if write.fate == fate) for fate in [ACKNOWLEDGED, TAKEN, UNKNOWN]}
        stored = {fate: sum(read[write.subject] for write in writes if write.fate == fate) for fate in sums}
        datagrams = [write for write in self.writers[-1].writes if write.fate == UNKNOWN]
        return {
            "events sent": sum(write.parts for write in writes), "acknowledged": sums[ACKNOWLEDGED] + sums[TAKEN],
            "of these stored": stored[ACKNOWLEDGED] + stored[TAKEN], "without an answer": sums[UNKNOWN],
            "of these stored ": stored[UNKNOWN], "stored": read[ROOT,],
            "UDP lines in windows that were open at a SIGKILL": sum(write.parts for write in datagrams),
            "of these lost": sum(write.parts - read[write.subject] for write in datagrams)}

    def close(self):
        for writer in getattr(self, "writers", []):
            writer.ends.set()
        if self.agent.process and self.agent.process.poll() is None:
            self.agent.process.send_signal(signal.SIGCONT)
            self.agent.kill()
        self.store.end()


def main(seed, events, kills, tell=print):
    folder = tempfile.mkdtemp(prefix="hw-", dir="/tmp")
    box, began = BlackBox(seed, events, kills, folder), time.monotonic()
    try:
        figures = box.run(tell)
    except Exception as error:  # Told, with the seed, whatever it is.
        tell(f"black box FAILED with seed {seed}: {type(error).__name__}: {error}")
        return False
    finally:
        box.close()
        shutil.rmtree(folder, ignore_errors=True)
    tell(f"black box, seed {seed}: {sum(box.struck.values())} kills in {time.monotonic() - began:.0f} s: "
         + ", ".join(f"{name} {count}" for name, count in sorted(box.struck.items())))
    for name, count in figures.items():
        tell(f"  {name.strip()}: {count}")
    return True
