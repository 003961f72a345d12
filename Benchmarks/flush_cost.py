"""What bringing a counter's cell into the store costs: CPU of the agent and of Redis.

    make bench                                          a table, and figures as JSON in .build/bench/flush_cost.json
    python3 Benchmarks/flush_cost.py --before PATH      the same beside another release binary, turn by turn

Every load is sent over HTTP, a window at a time, and each is waited for until the store has it; so the figures hold all that
a flush costs: counting, folding, batches, the spool with its syncs, the way to the store and back. CPU time is that of all
threads, user and system, over the cells that `hailwhale_cells_flushed_total` counts. A line has three tags, which are seven
groups.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

BINARY = os.environ.get("HAILWHALE_BINARY", ".build/release/hailwhale")
RESULT = os.environ.get("HAILWHALE_FLUSH_RESULT", ".build/bench/flush_cost.json")
STANDARD = "10s:1h,1m:1d,1h:31d,1d:2y"
# Seconds ago at which series are counted before, so that each is in its third bucket of a chunk and more.
EARLIER = [2 * 86_400, 86_400, 7_200, 3_600, 120, 60, 20, 10, 0]


def say(text):
    """Progress, for a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def cpu_seconds(pid):
    """CPU time of a process, to the nanosecond."""
    folder = f"/proc/{pid}/task"
    return sum(int(open(f"{folder}/{task}/schedstat").read().split()[0]) for task in os.listdir(folder)) / 1e9


class Pair:
    """A redis-server without a disk and an agent on it, in a folder of their own."""

    def __init__(self, binary, resolutions):
        self.folder = tempfile.mkdtemp()
        socket = self.folder + "/redis.sock"
        self.redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL)
        while not os.path.exists(socket):
            time.sleep(0.01)
        self.agent = subprocess.Popen(
            [binary, "run", "--udp", "none", "--http", "127.0.0.1:0", "--data", self.folder + "/data", "--window", "60",
             "--store", "redis+unix://" + socket, "--resolutions", resolutions], stderr=subprocess.PIPE, text=True)
        for line in self.agent.stderr:
            if found := re.search(r"transport=http address=(\S+)", line):
                self.http = found.group(1)
            if "msg=ready" in line:
                return
        raise SystemExit(f"{binary} did not start")

    def close(self):
        for process in (self.agent, self.redis):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder)

    def flushed(self):
        text = urllib.request.urlopen(f"http://{self.http}/metrics", timeout=60).read().decode()
        return int(re.search(r"^hailwhale_cells_flushed_total (\d+)", text, re.M).group(1))

    def count(self, body, lines):
        request = urllib.request.Request(f"http://{self.http}/lines?wait=store", body, method="POST")
        answer = json.load(urllib.request.urlopen(request, timeout=60))
        assert answer == {"accepted": lines, "rejected": []}, answer

    def cost(self, bodies, lines):
        """Microseconds a cell of the agent and of Redis, and how many cells."""
        cells = self.flushed()
        agent, redis = cpu_seconds(self.agent.pid), cpu_seconds(self.redis.pid)
        for body in bodies:
            self.count(body, lines)
        agent, redis = cpu_seconds(self.agent.pid) - agent, cpu_seconds(self.redis.pid) - redis
        # The last are counted just behind the answer.
        time.sleep(0.1)
        cells = self.flushed() - cells
        return agent / cells * 1e6, redis / cells * 1e6, cells


def window(subjects, at=None):
    """One line of each subject."""
    when = "" if at is None else f"|T{at}"
    return "\n".join(
        f"s{number}.n:1|c|#k0:v{number % 50},k1:v{number % 49},k2:v{number % 47}{when}"
        for number in subjects).encode()


class Strips:
    """The same series again: four resolutions in strips, the total in a page."""

    name, resolutions, series = "the same series again, in strips", STANDARD, 10_000

    def prepare(self, pair):
        now = int(time.time())
        for ago in EARLIER:
            # Fewer at once than a window takes with times of their own.
            pair.count(window(range(self.series), now - ago), self.series)

    def bodies(self, turn):
        return [window(range(self.series))] * 3


class Pages:
    """The same series again: their first bucket in every resolution."""

    name, resolutions, series = "the same series again, in pages", "1h:31d,1d:2y", 30_000

    def prepare(self, pair):
        pair.count(window(range(self.series)), self.series)

    def bodies(self, turn):
        return [window(range(self.series))] * 2


class Once:
    """Series that were never seen before."""

    name, resolutions, series = "seen once", STANDARD, 10_000

    def prepare(self, pair):
        pair.count(b"warm.up:1|c", 1)

    def bodies(self, turn):
        return [window(range(turn * self.series, (turn + 1) * self.series))]


def measure(load, binaries, turns):
    """Figures of each binary for one load; they take turns, so that what else runs is the same for all."""
    with contextlib.ExitStack() as stack:
        pairs = {}
        for name, binary in binaries.items():
            say(f"{load.name}: {name} gets ready")
            pairs[name] = Pair(binary, load.resolutions)
            stack.callback(pairs[name].close)
            load.prepare(pairs[name])
        figures = {name: [] for name in binaries}
        for turn in range(turns):
            for name, pair in pairs.items():
                say(f"{load.name}: {name}, turn {turn + 1} of {turns}")
                figures[name].append(pair.cost(load.bodies(turn), load.series))
    say("")
    return {
        name: {
            "agent": statistics.median(turn[0] for turn in rows), "redis": statistics.median(turn[1] for turn in rows),
            "agent_range": [min(turn[0] for turn in rows), max(turn[0] for turn in rows)],
            "redis_range": [min(turn[1] for turn in rows), max(turn[1] for turn in rows)],
            "cells": sum(turn[2] for turn in rows),
        } for name, rows in figures.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--before", metavar="PATH", help="another release binary, measured turn by turn with this one")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    binaries = ({"before": options.before} if options.before else {}) | {"now": BINARY}
    result = {"load_average": os.getloadavg(), "loads": {}}
    print(f"{'µs of CPU a cell, median of ' + str(options.turns) + ' turns':<36}{'agent':>22}{'Redis':>22}{'cells':>12}")
    for load in (Strips(), Pages(), Once()):
        result["loads"][load.name] = measure(load, binaries, options.turns)
        for name, figure in result["loads"][load.name].items():
            label = load.name + (f", {name}" if options.before else "")
            agent, redis = (
                f"{figure[who]:.2f} ({figure[who + '_range'][0]:.2f}–{figure[who + '_range'][1]:.2f})"
                for who in ("agent", "redis"))
            print(f"{label:<36}{agent:>22}{redis:>22}{figure['cells']:>12,}", flush=True)
    os.makedirs(os.path.dirname(RESULT) or ".", exist_ok=True)
    with open(RESULT, "w") as file:
        json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
