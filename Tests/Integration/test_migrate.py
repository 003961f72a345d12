"""--migrate: other resolutions and zones on a store that has counted, without losing what it counted."""

import datetime
import time
import zoneinfo

import pytest

from agent import command
from clock import Clock, library

DAY, HOUR = 86_400, 3_600
OLD = ["--resolutions", "10s:1h,1m:1d,1h:31d", "--sketches", "none"]
WITH_DAYS = ["--resolutions", "10s:1h,1m:1d,1h:31d,1d:2y", "--sketches", "none"]


def count(agent, *instants, pk="m"):
    assert agent.lines("\n".join(f"{pk}:n=1|c|T{int(at)}" for at in instants), wait="store").json()["rejected"] == []


def points(agent, period, pk="m", tz="UTC"):
    answer = agent.plotpoints(pk=pk, period=period, tz=tz)
    return {time // 1_000: value for time, value in answer["_"]["hits"]}, answer.get("truncated_before")


def day(at, zone="UTC"):
    local = datetime.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(zone))
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def by_day(instants, zone="UTC"):
    sums = {}
    for at in instants:
        sums[day(at, zone)] = sums.get(day(at, zone), 0) + 1
    return sums


def counted(points):
    return {at: value for at, value in points.items() if value}


@pytest.fixture
def instants():
    """Twenty days of events, every five hours."""
    now = int(time.time())
    return [now - number * 5 * HOUR for number in range(96)]


def test_a_store_of_other_resolutions_is_refused_until_it_is_migrated(start, folder, instants):
    agent = start(*OLD)
    count(agent, *instants)
    agent.terminate()

    data = ["--data", folder + "/data", "--udp", "none", "--http", "127.0.0.1:0"]
    refused = command("run", *data, *WITH_DAYS)
    assert refused.returncode == 1
    for part in ("10s:3600s,60s:86400s,3600s:2678400s", "86400s:63072000s", "--migrate"):
        assert part in refused.stderr

    agent = start(*WITH_DAYS, "--migrate")
    assert any("store was migrated" in line and "resolutions" in line for line in agent.log)
    # What was counted before lies in hours, what is counted now in days too.
    count(agent, time.time())
    expected = by_day([*instants, time.time()])
    got, truncated = points(agent, "1d:25d")
    assert truncated is None and counted(got) == expected
    assert agent.totals(pk="m", periods="all,1d:1mo") == {
        "all": {"_": {"hits": len(instants) + 1}}, "1d:1mo": {"_": {"hits": len(instants) + 1}}
    }
    assert points(agent, "1d:1y")[1] is not None
    agent.terminate()
    # From now on that is what holds.
    agent = start(*WITH_DAYS)
    assert counted(points(agent, "1d:25d")[0]) == expected
    agent.terminate()
    assert command("run", *data, *OLD).returncode == 1


@pytest.mark.skipif(library() is None, reason="needs a C compiler")
def test_days_that_begin_with_a_migration_outlive_the_hours_before_it(start, folder, instants):
    clock = Clock(folder)
    agent = start(*OLD, env=clock.env)
    count(agent, *instants)
    agent.terminate()
    agent = start(*WITH_DAYS, "--migrate", env=clock.env)
    migrated = time.time()
    count(agent, migrated)
    agent.terminate()
    later = migrated + 50 * DAY
    clock.set(later - time.time())
    agent = start(*WITH_DAYS, env=clock.env)
    count(agent, migrated + 2 * DAY, later)
    got, truncated = points(agent, "1d:90d")
    # Of the day itself the days know only the rest, and the hours are gone: that is no day to show.
    assert truncated == day(migrated) + DAY
    assert counted(got) == by_day([migrated + 2 * DAY, later])


@pytest.mark.parametrize(
    "old, new, periods",
    [
        ("10s:1h,1m:1d,1h:31d", "30s:1h,5m:2d,2h:60d", ["1d:25d", "1w:5w", "6h:20d"]),
        ("1m:1d,1h:31d,1d:2y", "1m:1d,1h:31d", ["1d:25d", "1h:20d", "1mo:3mo"]),
        ("1m:1d,1h:31d,1d:2y", "1m:2d,1h:62d,1d:3y", ["1d:25d", "1h:20d", "1mo:2mo"]),
        ("1m:1d,1h:31d", "10s:1h,1m:1d,1h:31d,1d:2y,7d:9y", ["1d:25d", "1h:20d", "1m:3h"]),
    ],
)
def test_nothing_is_lost_or_twice_whatever_becomes_of_the_resolutions(start, instants, old, new, periods):
    agent = start("--resolutions", old, "--sketches", "none")
    count(agent, *instants)
    agent.terminate()
    agent = start("--resolutions", new, "--sketches", "none", "--migrate")
    now = int(time.time())
    more = [now - 7, now]
    count(agent, *more)
    for period in periods:
        got, truncated = points(agent, period)
        assert truncated is None
        starts = sorted(got)
        for number, first in enumerate(starts):
            end = starts[number + 1] if number + 1 < len(starts) else now + DAY * 40
            assert got[first] == len([at for at in instants + more if first <= at < end]), (period, number)


def test_days_of_a_zone_that_is_added_reach_back_through_hours(start, instants):
    agent = start()
    count(agent, *instants)
    agent.terminate()
    agent = start("--zones", "Europe/Berlin,Asia/Kathmandu", "--migrate")
    for zone in ("UTC", "Europe/Berlin"):
        got, truncated = points(agent, "1d:25d", tz=zone)
        assert truncated is None and counted(got) == by_day(instants, zone)
    # Hours do not divide Nepal's days, and minutes are kept for one: the zone is kept, so it is answered as far.
    got, truncated = points(agent, "1d:25d", tz="Asia/Kathmandu")
    assert truncated is not None and truncated > time.time() - 2 * DAY
    assert sum(got.values()) == len([at for at in instants if at >= truncated])
    agent.terminate()
    # Without them again: what their days were stays readable for as long as it is kept.
    agent = start("--migrate")
    assert points(agent, "1d:25d", tz="Europe/Berlin")[0] == points(agent, "1d:25d", tz="Europe/Paris")[0]


def test_sketches_that_are_kept_from_now_on_answer_from_now_on(start):
    agent = start("--sketches", "none")
    agent.lines("t.ms:10|ms\nt.ms:20|ms", wait="store")
    assert agent.get("/totals", pk="t", metrics="ms:p50", periods="1h:1d").json()["error"]["code"] == "no_sketch"
    agent.terminate()
    agent = start("--migrate")
    answer = agent.totals(pk="t", metrics="ms:p50,ms:count", periods="1h:1d")
    # The hour in which it began is only in part there.
    assert answer["truncated_before"]["1h:1d"] > time.time() - HOUR
    assert agent.totals(pk="t", metrics="ms:count", periods="1h:1d")["1h:1d"]["_"] == {"ms:count": 2}


def test_an_agent_that_runs_on_old_settings_says_so_and_reads_what_holds(start, redis_url, folder):
    old = start(*OLD, "--store", redis_url, data=folder + "/old")
    count(old, time.time())
    assert old.get("/status").json()["store"]["differences"] == []
    assert old.metrics()["hailwhale_store_agrees"] == 1
    new = start(*WITH_DAYS, "--migrate", "--store", redis_url, data=folder + "/new")
    old.until(lambda samples: samples["hailwhale_store_agrees"] == 0, "that the store was migrated")
    (difference,) = old.get("/status").json()["store"]["differences"]
    assert difference.startswith('resolutions: the store has "10s:3600s,60s:86400s,3600s:2678400s,86400s')
    assert any("level=error" in line and "counts by other settings" in line for line in old.log)
    assert new.metrics()["hailwhale_store_agrees"] == 1
    # It goes on counting, and reads as the others do.
    count(old, time.time())
    count(new, time.time())
    assert counted(points(old, "1d:2d")[0]) == counted(points(new, "1d:2d")[0])
    assert sum(points(new, "1d:2d")[0].values()) == 3
    old.terminate()
    refused = command("run", "--udp", "none", "--http", "127.0.0.1:0", "--data", folder + "/old", "--store", redis_url, *OLD)
    assert refused.returncode == 1 and "--migrate" in refused.stderr


def test_what_the_spool_has_is_counted_once_by_the_new_settings(start, folder, store):
    agent = start(*OLD, "--store", store.url)
    count(agent, time.time())
    store.end()
    at = time.time()
    lines = "\n".join(f"m:n=1|c|T{int(at)}" for _ in range(50))
    assert agent.lines(lines, wait="spool").json()["accepted"] == 50
    agent.kill()
    store.start()
    agent = start(*WITH_DAYS, "--migrate", "--store", store.url)
    agent.flush()
    agent.until(lambda samples: samples["hailwhale_events_pending"] == 0, "that the spool is empty")
    assert agent.totals(pk="m", periods="all,1d:2d,1h:2d") == {
        "all": {"_": {"hits": 51}}, "1d:2d": {"_": {"hits": 51}}, "1h:2d": {"_": {"hits": 51}}
    }
