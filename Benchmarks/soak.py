"""Memory under a steady load: whether it creeps, and how high it goes.

    make soak                                    600 s at 70 % of the highest rate without losses, found first
    make soak SOAK_ARGS="--seconds 150 --rate 100000 --series 100000 --tags 3 --one-subject"

Sends datagrams of 25 lines over loopback, prints the agent's resident memory every ten seconds with what the kernel
dropped, and at the end the slope by least squares from the third minute on (from a third, of a shorter run), the ledger,
and a chart. Ends with 1 if memory grows by a megabyte a minute or more, or the ledger does not close.
"""

import argparse
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

BINARY = os.path.abspath(os.environ.get("HAILWHALE_BINARY", ".build/release/hailwhale"))
LINES = 25


def datagrams(options):
    """Every series once, in a shuffled order, packed."""
    source = random.Random(1)
    numbers = list(range(options.series))
    source.shuffle(numbers)

    def line(number):
        tags = [f"k{tag}:v{number * (tag + 7) % options.values}" for tag in range(options.tags)]
        if options.one_subject:
            # Told apart by a tag of their own: as many groups of the one subject.
            tags[:1] = [f"id:{number}"]
        subject = "hot" if options.one_subject else f"soak.s{number}"
        return f"{subject}:hits=1|c" + ("|#" + ",".join(tags) if tags else "")

    lines = [line(number) for number in numbers]
    return ["\n".join(lines[first:first + LINES]).encode() for first in range(0, len(lines), LINES)]


class Agent:
    """A redis-server and an agent on it, in a folder of their own."""

    def __init__(self, udp="127.0.0.1:0", arguments=()):
        self.udp, self.arguments = udp, [BINARY, "run", *arguments]

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        store = self.folder + "/redis.sock"
        self.redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", store, "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL)
        while not os.path.exists(store):
            time.sleep(0.01)
        self.log = open(self.folder + "/log", "w+")
        self.process = subprocess.Popen(
            [*self.arguments, "--udp", self.udp.format(folder=self.folder), "--http", "127.0.0.1:0",
             "--data", self.folder + "/data",
             "--store", "redis+unix://" + store], stderr=self.log, text=True)
        for _ in range(1_000):
            text = open(self.folder + "/log").read()
            if "msg=ready" in text:
                break
            time.sleep(0.02)
        else:
            raise SystemExit("the agent did not start:\n" + text)
        if udp := re.search(r"transport=udp address=(\S+):(\d+)", text):
            self.udp = udp.group(1), int(udp.group(2))
        self.http = re.search(r"transport=http address=(\S+)", text).group(1)
        return self

    def __exit__(self, *_):
        for process in (self.process, self.redis):
            process.terminate()
            process.wait()
        self.log.close()
        shutil.rmtree(self.folder)

    def resident(self, name="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name)) / 1_024

    def status(self):
        return json.load(urllib.request.urlopen(f"http://{self.http}/status", timeout=30))


def send(agent, packed, rate, seconds, every=lambda _: None):
    """Datagrams at a rate of lines a second, in steps of two milliseconds at least; returns lines sent."""
    began = time.monotonic()
    sent, place = 0, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(agent.udp)
        while (now := time.monotonic() - began) < seconds:
            while sent < now * rate:
                sender.send(packed[place])
                place = (place + 1) % len(packed)
                sent += LINES
            every(now)
            time.sleep(0.002)
    return sent


def highest(packed):
    """The highest rate of a doubling series, then of halvings, that the kernel drops nothing of for three seconds."""
    low, high = 0, None
    rate = 25_000
    while high is None or high - low > low // 8:
        with Agent() as agent:
            send(agent, packed, rate, 3)
            time.sleep(0.2)
            drops = agent.status()["datagrams"]["kernel_dropped"]
        print(f"{rate:>9,} lines/s: {drops} datagrams dropped", flush=True)
        low, high = (rate, high) if drops == 0 else (low, rate)
        if high is not None and high <= 2_000:
            raise SystemExit("no rate without losses")
        rate = low * 2 if high is None else (low + high) // 2
    return low


def slope(points):
    """Megabytes a minute, by least squares."""
    count = len(points)
    if count < 2:
        return 0.0
    x, y = sum(p[0] for p in points) / count, sum(p[1] for p in points) / count
    return 60 * sum((p[0] - x) * (p[1] - y) for p in points) / sum((p[0] - x) ** 2 for p in points)


def chart(points):
    top = max(megabytes for _, megabytes in points)
    for second, megabytes in points:
        print(f"{second:6.0f} s {megabytes:7.1f} MB {'#' * round(60 * megabytes / top)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=int, help="lines a second; else 70 %% of the highest without losses")
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--tags", type=int, default=3)
    parser.add_argument("--values", type=int, default=50, help="values that a tag takes")
    parser.add_argument("--one-subject", action="store_true", help="all series are of one subject")
    options = parser.parse_args()
    packed = datagrams(options)
    rate = options.rate or highest(packed) * 7 // 10
    points, due = [], 0.0
    with Agent() as agent:
        def every(now):
            nonlocal due
            if now >= due:
                due += 10
                status = agent.status()
                points.append((now, agent.resident()))
                print(
                    f"{now:6.0f} s  {points[-1][1]:7.1f} MB  dropped {status['datagrams']['kernel_dropped']}  "
                    f"pending {status['events']['pending']}  window {status['window_ms']} ms  "
                    f"spool {status['spool_bytes'] >> 20} MB", flush=True)
        sent = send(agent, packed, rate, options.seconds, every)
        time.sleep(1)
        status, peak = agent.status(), agent.resident("VmHWM")
    events = status["events"]
    closes = events["accepted"] == sum(events[name] for name in ("stored", "used", "pending", "lost"))
    steady = [point for point in points if point[0] >= min(120, options.seconds / 3)]
    chart(points)
    print(
        f"{sent:,} lines at {rate:,}/s, {options.series:,} series; {status['lines']['accepted']:,} accepted, "
        f"{status['datagrams']['kernel_dropped']} datagrams dropped; ledger {'closes' if closes else 'DOES NOT CLOSE'}")
    print(f"peak {peak:.1f} MB, slope {slope(steady):+.2f} MB/min over the last {steady[-1][0] - steady[0][0]:.0f} s")
    sys.exit(0 if closes and slope(steady) < 1 else 1)


if __name__ == "__main__":
    main()
