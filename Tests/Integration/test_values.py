"""--max-values bounds what is kept of a dimension; the rest is visible as __other__, and nothing is lost or twice."""

import json
import time

import pytest

from agent import total

LIMIT = 50
PERIODS = ["1m:1h", "1h:1d", "1d:1mo", "all"]


def children(agent, pk, parent, metric="hits", period="1d:1mo"):
    """The children of a dimension path by their last part, with their sums."""
    answer = agent.plotpoints(
        pk=pk, dimensions=json.dumps(parent), metrics=metric, period=period, depth=1, with_totals="true"
    )
    sums = {}
    for name, metrics in answer.items():
        path = json.loads(name) if name.startswith("[") else [name]
        if len(path) == len(parent) + 1:
            sums[path[-1]] = metrics[metric][-1][1]
    return sums


def read(agent, pk, dimensions, metric="hits", period="all"):
    """One group's sum."""
    answer = agent.totals(pk=pk, dimensions=json.dumps(dimensions), metrics=metric, periods=period)
    return next(iter(answer[period].values())).get(metric, 0)


def post(agent, lines, **named):
    for first in range(0, len(lines), 5_000):
        part = lines[first : first + 5_000]
        assert agent.lines("\n".join(part), **named).json() == {"accepted": len(part), "rejected": []}


def check(agent, pk, parent, metric="hits", at_most=LIMIT):
    """The children and __other__ add up to their parent, and are no more than the cap; at all periods."""
    for period in PERIODS[:3]:
        sums = children(agent, pk, parent, metric, period)
        whole = read(agent, pk, parent, metric, period)
        assert sum(sums.values()) == whole, f"{parent} at {period}"
        assert len([name for name in sums if name != "__other__"]) <= at_most
    return sums


def test_a_flood_is_folded_and_a_value_heavy_after_it_is_kept(start):
    agent = start("--max-values", str(LIMIT))
    post(agent, [f"f:n=2|c|#v:{number}" for number in range(5_000)], wait="store")
    sums = check(agent, "f", ["v"])
    assert len(sums) == LIMIT - LIMIT // 10 + 1 and sums["__other__"] == 5_000 - (LIMIT - LIMIT // 10)
    assert read(agent, "f", ["_"]) == read(agent, "f", ["v"]) == 5_000
    assert read(agent, "f", ["v"], "n") == 10_000
    assert total(agent.metrics(), "hailwhale_values_folded_total") == 5_000 - (LIMIT - LIMIT // 10)
    assert agent.get("/status").json()["values_folded"] == 5_000 - (LIMIT - LIMIT // 10)
    for _ in range(3):
        post(agent, ["f:n=1|c|#v:late"] * 200 + [f"f:n=1|c|#v:new{time.time_ns()}"], wait="store")
    sums = check(agent, "f", ["v"])
    # What it counted before it was known to be heavy lies in __other__.
    assert sums["late"] >= 200 and sums["late"] % 200 == 0
    assert len(sums) == LIMIT - LIMIT // 10 + 2
    known = agent.get("/subdimensions", pk="f", dimensions="v").json()
    assert len(known) == len(sums) and any("__other__" in str(path) for path in known)


def test_few_values_are_exact(start):
    agent = start("--max-values", str(LIMIT))
    for _ in range(3):
        post(agent, [f"e:n=1|c|#v:{number},geo:US>{number % 5}>{number % 10}" for number in range(45)], wait="store")
    sums = check(agent, "e", ["v"])
    assert sums == {str(number): 3 for number in range(45)}
    assert sum(check(agent, "e", ["geo", "US"]).values()) == 135
    assert "__other__" not in children(agent, "e", ["geo"])
    assert total(agent.metrics(), "hailwhale_values_folded_total") == 0


def test_two_agents_stay_under_the_cap_together(start, store, folder):
    agents = [
        start("--max-values", str(LIMIT), "--store", store.url, "--window", "0.1", data=f"{folder}/{name}")
        for name in "ab"
    ]
    for round in range(4):
        for name, agent in zip("ab", agents):
            post(agent, [f"t:n=1|c|#v:{name}{round}.{number}" for number in range(300)])
    for agent in agents:
        agent.flush()
    for agent in agents:
        sums = check(agent, "t", ["v"])
        assert sum(sums.values()) == 2_400
    # The registry itself: no more names, in any page of any chunk.
    names = {}
    for key in store.client.scan_iter(match="hw1:*:p:*"):
        chunk = b":".join(key.split(b":")[:6])
        for field in store.client.hkeys(key):
            if field.startswith(b"gv\0") and not field.endswith(b"__other__"):
                names.setdefault(chunk, set()).add(field)
    assert names and all(len(found) <= LIMIT for found in names.values())
    assert all(store.client.ttl(key) != -1 for key in store.client.scan_iter(match="hw1:*:v:*:60:*"))


def test_deep_paths_and_many_dimensions_are_bounded(start):
    agent = start("--max-values", str(LIMIT))
    lines = [f"d:n=1|c|#geo:g{number % 30}>r{number % 400}>c{number}" for number in range(2_000)]
    post(agent, lines, wait="store")
    sums = check(agent, "d", ["geo"])
    assert sum(sums.values()) == 2_000
    kept = len([name for name in sums if name != "__other__"])
    for country in sums:
        if country != "__other__":
            below = check(agent, "d", ["geo", country])
            kept += len([name for name in below if name != "__other__"])
            for region in below:
                if region != "__other__":
                    deepest = check(agent, "d", ["geo", country, region])
                    kept += len([name for name in deepest if name != "__other__"])
    assert kept <= LIMIT
    post(agent, [f"m:n=1|c|#dim{number}:x" for number in range(1_000)], wait="store")
    known = agent.get("/subdimensions", pk="m").json()
    assert len(known) <= LIMIT + 1
    assert read(agent, "m", ["__other__"]) == 1_000 - LIMIT


def test_timers_and_sets_fold_with_their_percentiles_and_members(start):
    agent = start("--max-values", "10")
    post(agent, [f"k.ms:{number}|ms|#v:{number}" for number in range(1, 1_001)], wait="store")
    post(agent, [f"k.who:u{number % 300}|s|#w:{number}" for number in range(1_000)], wait="store")
    counts = children(agent, "k", ["v"], "ms:count")
    assert sum(counts.values()) == 1_000 and len(counts) == 10
    assert sum(children(agent, "k", ["v"], "ms:sum").values()) == 500_500
    median = read(agent, "k", ["v", "__other__"], "ms:p50")
    assert 480 < median < 530
    assert read(agent, "k", ["w"], "who") == pytest.approx(300, rel=0.02)
    assert read(agent, "k", ["w", "__other__"], "who") == pytest.approx(300, rel=0.02)
    post(agent, [f"k.level:{number}|g|#x:{number}" for number in range(100)], wait="store")
    gauges = children(agent, "k", ["x"], "level")
    assert len(gauges) == 10 and gauges["__other__"] in range(100)


def test_a_restart_and_kills_between_asking_and_writing_count_once(start, store):
    agent = start("--max-values", str(LIMIT), "--store", store.url)
    sent = 0
    for round in range(8):
        lines = [f"r:n=1|c|#v:{round}.{number}" for number in range(200)]
        if round == 3:
            # The question gets no answer before the kill.
            store.pause()
        post(agent, lines, wait="spool")
        sent += len(lines)
        time.sleep(0.004 * round)
        assert agent.kill() is not None
        if round == 3:
            store.resume()
        agent.start()
        if round == 5:
            agent.flush()
            assert agent.terminate() == 0
            agent.start()
    agent.flush()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    sums = check(agent, "r", ["v"])
    assert sum(sums.values()) == sent


def test_a_store_killed_between_gets_everything_once(start, store):
    agent = start("--max-values", str(LIMIT), "--store", store.url, "--window", "0.1")
    sent = 0
    for round in range(5):
        post(agent, [f"s:n=1|c|#v:{round}.{number}" for number in range(300)], wait="spool")
        sent += 300
        store.kill()
        post(agent, [f"s:n=1|c|#v:{round}.{number}" for number in range(300)], wait="spool")
        sent += 300
        store.start()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert read(agent, "s", ["_"]) == sent
    sums = children(agent, "s", ["v"])
    assert sum(sums.values()) == sent
    assert len(sums) <= LIMIT + 1


def test_retries_of_folded_values_count_once(start):
    agent = start("--max-values", "5")
    body = "\n".join(f"i:n=1|c|#v:{number}" for number in range(100))
    for _ in range(3):
        assert agent.lines(body, wait="store", **{"Idempotency-Key": "folded"}).status_code == 200
    agent.flush()
    sums = check(agent, "i", ["v"], at_most=5)
    assert sum(sums.values()) == 100 and sums["__other__"] == 95

