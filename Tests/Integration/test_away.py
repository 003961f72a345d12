"""The store away for thousands of windows: memory and disk keep their bounds, and what comes back is all there, once.

`HAILWHALE_AWAY_SECONDS=600` makes the stay long; windows are a tenth of a second, and times (`T`) spread over an hour.
"""

import json
import os
import pathlib
import time

import pytest

from agent import SANITIZER, total
from test_ledger import closes
from test_load import resident_kilobytes

SECONDS = float(os.environ.get("HAILWHALE_AWAY_SECONDS", "6"))
FINE = "1s:2h,10s:3h,1m:1d,1h:31d"
PER_BODY = 200


def spool_bytes(agent):
    return sum(file.stat().st_size for file in (pathlib.Path(agent.data) / "spool").iterdir())


class Stream:
    """Bodies of lines whose sums are known: `s<number>` and, over the past fifty minutes, `t<number>`."""

    def __init__(self, series):
        self.series, self.sent = series, 0

    def body(self):
        now, first = int(time.time()), self.sent
        self.sent += PER_BODY
        return "\n".join(
            f"s{number % self.series}.x:1|c|#d:v{number % 10}" if number % 2 else
            f"t{number % self.series}.x:1|c|T{now - number % 3_000}" for number in range(first, self.sent))

    def check(self, agent):
        for number in range(0, self.series, max(1, self.series // 60)):
            expected = self.sent // self.series
            read = agent.totals(pk=f"{'s' if number % 2 else 't'}{number}", metrics="x", periods="1h:1d,all")
            for period, groups in read.items():
                value = groups.get("_", {}).get("x", 0)
                assert 0 <= value - expected <= 1, (number, period, value, expected)
                assert period == "all" or (self.sent - number - 1) // self.series + 1 == value


@pytest.mark.parametrize("end", ["the store comes back", "the agent is killed"])
@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_what_waits_keeps_its_bounds_and_arrives_once(start, store, how, end):
    pending, spool = 2 << 20, 4 << 20
    agent = start(
        "--store", store.url, "--window", "0.1", "--pending-limit", str(pending), "--spool-limit", str(spool),
        "--resolutions", FINE)
    stream = Stream(1_000)
    assert agent.lines(stream.body(), wait="store").status_code == 200
    before = resident_kilobytes(agent.process.pid)
    store.kill() if how == "killed" else store.pause()
    began, slowest, largest, peak = time.monotonic(), 0, 0, 0
    while time.monotonic() < began + SECONDS:
        sent = time.monotonic()
        assert agent.lines(stream.body()).json() == {"accepted": PER_BODY, "rejected": []}
        slowest = max(slowest, time.monotonic() - sent)
        largest = max(largest, spool_bytes(agent))
        peak = max(peak, resident_kilobytes(agent.process.pid))
        time.sleep(0.005)
    samples = agent.metrics()
    closes(samples)
    assert total(samples, "hailwhale_cells_coarsened_total") > 0
    assert total(samples, "hailwhale_spool_errors_total") == 0
    assert total(samples, "hailwhale_events_lost_total") == 0
    # One record may be under way while what it replaces is still there.
    assert largest <= spool + (256 << 10)
    print(f"{stream.sent} lines, spool {largest >> 10} K, resident {before >> 10} to {peak >> 10} M, slowest {slowest:.3f} s")
    assert SANITIZER or peak < before + 60_000

    if end == "the agent is killed":
        assert agent.lines("last:hits=1|c", wait="spool").status_code == 200
        agent.kill()
    store.start() if how == "killed" else store.resume()
    if end == "the agent is killed":
        agent.start()
    samples = agent.until(lambda read: total(read, "hailwhale_events_pending") == 0, "everything stored")
    closes(samples)
    assert total(samples, "hailwhale_events_lost_total") == 0
    stream.check(agent)


def test_a_read_without_a_store_says_what_is_known(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    assert agent.lines("k.a:hits=1|c", wait="store").status_code == 200
    store.kill()
    assert agent.lines("k.a:hits=1|c\nk.b:hits=1|c", wait="spool").status_code == 200
    answer = agent.get("/totals", pk="k")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    read = answer.json()
    assert (read["error"]["code"], set(read["error"])) == ("store_away", {"code", "message"})
    known = read["known"]
    assert known["events_pending"] == 2 and known["events_lost"] == 0
    assert known["survives_a_kill"] is True and known["pending_finest_seconds"] in (10, None)
    assert known["away_seconds"] < 20 and known["spool_bytes"] > 0
    time.sleep(1.1)
    assert agent.get("/totals", pk="k").json()["known"]["away_seconds"] > known["away_seconds"]
    store.start()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert json.loads(agent.get("/totals", pk="k", periods="all").text) == {"all": {"_": {"hits": 3}}}


def test_past_every_bound_whole_shards_are_lost_by_name_and_the_rest_arrives(start, store):
    agent = start(
        "--store", store.url, "--window", "0.1", "--pending-limit", "1M", "--spool-limit", "1M", "--max-series",
        "1000000")
    assert agent.lines("known.x:1|c", wait="store").status_code == 200
    store.kill()
    count = 0
    while total(agent.metrics(), "hailwhale_events_lost_total") == 0:
        assert count < 400_000
        lines = "\n".join(f"n{number}.x:1|c" for number in range(count, count + 5_000))
        assert agent.lines(lines).json()["accepted"] == 5_000
        count += 5_000
        time.sleep(0.15)
    samples = agent.metrics()
    closes(samples)
    assert total(samples, "hailwhale_cells_coarsened_total") > 0, "finer cells go first"
    assert any("pending limit reached: a shard's cells are lost" in line for line in agent.log)
    store.start()
    agent.until(lambda read: total(read, "hailwhale_events_pending") == 0, "everything that was left stored")
    closes(agent.metrics())
    found = sum(
        agent.totals(pk=f"n{number}", metrics="x", periods="all")["all"].get("_", {}).get("x", 0)
        for number in range(0, count, 97))
    assert 0 < found <= len(range(0, count, 97))
    assert agent.lines("known.x:1|c", wait="store").status_code == 200
    assert agent.totals(pk="known", metrics="x", periods="all")["all"]["_"]["x"] == 2
