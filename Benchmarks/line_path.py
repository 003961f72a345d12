"""What a line costs the agent: inside one process, over loopback beside a bare sink, and in memory.

    make bench            the tables, and figures as JSON in .build/bench/line_path.json

A bare sink receives the same datagrams with recvmmsg and counts newlines: no receiver on this kernel is cheaper that
waits for datagrams one by one. The receiver runs on one CPU and the sender on another; with --window 60 no window
closes between the two readings, so flushing is left out. CPU time is that of all the process's threads, user and
system, over the lines it took in.
"""

import contextlib
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
BENCH = os.environ.get("HAILWHALE_BENCH", ".build/release/hailwhale-bench")
RESULT = os.environ.get("HAILWHALE_BENCH_RESULT", ".build/bench/line_path.json")
RECEIVER, SENDER = 0, (os.cpu_count() or 1) - 1
INSIDE = [(1_000, 1, 40), (1_000, 25, 40), (100_000, 25, 10), (1_000_000, 25, 3)]
# Series, lines a datagram, datagrams a second, seconds, and µs a line that are the goal.
LOOPBACK = [
    (1_000, 1, 150_000, 2, 0.75), (1_000, 25, 80_000, 2, 0.10), (100_000, 25, 60_000, 2, 0.17),
    (1_000_000, 25, 40_000, 3, 0.30),
]
# New series a second while they are met: a series costs some microseconds the first time.
LEARNED_A_SECOND = 100_000
MINUTE = 60
# Series that are flushed to see what the flush queue knows of them.
FLUSHED = 100_000


def say(text):
    """Progress, for a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def bench(*words, **options):
    return subprocess.Popen([BENCH, *words], stdout=subprocess.PIPE, text=True, **options)


def finished(process):
    out, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(process.args)} failed")
    return json.loads(out)


def send(port, series, lines, datagrams, rate, tags=3):
    return finished(bench(
        "send", f"port={port}", f"series={series}", f"lines={lines}", f"tags={tags}", f"datagrams={datagrams}",
        f"rate={rate}", f"cpu={SENDER}"))


def cpu_seconds(pid):
    """CPU time of a process, to the nanosecond."""
    folder = f"/proc/{pid}/task"
    return sum(int(open(f"{folder}/{task}/schedstat").read().split()[0]) for task in os.listdir(folder)) / 1e9


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024


class Agent:
    """An agent on one CPU with one lane, and a redis-server."""

    def __init__(self, folder, resolutions="1h:31d"):
        socket = folder + "/redis.sock"
        arguments = ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
        self.redis = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        while not os.path.exists(socket):
            time.sleep(0.01)
        arguments = ["taskset", "-c", str(RECEIVER), BINARY, "run", "--udp", "127.0.0.1:0", "--lanes", "1"]
        arguments += ["--http", "127.0.0.1:0", "--data", folder + "/data", "--store", "redis+unix://" + socket]
        arguments += ["--window", "60", "--resolutions", resolutions, "--max-series", "8000000"]
        self.process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"transport=http address=(\S+)", line):
                self.http = found.group(1)
            if found := re.search(r"transport=udp address=\S+:(\d+)", line):
                self.port = int(found.group(1))
            if "msg=ready" in line:
                return
        raise SystemExit("the agent did not start")

    def counted(self):
        """Lines taken in, and datagrams that the kernel dropped."""
        text = urllib.request.urlopen(f"http://{self.http}/metrics", timeout=120).read().decode()
        lines = int(re.search(r'^hailwhale_lines_total{outcome="accepted"} (\d+)', text, re.M).group(1))
        return lines, int(re.search(r"^hailwhale_datagrams_kernel_dropped_total (\d+)", text, re.M).group(1))

    def settled(self):
        """The counts once nothing more arrives."""
        before = None
        while (now := self.counted()) != before:
            before = now
            time.sleep(0.2)
        return now

    def close(self):
        # What it counted is of no use: nobody waits for it to be written.
        self.process.kill()
        self.redis.kill()
        self.process.wait()
        self.redis.wait()


def inside(series, lines, turns):
    say(f"inside one process: {series} series, {lines} a datagram")
    return finished(bench("lane", f"series={series}", f"lines={lines}", f"turns={turns}"))


def loopback(series, lines, rate, seconds, goal):
    name = f"{lines} a datagram, {series} series"
    say(f"bare sink: {name}")
    sink = bench("sink", f"cpu={RECEIVER}")
    port = json.loads(sink.stdout.readline())["port"]
    send(port, series, lines, rate * seconds, rate)
    bare = finished(sink)
    folder = tempfile.mkdtemp()
    agent = Agent(folder)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.callback(agent.close)
        empty = resident_bytes(agent.process.pid)
        learning = series / LEARNED_A_SECOND
        # The window must not close between the first line and the last.
        left = MINUTE - time.time() % MINUTE
        needed = 3 * learning + seconds + 10
        if left < needed:
            say(f"agent: {name} (waiting {left:.0f} s for a whole window)")
            time.sleep(left + 0.5)
        say(f"agent: {name}: meeting the series")
        send(agent.port, series, lines, -(-series // lines), max(1, LEARNED_A_SECOND // lines))
        (before, dropped_before), cpu = agent.settled(), cpu_seconds(agent.process.pid)
        full = resident_bytes(agent.process.pid)
        say(f"agent: {name}")
        sent = send(agent.port, series, lines, rate * seconds, rate)
        after, dropped = agent.settled()
        cpu = cpu_seconds(agent.process.pid) - cpu
    taken = after - before
    return {
        "series": series, "lines_per_datagram": lines, "goal_us_a_line": goal,
        "sink_us_a_line": bare["cpu_seconds"] / bare["lines"] * 1e6, "agent_us_a_line": cpu / taken * 1e6,
        "lines_sent": sent["lines"], "lines_taken": taken, "datagrams_dropped": dropped - dropped_before,
        "lines_a_second": sent["lines"] / sent["seconds"], "resident_bytes_a_series": (full - empty) / series,
    }


def flushed(tags, resolutions):
    """Bytes resident once 100,000 series were met and their first window is in the store."""
    say(f"memory after a flush: {tags} tags, {resolutions}")
    folder = tempfile.mkdtemp()
    agent = Agent(folder, resolutions)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        stack.callback(agent.close)
        empty = resident_bytes(agent.process.pid)
        send(agent.port, FLUSHED, 25, FLUSHED // 25, 2_000, tags)
        agent.settled()
        post = urllib.request.Request(f"http://{agent.http}/flush_hail", b"", method="POST")
        with contextlib.suppress(OSError):
            # It may take longer than the answer waits.
            urllib.request.urlopen(post, timeout=60).read()
        agent.settled()
        calm, now = None, resident_bytes(agent.process.pid)
        while calm != now:
            time.sleep(2)
            calm, now = now, resident_bytes(agent.process.pid)
    return now - empty


def bar(value, most):
    return "█" * max(1, round(24 * value / most))


def main():
    result = {"inside": [inside(*row) for row in INSIDE]}
    say("")
    print("\nInside one process, without the kernel")
    print(f"{'lines × series':>16}{'ns a line':>12}{'allocations':>14}{'instructions':>14}")
    for row in result["inside"]:
        shape = f"{row['lines_per_datagram']} × {row['series']}"
        instructions = row["instructions_a_line"]
        counted = "make gate" if instructions is None else f"{instructions:.0f}"
        print(f"{shape:>16}{row['cpu_ns_a_line']:>12.1f}{row['allocations_a_line']:>14.5f}{counted:>14}")
    result["loopback"] = [loopback(*row) for row in LOOPBACK]
    say("")
    print("\nOver loopback: µs of CPU a line, kernel included")
    head = f"{'lines × series':>16}{'bare sink':>11}{'agent':>8}{'goal':>7}{'taken':>11}{'dropped':>9}{'B a series':>12}"
    print(head)
    most = max(row["agent_us_a_line"] for row in result["loopback"][1:])
    for row in result["loopback"]:
        shape = f"{row['lines_per_datagram']} × {row['series']}"
        resident = f"{row['resident_bytes_a_series']:.0f}" if row["series"] >= 100_000 else ""
        chart = bar(row["agent_us_a_line"], most) if row["lines_per_datagram"] > 1 else ""
        print(
            f"{shape:>16}{row['sink_us_a_line']:>11.3f}{row['agent_us_a_line']:>8.3f}{row['goal_us_a_line']:>7.2f}"
            f"{row['lines_taken']:>11}{row['datagrams_dropped']:>9}{resident:>12}  {chart}")
    plain, tagged, fine = flushed(0, "1h:31d"), flushed(3, "1h:31d"), flushed(3, "10s:1h,1m:1d,1h:31d,1d:2y")
    # A tag `k:v` adds the groups k and k>v; a width of buckets adds a mark to each of the seven groups.
    group, mark = (tagged - plain) / FLUSHED / 6, (fine - tagged) / FLUSHED / 7 / 3
    result["flushed"] = {
        "bytes_a_series_without_tags": plain / FLUSHED, "bytes_a_group": group, "bytes_a_group_and_resolution": mark}
    say("")
    print("\nResident once the first window was flushed, 100,000 series, one width and the total")
    print(f"{plain / FLUSHED:>8.0f} B a series without tags, plans and index of the flush queue included")
    print(f"{group:>8.0f} B more for each further group that it counts at (three tags: six)")
    print(f"{mark:>8.0f} B more for each of its groups with each further width of buckets")
    os.makedirs(os.path.dirname(RESULT), exist_ok=True)
    with open(RESULT, "w") as file:
        json.dump(result, file, indent=2)
    print(f"\nThe same as JSON: {RESULT}")


if __name__ == "__main__":
    main()
