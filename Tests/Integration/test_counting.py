"""Counters and events, end to end: what went in by UDP and HTTP is what every reading says."""

import json
import time

import pytest

from agent import embedded_stores, total
from events import Ledger, check

EVENTS = 20_000


def deliver(agent, ledger):
    """Half the datagrams by UDP, half by POST /lines, and waits until all of them were judged."""
    datagrams = list(ledger.datagrams())
    before = total(agent.metrics(), "hailwhale_lines_total")
    sent = 0
    for number, datagram in enumerate(datagrams):
        count = datagram.count("\n") + 1
        if number % 2:
            answer = agent.lines(datagram)
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"accepted": count, "rejected": []}
        else:
            agent.send(datagram)
        sent += count
        # A raw socket has no back pressure: never have more under way than the receive buffer surely holds.
        if number % 64 == 63:
            agent.until_lines(before + sent)
    samples = agent.until_lines(before + sent)
    assert total(samples, "hailwhale_lines_total", outcome="rejected") == 0
    assert total(samples, "hailwhale_datagrams_kernel_dropped_total") == 0


def test_events_read_back_exactly_and_survive_a_restart_and_a_kill(start):
    ledger = Ledger(seed=1, count=EVENTS)
    agent = start()
    deliver(agent, ledger)
    agent.flush()
    check(agent, ledger)

    assert agent.terminate() == 0
    agent.start()
    check(agent, ledger)

    stores = embedded_stores(agent.data)
    assert len(stores) == 1
    agent.kill()
    # The store outlives a killed agent, and the next one adopts it instead of starting a second on its files.
    assert embedded_stores(agent.data) == stores
    agent.start()
    check(agent, ledger)
    assert embedded_stores(agent.data) == stores


def test_a_drain_loses_nothing_of_the_open_window(start):
    ledger = Ledger(seed=2, count=500)
    agent = start("--window", "60")
    deliver(agent, ledger)
    assert agent.terminate() == 0
    agent.start()
    check(agent, ledger)


def test_what_was_spooled_survives_a_kill(start):
    ledger = Ledger(seed=3, count=500)
    agent = start("--window", "60")
    for datagram in ledger.datagrams():
        assert agent.lines(datagram, wait="spool").status_code == 200
    agent.kill()
    agent.start()
    agent.flush()
    check(agent, ledger)


def test_what_was_stored_survives_a_kill_once(start):
    ledger = Ledger(seed=4, count=500)
    agent = start()
    for number, datagram in enumerate(ledger.datagrams()):
        assert agent.lines(datagram, wait="store").status_code == 200
        if number < 3:
            agent.kill()
            agent.start()
    check(agent, ledger)


def test_two_agents_add_into_one_store(start, redis_url, folder):
    ledger = Ledger(seed=5, count=1_000)
    agents = [start("--store", redis_url, data=f"{folder}/{name}") for name in "ab"]
    for number, datagram in enumerate(ledger.datagrams()):
        assert agents[number % 2].lines(datagram, wait="store").status_code == 200
    for agent in agents:
        check(agent, ledger)


def test_lines_wait_for_what_they_say(agent):
    for wait in ["none", "spool", "store"]:
        answer = agent.lines(f"waits.{wait}:hits=1|c\n", wait=wait)
        assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": []})
        if wait == "store":
            assert total(agent.metrics(), "hailwhale_events_pending") == 0
    answer = agent.lines("a.b:1|c", wait="forever")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "wait")


def test_a_plotpoint_series_is_dense_and_ends_now(agent):
    agent.lines("shop:hits=3|c", wait="store")
    points = agent.plotpoints(pk="shop", period="1m:1h")["_"]["hits"]
    assert len(points) == 60
    times = [instant for instant, _ in points]
    assert [later - earlier for earlier, later in zip(times, times[1:])] == [60_000] * 59
    assert times[-1] <= time.time() * 1_000 < times[-1] + 120_000
    assert sum(value for _, value in points) == 3


def test_statsd_lines_count_as_statsd_means_them(agent):
    agent.lines("api.users.get:2:3|c|@0.5\nlogins:1|c\napi.users.get:0.000001|c", wait="store")
    read = agent.totals(pk=json.dumps(["api", "users"]), metrics="get,hits", periods="all")
    assert read["all"]["_"]["get"] == pytest.approx(10.000001, abs=1e-12)
    assert read["all"]["_"].get("hits", 0) == 0
    assert agent.totals(pk="api", metrics="get", periods="all")["all"]["_"].get("get", 0) == pytest.approx(10.000001)
    assert agent.totals(metrics="logins", periods="all")["all"]["_"]["logins"] == 1


def test_old_times_count_where_they_are_still_kept(agent):
    now = int(time.time())
    agent.lines(f"late:hits=1|c|T{now - 7_200}\nlate:hits=1|c|T{now - 40 * 86_400}", wait="store")
    read = agent.totals(pk="late", periods="1m:1h,1d:1mo,1d:1y,all")
    hits = {period: groups["_"]["hits"] for period, groups in read.items() if isinstance(groups, dict)}
    assert hits == {"1m:1h": 0, "1d:1mo": 1, "1d:1y": 2, "all": 2}


def test_a_retry_with_the_same_key_counts_once(agent):
    headers = {"Idempotency-Key": "retry-1"}
    for _ in range(3):
        assert agent.lines("once:hits=1|c", wait="store", **headers).status_code == 200
        answer = agent.client.post("/count_now", data={"pk": "once2"}, headers={"Idempotency-Key": "retry-2"})
        assert answer.status_code == 200
    assert agent.totals(pk="once", periods="all")["all"]["_"]["hits"] == 1
    assert agent.totals(pk="once2", periods="all")["all"]["_"]["hits"] == 1
