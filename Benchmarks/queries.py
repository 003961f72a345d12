"""What queries of each kind take, asked over one connection of loopback: from the request's first byte to the answer's last,
and the CPU time that the agent and its store spend on one.

    make bench-queries        builds the release, fills a redis-server of its own, and prints a table

The store holds a year of days of a subject with 20 countries and 980 cities in them (`geo`), and an hour of minutes
and 31 days of a subject with timers, gauges and sets. `python3 Benchmarks/queries.py --rounds 20` asks each less often.
"""

import http.client
import os
import sys
import time

from bytes_a_cell import Bench

COUNTRIES, CITIES, DAYS = 20, 49, 365
ROUNDS = 200

QUERIES = [
    # What, how often of the rounds, the request.
    ("totals: one metric, five periods", 1, "/totals?pk=shop"),
    ("totals: a ratio and two metrics, all time", 1, "/totals?pk=shop&metrics=dollars,hits,dollars/hits&periods=all"),
    ("plotpoints: an hour of minutes", 1, "/plotpoints?pk=shop&period=1m:1h"),
    ("the same, unchanged: 304", 1, "/plotpoints?pk=shop&period=1m:1h"),
    ("plotpoints: thirty days, 20 children", 1, "/plotpoints?pk=shop&dimensions=geo&depth=1"),
    ("plotpoints: a year of days, 1,000 children in two levels", 0.25, "/plotpoints?pk=shop&dimensions=geo&depth=2&period=year"),
    ("the same, the ten largest", 0.25, "/plotpoints?pk=shop&dimensions=geo&depth=2&period=year&limit=11"),
    ("the same, those above 3 % of their siblings", 0.25, "/plotpoints?pk=shop&dimensions=geo&depth=2&period=year&threshold=0.03"),
    ("the same as CSV, the hundred largest", 0.25, "/plotpoints?pk=shop&dimensions=geo&depth=2&period=year&limit=101&format=csv"),
    ("rank: a year, 1,000 descendants", 0.25, "/rank?pk=shop&dimensions=geo&metric=dollars/hits&period=year"),
    ("rank: all time, 1,000 descendants", 0.5, "/rank?pk=shop&dimensions=geo&metric=dollars/hits&period=all"),
    ("totals: p95 of a day", 1, "/totals?pk=api&metrics=latency:p95&periods=1h:1d"),
    ("plotpoints: p50, p95 and p99 of an hour of minutes", 1, "/plotpoints?pk=api&metrics=latency:p50,latency:p95,latency:p99&period=hour"),
    ("plotpoints: distinct members, thirty days", 1, "/plotpoints?pk=api&metrics=visitors&period=thirty"),
    ("plotpoints: a gauge, an hour of minutes", 1, "/plotpoints?pk=api&metrics=depth&period=hour"),
    ("subdimensions: 1,000, recursive", 1, "/subdimensions?pk=shop&recursive=true"),
    ("subjects", 1, "/subjects"),
    ("metrics_of", 1, "/metrics_of?pk=shop"),
]


def fill(bench, now):
    places = [f"c{country}>city{city}" for country in range(COUNTRIES) for city in range(CITIES)]
    for first in range(0, DAYS, 20):
        bench.count([
            f"shop:dollars={(place * 7 + day) % 90 + place // 10}|c|#geo:{name}|T{now - 86_400 * day}"
            for day in range(first, min(first + 20, DAYS)) for place, name in enumerate(places)
        ])
    bench.count([f"shop:dollars=5|c|#geo:c1>city1|T{now - 60 * minute}" for minute in range(60)])
    for step, count in ((60, 60), (3_600, 24), (86_400, 30)):
        bench.count([
            line for number in range(count) for line in
            [f"api.latency:{value}|ms|T{now - step * number}" for value in range(10, 2_000, 20)]
            + [f"api.depth:{number}|g|T{now - step * number}"]
            + [f"api.visitors:v{(number * 37 + member) % 5_000}|s|T{now - step * number}" for member in range(300)]
        ])


def ask(connection, target, headers):
    began = time.perf_counter()
    connection.request("GET", target, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    seconds = time.perf_counter() - began
    expected = 304 if headers else 200
    assert answer.status == expected, (target, answer.status, body[:300])
    return seconds, len(body), answer.headers["ETag"]


def cpu_ms(process):
    """User and system time so far, of all threads."""
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1_000 / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    rounds = int(sys.argv[2]) if sys.argv[1:2] == ["--rounds"] else ROUNDS
    now = int(time.time())
    with Bench("--max-values", "2000") as bench:
        began = time.monotonic()
        fill(bench, now)
        print(f"filled in {time.monotonic() - began:.0f} s: {bench.command('dbsize').strip()} keys")
        connection = http.client.HTTPConnection(bench.http, timeout=60)
        print(f"{'query':<60}{'times':>6}{'bytes':>11}{'p50 ms':>9}{'p99 ms':>9}{'agent CPU':>11}{'store CPU':>11}")
        for name, share, target in QUERIES:
            _, size, tag = ask(connection, target, {})
            headers = {"If-None-Match": tag} if name.endswith("304") else {}
            spent = [cpu_ms(bench.agent), cpu_ms(bench.redis)]
            times = sorted(ask(connection, target, headers)[0] * 1_000 for _ in range(max(5, int(rounds * share))))
            agent, store = ((cpu_ms(process) - before) / len(times) for process, before in zip(
                (bench.agent, bench.redis), spent, strict=True))
            p50, p99 = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
            print(
                f"{name:<60}{len(times):>6}{size:>11,}{p50:>9.2f}{p99:>9.2f}{agent:>11.1f}{store:>11.1f}", flush=True)
