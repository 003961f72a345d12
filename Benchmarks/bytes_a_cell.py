"""Bytes that a counter's cell takes in Redis: dense (few subjects, every bucket used) and seen once (the long tail).

    make bench            builds the release, starts a redis-server of its own for each load, and prints a table

A cell is (subject, group, metric, resolution, bucket). Memory is what `INFO memory` says more after the load than
before it, keys, expiries and names included.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

BINARY = os.environ.get("HAILWHALE_BINARY", ".build/release/hailwhale")
GROUPS, METRICS, RESOLUTIONS = 5, 3, 5


class Bench:
    """A redis-server and an agent on it, in a folder of their own."""

    def __init__(self, *options):
        self.options = list(options)

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        self.socket = self.folder + "/redis.sock"
        arguments = ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", self.folder]
        self.redis = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        while not os.path.exists(self.socket):
            time.sleep(0.01)
        arguments = [BINARY, "run", "--udp", "none", "--http", "127.0.0.1:0", "--data", self.folder + "/data"]
        store = ["--store", "redis+unix://" + self.socket, *self.options]
        self.agent = subprocess.Popen(arguments + store, stderr=subprocess.PIPE, text=True)
        for line in self.agent.stderr:
            if found := re.search(r"transport=http address=(\S+)", line):
                self.http = found.group(1)
            if "msg=ready" in line:
                return self
        raise SystemExit("the agent did not start")

    def __exit__(self, *_):
        for process in (self.agent, self.redis):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder)

    def command(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True, text=True).stdout

    def memory(self):
        return int(re.search(r"used_memory:(\d+)", self.command("info", "memory")).group(1))

    def count(self, lines):
        request = urllib.request.Request(
            f"http://{self.http}/lines?wait=store", "\n".join(lines).encode(), method="POST")
        answer = json.load(urllib.request.urlopen(request, timeout=60))
        assert answer == {"accepted": len(lines), "rejected": []}, answer


def measure(name, bodies, cells):
    with Bench() as bench:
        bench.count(["warm.up:1|c"])
        before, keys = bench.memory(), int(bench.command("dbsize"))
        for body in bodies:
            bench.count(body)
        grown, keys = bench.memory() - before, int(bench.command("dbsize")) - keys
        print(f"{name:<34}{cells:>10,}{keys:>9,}{grown:>13,}{grown / cells:>9.1f}", flush=True)


def once(subjects=20_000, body=2_000):
    for first in range(0, subjects, body):
        yield [f"cust{n}:revenue=12:sales=1|c|#country:US,device:ios" for n in range(first, first + body)]


def dense(now, width, buckets, subjects=20, body=20):
    for first in range(0, buckets, body):
        yield [
            f"shop{subject}:revenue={100 + bucket % 900}:sales=3|c|#country:US,device:ios|T{now - width * bucket}"
            for bucket in range(first, first + body) for subject in range(subjects)
        ]


def buckets(now, width, count, resolution):
    """How many buckets of a resolution the times reach."""
    return len({(now - width * number) // resolution for number in range(count)}) if resolution else 1


if __name__ == "__main__":
    now = int(time.time())
    print(f"{'load':<34}{'cells':>10}{'keys':>9}{'bytes':>13}{'a cell':>9}")
    measure("seen once: 20,000 subjects", once(), 20_000 * GROUPS * METRICS * RESOLUTIONS)
    for width, count in ((60, 1_400), (10, 350)):
        # Ten seconds are kept for an hour: older times have no such cell.
        kept = {10: min(count, 3_600 // width), 60: count, 3_600: count, 86_400: count, 0: count}
        cells = sum(buckets(now, width, kept[resolution], resolution) for resolution in kept)
        name = f"dense: 20 subjects, {count:,} times {width} s"
        measure(name, dense(now, width, count), cells * 20 * GROUPS * METRICS)
    sys.exit(0)
