"""What the whole agent costs under a steady load with its defaults: receiving, flushing, Redis, and reads meanwhile.

    python3 Benchmarks/whole_agent.py       500,000 lines/s over 100,000 series of three tags for 60 s
    … --seconds 20 --rate 200000 --generator /path/to/another

Sends datagrams of 25 lines, whole turns of all series, so that every series must have the same count at the end. CPU time
is that of all of a process's threads, from the first line until everything is in the store, over the lines sent. A
generator of another make is called as `GENERATOR -t 127.0.0.1:PORT -n DATAGRAMS -l 25 -s SERIES -T 3 -y dog -r RATE -c CPU`.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from line_path import BENCH, BINARY, RECEIVER, SENDER, bar, cpu_seconds, say

LINES = 25
RESULT = os.environ.get("HAILWHALE_BENCH_RESULT", ".build/bench/whole_agent.json")
READS = {"pk": "bench", "depth": 2, "limit": 10, "period": "1m:1h"}


class Pair:
    """A redis-server and an agent with its defaults on it."""

    def __init__(self, folder):
        self.folder, self.store, self.agent = folder, folder + "/redis.sock", None

    def __enter__(self):
        self.redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.store, "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL)
        while not os.path.exists(self.store):
            time.sleep(0.01)
        self.start()
        return self

    def start(self):
        """Seconds until the agent is ready."""
        began = time.monotonic()
        self.agent = subprocess.Popen(
            [BINARY, "run", "--udp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", self.folder + "/data", "--store",
             "redis+unix://" + self.store], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.agent.stderr:
            if found := re.search(r"transport=http address=(\S+)", line):
                self.http = found.group(1)
            if found := re.search(r"transport=udp address=\S+:(\d+)", line):
                self.port = int(found.group(1))
            if "msg=ready" in line:
                break
        else:
            raise SystemExit("the agent did not start")
        # What it logs later must not fill the pipe.
        threading.Thread(target=self.agent.stderr.read, daemon=True).start()
        return time.monotonic() - began

    def ask(self, call, **parameters):
        query = urllib.parse.urlencode(parameters)
        return json.load(urllib.request.urlopen(f"http://{self.http}/{call}?{query}", timeout=60))

    def total(self, metric):
        return self.ask("totals", pk="bench", metrics=metric, periods="all")["all"]["_"][metric]

    def settled(self):
        """What `/status` says once everything is in the store."""
        while (status := self.ask("status"))["events"]["pending"] or self.queued():
            time.sleep(0.1)
        return status

    def queued(self):
        """Bytes that wait in the agent's socket."""
        with open("/proc/net/udp") as table:
            rows = [line.split() for line in table if f":{self.port:04X} " in line]
        return sum(int(row[4].split(":")[1], 16) for row in rows)

    def restart(self):
        """Seconds until the agent is ready again, the median of three starts."""
        times = []
        for _ in range(3):
            self.agent.terminate()
            self.agent.wait()
            times.append(self.start())
        return sorted(times)[1]

    def __exit__(self, *_):
        for process in (self.agent, self.redis):
            if process:
                process.kill()
                process.wait()


def generate(options, port, datagrams, rate, by=None):
    cpu = str(SENDER)
    if options.generator and by is None:
        words = [options.generator, "-t", f"127.0.0.1:{port}", "-n", str(datagrams), "-l", str(LINES), "-s",
                 str(options.series), "-T", "3", "-y", "dog", "-b", "65000", "-r", str(rate), "-c", cpu]
    else:
        words = [BENCH, "send", f"port={port}", f"series={options.series}", f"lines={LINES}", "tags=3",
                 f"datagrams={datagrams}", f"rate={rate}", "prefix=bench", f"cpu={cpu}"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


class Watch:
    """Reads, the socket's queue and the window, looked at while a load runs."""

    def __init__(self, pair, reads):
        self.pair, self.parameters = pair, reads
        self.reads, self.queue, self.windows, self.refused = [], 0, set(), 0
        self.isOver = threading.Event()
        self.threads = [threading.Thread(target=work) for work in (self.read, self.look)]
        for thread in self.threads:
            thread.start()

    def read(self):
        while not self.isOver.wait(0.1):
            began = time.monotonic()
            try:
                self.pair.ask("plotpoints", **self.parameters)
                self.reads.append(time.monotonic() - began)
            except urllib.error.HTTPError:
                self.refused += 1

    def look(self):
        while not self.isOver.wait(0.005):
            self.queue = max(self.queue, self.pair.queued())
            if random.random() < 0.02:
                self.windows.add(self.pair.ask("status")["window_ms"])

    def end(self):
        self.isOver.set()
        for thread in self.threads:
            thread.join()


def sink_holds(options):
    """The highest rate, in datagrams a second, of which a bare sink loses nothing in two seconds; or the sender's limit."""
    held, rate = 0, 20_000
    while True:
        say(f"bare sink: {rate * LINES:,} lines/s")
        sink = subprocess.Popen([BENCH, "sink", f"cpu={RECEIVER}"], stdout=subprocess.PIPE, text=True)
        port = json.loads(sink.stdout.readline())["port"]
        sent = json.loads(generate(options, port, 2 * rate, rate, BENCH).communicate()[0])
        lost = json.loads(sink.communicate()[0])["dropped"]
        achieved = int(sent["datagrams"] / sent["seconds"])
        if lost:
            return held
        if achieved < rate * 0.9:
            return achieved
        held, rate = rate, rate * 5 // 4


def lost_at(options, rate):
    """Datagrams that the kernel drops of an agent's in ten seconds of so many a second."""
    say(f"agent: {rate * LINES:,} lines/s")
    with tempfile.TemporaryDirectory() as folder, Pair(folder) as pair:
        generate(options, pair.port, options.series // LINES, 4_000).wait()
        pair.settled()
        generate(options, pair.port, 10 * rate, rate).wait()
        return pair.settled()["datagrams"]["kernel_dropped"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=500_000, help="lines a second")
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--generator", help="of another make; its subject is bench, its tags k0, k1, k2")
    options = parser.parse_args()
    ring = options.series // LINES
    turns = max(1, options.rate * options.seconds // options.series)
    with tempfile.TemporaryDirectory() as folder, Pair(folder) as pair:
        say("meeting the series")
        generate(options, pair.port, ring, 4_000).wait()
        before = pair.settled()
        known = pair.ask("metrics_of", pk="bench")
        sample = random.Random(1).sample(sorted(name for name in known if re.fullmatch(r"[im]\d*[1-9]", name)), 300)
        once = {name: pair.total(name) for name in sample}
        dimensions = sorted({key.split('"')[1] if key.startswith("[") else key for key in pair.ask("subdimensions", pk="bench")})
        reads = READS | {"metrics": sample[0], "dimensions": dimensions[0]}
        cpu = [cpu_seconds(pair.agent.pid), cpu_seconds(pair.redis.pid)]
        say(f"{turns * ring * LINES:,} lines at {options.rate:,}/s")
        began = time.monotonic()
        sender = generate(options, pair.port, turns * ring, options.rate // LINES)
        watch = Watch(pair, reads)
        sender.wait()
        took = time.monotonic() - began
        watch.end()
        after = pair.settled()
        all_in = time.monotonic() - began
        cpu = [cpu_seconds(pair.agent.pid) - cpu[0], cpu_seconds(pair.redis.pid) - cpu[1]]
        lines = after["lines"]["accepted"] - before["lines"]["accepted"]
        dropped = after["datagrams"]["kernel_dropped"] - before["datagrams"]["kernel_dropped"]
        say("reading back")
        wrong = sum(pair.total(name) != (turns + 1) * count for name, count in once.items())
        text = urllib.request.urlopen(f"http://{pair.http}/metrics").read().decode()
        cells = int(re.search(r"^hailwhale_cells_flushed_total (\d+)", text, re.M).group(1))
        full = pair.restart()
    with tempfile.TemporaryDirectory() as folder, Pair(folder) as pair:
        empty = pair.restart()
    holds = sink_holds(options)
    seventy = lost_at(options, holds * 7 // 10)
    reads = sorted(watch.reads)
    result = {
        "lines": lines, "lines_a_second": lines / took, "datagrams_dropped": dropped, "agent_us_a_line": cpu[0] / lines * 1e6,
        "redis_us_a_line": cpu[1] / lines * 1e6, "cells_flushed": cells, "all_in_store_seconds": all_in,
        "windows_ms": sorted(watch.windows), "queued_bytes_most": watch.queue,
        "read_p50_ms": reads[len(reads) // 2] * 1e3, "read_p99_ms": reads[len(reads) * 99 // 100] * 1e3, "reads": len(reads),
        "reads_refused": watch.refused, "series_with_another_count": wrong, "start_ms": full * 1e3, "start_empty_ms": empty * 1e3,
        "sink_holds_lines_a_second": holds * LINES, "dropped_at_70_percent": seventy,
    }
    say("")
    for name, value in result.items():
        print(f"{name:>28}  {value:,.3f}" if isinstance(value, float) else f"{name:>28}  {value}")
    for name, goal in (("agent_us_a_line", 0.35), ("redis_us_a_line", 0.5)):
        print(f"{name:>28}  {bar(result[name], 2)} {result[name]:.2f} (goal {goal})")
    os.makedirs(os.path.dirname(RESULT), exist_ok=True)
    with open(RESULT, "w") as file:
        json.dump(result, file, indent=2)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
