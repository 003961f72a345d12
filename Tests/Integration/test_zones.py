"""Days, weeks and months of IANA zones over HTTP, compared with Python's zoneinfo."""

import collections
import datetime
import json
import random
import zoneinfo

import pytest

from agent import command
from clock import Clock, library

# Days of 23 and 25 hours and of half an hour more, midnights that are left out, offsets of quarters, winters that are
# the exception, and zones that gave daylight saving time up.
ZONES = [
    "America/New_York", "America/Sao_Paulo", "Europe/Berlin", "Europe/Dublin", "Africa/Casablanca", "Asia/Beirut",
    "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Apia",
]
FIRST, LAST = datetime.date(2016, 1, 1), datetime.date(2025, 12, 31)
LONG = ["--resolutions", "10s:1h,1m:1d,1h:31d,1d:20y", "--sketches", "none"]


def unix(date, zone):
    """The first instant of a day, also where its midnight is left out."""
    midnight = datetime.datetime(date.year, date.month, date.day, tzinfo=zoneinfo.ZoneInfo(zone))
    instant = int(midnight.timestamp())
    shown = datetime.datetime.fromtimestamp(instant, midnight.tzinfo)
    # Of a midnight that is left out, zoneinfo takes the offset before for the one it is at.
    while shown.date() < date:
        instant += 60
        shown = datetime.datetime.fromtimestamp(instant, midnight.tzinfo)
    while datetime.datetime.fromtimestamp(instant - 60, midnight.tzinfo).date() >= date:
        instant -= 60
    return instant


def day_of(instant, zone):
    return datetime.datetime.fromtimestamp(instant, zoneinfo.ZoneInfo(zone)).date()


def days(first, last):
    while first <= last:
        yield first
        first += datetime.timedelta(1)


def period(first, last):
    return f"{first.month}/{first.day}/{first.year}-{last.month}/{last.day}/{last.year}"


def points(agent, zone, period, **named):
    answer = agent.plotpoints(pk="z", tz=zone, period=period, **named)
    return [(time // 1_000, value) for time, value in answer["_"]["hits"]], answer.get("truncated_before")


@pytest.fixture(scope="module")
def instants():
    """Ten years of events; many at the edges of days on which some clock changes."""
    random.seed(1)
    found = [random.randrange(unix(FIRST, "UTC"), unix(LAST, "UTC")) for _ in range(3_000)]
    for zone in ZONES:
        changes, date, offset = [], FIRST, None
        for date in days(FIRST, LAST):
            now = datetime.datetime(date.year, date.month, date.day, 12, tzinfo=zoneinfo.ZoneInfo(zone)).utcoffset()
            if offset is not None and now != offset:
                changes.append(date)
            offset = now
        for date in changes:
            for near in days(date - datetime.timedelta(1), date + datetime.timedelta(1)):
                found += [unix(near, zone) + seconds for seconds in (-1, 0, 1_799, 1_800, 3_599, 3_600)]
    return [instant for instant in found if unix(FIRST, "Pacific/Apia") < instant < unix(LAST, "America/New_York")]


def test_ten_zones_have_the_days_that_zoneinfo_has_for_ten_years(start, instants):
    agent = start(*LONG, "--zones", ",".join(ZONES))
    for first in range(0, len(instants), 5_000):
        lines = [f"z:n=1|c|T{instant}" for instant in instants[first : first + 5_000]]
        assert agent.lines("\n".join(lines), wait="store").json()["rejected"] == []
    totals = set()
    for zone in ["UTC", *ZONES]:
        counted = collections.Counter(day_of(instant, zone) for instant in instants)
        got, truncated = points(agent, zone, period(FIRST, LAST))
        assert truncated is None
        assert [time for time, _ in got] == [unix(date, zone) for date in days(FIRST, LAST)], zone
        assert [value for _, value in got] == [counted[date] for date in days(FIRST, LAST)], zone
        totals.add(sum(value for _, value in got))

        months = collections.Counter(date.strftime("%Y-%m") for date in counted.elements())
        got, _ = points(agent, zone, "1mo:11y")
        for time, value in got:
            if FIRST <= day_of(time, zone) <= LAST:
                assert time == unix(day_of(time, zone).replace(day=1), zone)
                assert value == months[day_of(time, zone).strftime("%Y-%m")], zone

        weeks = collections.Counter(date - datetime.timedelta(date.weekday()) for date in counted.elements())
        got, _ = points(agent, zone, "1w:11y")
        for time, value in got:
            assert day_of(time, zone).weekday() == 0 and time == unix(day_of(time, zone), zone)
            assert value == weeks[day_of(time, zone)], zone
        assert sum(value for _, value in got) == len(instants)
    assert totals == {len(instants)}


def test_the_rule_behind_the_last_listed_change_goes_on(start):
    """Points of the future: after 2037 no file lists changes, the rule at its end does."""
    agent = start(*LONG, "--zones", ",".join(ZONES))
    for zone in ZONES:
        for year in (2026, 2038, 2077, 2100, 2399):
            first, last = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
            got, _ = points(agent, zone, period(first, last))
            assert [time for time, _ in got] == [unix(date, zone) for date in days(first, last)], (zone, year)


def test_a_day_that_a_zone_left_out_is_no_point_and_loses_nothing(start):
    agent = start(*LONG, "--zones", "Pacific/Apia")
    edge = 1_325_239_200  # 2011-12-30T10:00Z, when Samoa went from the 29th to the 31st
    agent.lines("\n".join(f"z:n=1|c|T{edge + seconds}" for seconds in (-86_400, -1, 0, 1, 86_399, 86_400)), wait="store")
    got, truncated = points(agent, "Pacific/Apia", "12/28/2011-1/2/2012")
    assert truncated is None
    assert [(str(day_of(time, "Pacific/Apia")), value) for time, value in got] == [
        ("2011-12-28", 0), ("2011-12-29", 2), ("2011-12-31", 3), ("2012-01-01", 1), ("2012-01-02", 0),
    ]


@pytest.mark.skipif(library() is None, reason="needs a C compiler")
@pytest.mark.parametrize(
    "zone, at, hours",
    [
        ("America/New_York", "2027-03-14T23:30:00-04:00", 23),
        ("America/New_York", "2027-11-07T23:30:00-05:00", 25),
        ("Australia/Lord_Howe", "2027-04-04T23:45:00+10:30", 25),
        ("Asia/Kathmandu", "2027-05-05T23:45:00+05:45", 24),
        ("Asia/Beirut", "2027-03-28T23:30:00+03:00", 23),
        ("Africa/Casablanca", "2027-02-07T23:30:00+00:00", 25),
    ],
)
def test_names_of_periods_follow_the_zones_clock(start, folder, zone, at, hours):
    """A day before the changes and on the day itself, with the clock set to its last hour."""
    now = int(datetime.datetime.fromisoformat(at).timestamp())
    clock = Clock(folder)
    clock.set(now - int(datetime.datetime.now().timestamp()))
    agent = start("--zones", zone, env=clock.env)
    today = day_of(now, zone)
    midnight, tomorrow = unix(today, zone), unix(today + datetime.timedelta(1), zone)
    before = [midnight - 1, midnight - 3_600]
    events = before + list(range(midnight + 60, now, 1_800))
    agent.lines("\n".join(f"z:n=1|c|T{event}" for event in events), wait="store")

    got, truncated = points(agent, zone, "today")
    assert truncated is None and len(got) == hours
    for time, value in got:
        end = min(time + 3_600, tomorrow)
        assert (time - midnight) % 3_600 == 0
        assert value == len([event for event in events if time <= event < end])
    (time, value), = points(agent, zone, "yesterday")[0]
    assert (time, value) == (unix(today - datetime.timedelta(1), zone), len(before))
    got, _ = points(agent, zone, "1d:2d")
    assert got == [(time, len(before)), (midnight, len(events) - len(before))]
    for name, first in [
        ("wtd", today - datetime.timedelta(today.weekday())), ("mtd", today.replace(day=1)),
        ("ytd", today.replace(month=1, day=1)),
    ]:
        got, _ = points(agent, zone, name)
        assert [time for time, _ in got] == [unix(date, zone) for date in days(first, today)], name
    got, _ = points(agent, zone, "1mo:1mo")
    assert [time for time, _ in got] == [unix(today.replace(day=1), zone)]
    got, _ = points(agent, zone, "1y:1y")
    assert [time for time, _ in got] == [unix(today.replace(month=1, day=1), zone)]


def test_kept_zones_answer_every_kind(start):
    agent = start("--zones", "Asia/Kathmandu,America/New_York")
    lines = ["k.t:10|ms", "k.t:20|ms", "k.t:60|ms", "k.d:7|g", "k.who:ada|s", "k.who:bob|s", "k.who:ada|s"]
    assert agent.lines("\n".join(lines), wait="store").json()["rejected"] == []
    for zone in ("UTC", "Asia/Kathmandu", "America/New_York"):
        answer = agent.totals(pk="k", tz=zone, periods="1d:1y", metrics="t:count,t:max,t:mean,d:gauge,who:set")
        assert answer["1d:1y"]["_"] == {"t:count": 3, "t:max": 60, "t:mean": 30, "d:gauge": 7, "who:set": 2}
        median = agent.totals(pk="k", tz=zone, periods="1d:1y", metrics="t:p50")["1d:1y"]["_"]["t:p50"]
        assert abs(median - 20) <= 0.4


def test_zones_that_are_not_kept_are_answered_as_far_as_finer_cells_reach(start):
    agent = start("--zones", "Europe/Berlin")
    agent.lines("z:n=1|c", wait="store")
    # Whole hours for 31 days, minutes for one, and what Berlin's days are for two years.
    for zone, asked, status in [
        ("Europe/Berlin", "1d:1y", 200), ("Europe/Paris", "1d:1y", 200), ("America/New_York", "1d:20d", 200),
        ("America/New_York", "1d:1y", 400), ("Asia/Kathmandu", "1d:20d", 400), ("Asia/Kathmandu", "1h:1d", 200),
        ("+0530", "1d:20d", 400), ("-0300", "1d:20d", 200),
    ]:
        answer = agent.get("/plotpoints", pk="z", tz=zone, period=asked)
        assert answer.status_code == status, (zone, asked, answer.text)
        if status == 400:
            assert answer.json()["error"]["code"] == "zone_not_kept"
            assert answer.json()["error"]["param"] == "tz"
    # Nobody asked for the defaults one by one: they hold what there is.
    answer = agent.totals(pk="z", tz="Asia/Kathmandu")
    assert set(answer["truncated_before"]) <= set(answer) and answer["1m:1h"]["_"]["hits"] == 1


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Olympus", "europe/berlin", "../../etc/passwd", "/etc/passwd", "Europe/../UTC", "right/UTC", "posix/UTC",
        "Europe", "tzdata.zi", "a" * 300, "Europe/Berlin\n", "+2500", "[]", "{}", "5", "é",
    ],
)
def test_what_is_no_zone_is_refused_by_name(agent, name):
    answer = agent.get("/totals", tz=name)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == "bad_tz" and error["param"] == "tz" and "America/New_York" in error["message"]


def test_without_zone_data_the_error_says_so(start, folder):
    agent = start(env={"TZDIR": folder + "/none"})
    error = agent.get("/totals", tz="Europe/Berlin").json()["error"]
    assert error["code"] == "bad_tz" and "tzdata" in error["message"]
    assert agent.get("/totals", tz="+0200").status_code == 200


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--zones", "Mars/Olympus"], "no known time zone"), (["--zones", "../UTC"], "IANA names"),
        (["--zones", "Asia/Kathmandu", "--resolutions", "1h:1d,1d:1y", "--sketches", "none"], "multiples of the finest"),
        (["--zones", "Europe/Berlin", "--resolutions", "1m:1d", "--sketches", "none"], "whole days"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "check"])
def test_zones_that_cannot_be_kept_are_refused_at_the_start(folder, verb, arguments, said):
    result = command(verb, "--udp", "none", "--data", folder + "/data", *arguments)
    assert result.returncode == 64 and "--zones" in result.stderr and said in result.stderr


def test_the_days_of_a_kept_zone_are_bounded_and_found_as_others_are(start):
    """Children by depth, and --max-values, hold in the days of zones as in those of UTC."""
    agent = start("--zones", "Asia/Kathmandu", "--max-values", "10")
    agent.lines("\n".join(f"z:n=1|c|#country:c{number}" for number in range(40)), wait="store")
    for zone in ("UTC", "Asia/Kathmandu"):
        answer = agent.plotpoints(pk="z", tz=zone, period="1d:60d", dimensions="country", depth=1, with_totals="true")
        sums = {name: metrics["hits"][-1][1] for name, metrics in answer.items() if name.startswith("[")}
        assert sum(sums.values()) == answer["country"]["hits"][-1][1] == 40
        assert len(sums) == 10 and sums[json.dumps(["country", "__other__"])] == 31
