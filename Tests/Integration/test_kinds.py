"""Counters, gauges, timers and sets through several clients at once: exact where they are, near where they may be."""

import asyncio
import decimal
import json
import os
import socket
import time

import aiodogstatsd
import datadog.dogstatsd
import numpy
import pytest
import statsd

from agent import total
from kinds import COUNTRIES, Mixture
from readings import Meter, drained, read

SAMPLES = 5_000
PERIODS = ["1m:1h", "1d:1mo", "all"]


def by_statsd(agent, samples, meter):
    client = statsd.StatsClient(*agent.udp_address, prefix="mix.statsd")
    for sample in samples:
        match sample.kind:
            case "count":
                client.incr(sample.name, sample.text)
            case "gauge":
                client.gauge(sample.name, sample.value)
            case "timing":
                client.timing(sample.name, sample.value)
            case "set":
                client.set(sample.name, sample.text)
        # It says a gauge below zero in two lines.
        meter.add(2 if sample.kind == "gauge" and sample.value < 0 else 1)
    client.close()


def by_datadog(agent, samples, meter):
    host, port = agent.udp_address
    client = datadog.dogstatsd.DogStatsd(
        host=host, port=port, namespace="mix.datadog", disable_telemetry=True, origin_detection_enabled=False,
        cardinality="none",
    )
    calls = {"count": client.increment, "gauge": client.gauge, "timing": client.distribution, "set": client.set}
    for sample in samples:
        calls[sample.kind](sample.name, sample.text, tags=sample.tags)
        meter.add()
    client.stop()


def by_aiodogstatsd(agent, samples, meter):
    host, port = agent.udp_address

    async def send():
        async with aiodogstatsd.Client(host=host, port=port, namespace="mix.aio", constant_tags={"from": "aio"}) as client:
            calls = {"count": client.increment, "gauge": client.gauge, "timing": client.histogram}
            for sample in samples:
                calls[sample.kind](sample.name, value=sample.text, tags=dict(tag.split(":") for tag in sample.tags))
                if client._pending_queue.qsize() >= 32:
                    await drained(client)
                    meter.add(32)

    asyncio.run(send())
    meter.count = len(samples)


def by_hand(agent, samples, meter):
    """Packed lines; a gauge below zero has a section that only a value has."""
    types = {"count": "c", "gauge": "g", "timing": "d", "set": "s"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for chunk in batched(samples, 20):
            lines = []
            for sample in chunk:
                tags = f"|#{','.join(sample.tags)}" if sample.tags else ""
                lines.append(f"mix.raw.{sample.name}:{sample.text}|{types[sample.kind]}{tags}|card:none")
            sender.sendto("\n".join(lines).encode(), agent.udp_address)
            meter.add(len(lines))


def batched(items, size):
    return (items[start:start + size] for start in range(0, len(items), size))


SENDERS = {"statsd": by_statsd, "datadog": by_datadog, "aio": by_aiodogstatsd, "raw": by_hand}


def totals(agent, pk, metrics, group):
    """Every metric at every period, as decimals."""
    dimensions = ["country", group] if group else ["_"]
    answer = agent.client.post("/totals", json={
        "pk": pk, "metrics": list(metrics), "dimensions": [dimensions], "periods": PERIODS,
    })
    assert answer.status_code == 200, answer.text
    read = json.loads(answer.text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
    return {period: next(iter(read[period].values())) for period in PERIODS}


@pytest.mark.parametrize("window", ["0.1", "1", "60"])
def test_a_mixture_of_kinds_through_four_clients_is_exact(start, window):
    agent = start("--window", window, "--lanes", "3")
    count = SAMPLES if window == "1" else 1_000
    mixtures = {
        name: Mixture(seed, count, can_tag=name != "statsd", can_set=name != "aio")
        for seed, name in enumerate(SENDERS)
    }
    meter = Meter(agent)
    for name, sender in SENDERS.items():
        meter = Meter(agent)
        sender(agent, mixtures[name].samples, meter)
        meter.finish()
    compared = 0
    for name, mixture in mixtures.items():
        for group in [None, *(COUNTRIES if name != "statsd" else [])]:
            expected = mixture.expected(group)
            for period, values in totals(agent, ["mix", name], expected, group).items():
                assert values == expected, (name, group, period)
                compared += len(values)
    # What lies above adds up, but for gauges, which have no sum.
    first, *others = mixtures.values()
    expected = first.expected(also=others)
    for period, values in totals(agent, ["mix"], expected, None).items():
        assert values == expected, period
    assert compared > 700
    ledger = agent.metrics()
    assert total(ledger, "hailwhale_events_stored_total") == total(ledger, "hailwhale_events_accepted_total")


# Percentiles

QUANTILES = [1, 5, 25, 50, 75, 90, 95, 99, 99.9]
SHAPES = {
    "lognormal": lambda source, count: source.lognormal(3, 1.5, count),
    "bimodal": lambda source, count: numpy.where(
        source.random(count) < 0.7, source.normal(20, 2, count), source.normal(900, 50, count)).clip(0.001),
    "constant": lambda source, count: numpy.full(count, 42.5),
    "below-zero": lambda source, count: source.normal(0, 100, count),
    "wide": lambda source, count: 10 ** source.uniform(-5, 9, count),
}


def near(values, readings):
    """Within 2 % of the samples on either side of the rank."""
    for quantile, reading in readings.items():
        ends = [numpy.percentile(values, quantile, method=method) for method in ["lower", "higher"]]
        room = [0.02 * abs(end) + 1e-6 for end in ends]
        assert ends[0] - room[0] <= reading <= ends[1] + room[1], (quantile, reading, ends)


def percentiles(agent, pk, metric, **named):
    found = read(agent, pk, *[f"{metric}:p{quantile}" for quantile in QUANTILES], **named)
    return dict(zip(QUANTILES, found))


def post(agent, lines):
    """Lines in bodies that an agent takes; readable afterwards."""
    for chunk in batched(lines, 1_000):
        answer = agent.lines("\n".join(chunk))
        assert answer.json() == {"accepted": len(chunk), "rejected": []}, answer.text
    agent.flush()


@pytest.mark.parametrize("shape", SHAPES)
def test_percentiles_are_near_however_they_are_merged(start, redis_url, folder, shape):
    source = numpy.random.default_rng(7)
    values = numpy.round(SHAPES[shape](source, 8_000), 6)
    first, second = (start("--store", redis_url, data=f"{folder}/{name}") for name in ["one", "two"])
    now = int(time.time())
    lines, parts = [], {}
    for number, value in enumerate(values):
        # Over minutes that lie back, children of a dimension, and children of a subject.
        minute, country, server = number % 7, COUNTRIES[number % 3], f"s{number % 2}"
        time_section = f"|T{now - 60 * minute}" if minute else ""
        lines.append(f"svc.{server}.took:{value:f}|ms|#geo:world>{country}{time_section}")
        for part in [("country", country), ("server", server)]:
            parts.setdefault(part, []).append(value)
    # Two flush windows of the first agent, then the second agent's.
    post(first, lines[:3_000])
    post(first, lines[3_000:5_000])
    post(second, lines[5_000:])
    for agent in [first, second]:
        for period in ["1m:1h", "1d:1mo"]:
            near(values, percentiles(agent, "svc", "took", period=period))
            near(values, percentiles(agent, "svc", "took", dimensions=["geo", "world"], period=period))
        for country in COUNTRIES:
            found = percentiles(agent, "svc", "took", dimensions=["geo", "world", country])
            near(parts["country", country], found)
        for server in ["s0", "s1"]:
            near(parts["server", server], percentiles(agent, f"svc.{server}", "took"))
        fields = ["took:count", "took:min", "took:max"]
        assert read(agent, "svc", *fields) == [len(values), values.min(), values.max()]
        mean, deviation, whole = read(agent, "svc", "took:mean", "took:stddev", "took:sum")
        assert whole == float(sum(decimal.Decimal(f"{value:f}") for value in values))
        assert mean == pytest.approx(values.mean(), rel=1e-9)
        # From the sum of the squares, whose digits the square of the mean takes away.
        assert deviation == pytest.approx(values.std(), rel=1e-6, abs=1e-3)


def test_percentiles_follow_the_minutes(agent):
    source = numpy.random.default_rng(3)
    now = int(time.time()) // 60 * 60
    minutes = {now - 60 * back: source.lognormal(back / 2, 1, 500).round(6) for back in range(1, 6)}
    post(agent, [f"m.took:{value:f}|ms|T{start}" for start, values in minutes.items() for value in values])
    points = agent.plotpoints(pk="m", metrics="took:p50,took:p99,took:count", period="1m:10m")["_"]
    for name, quantile in [("took:p50", 50), ("took:p99", 99)]:
        found = {instant // 1_000: value for instant, value in points[name]}
        for start, values in minutes.items():
            near(values, {quantile: found[start]})
    counted = {instant // 1_000: value for instant, value in points["took:count"] if value}
    assert counted == {start: 500 for start in minutes}


def test_sampled_timers_weigh_what_they_stand_for(agent):
    post(agent, [f"w.took:{number}|ms|@0.1" for number in range(1, 101)] + ["w.took:1000|ms"] * 1_000)
    assert read(agent, "w", "took:count", "took:sum") == [2_000, 50_500 + 1_000_000]
    near(numpy.array([number for number in range(1, 101) for _ in range(10)] + [1_000] * 1_000),
         percentiles(agent, "w", "took"))


# Distinct counts


def visit(agent, name, numbers):
    post(agent, [f"site.{name}:user-{number}|s|#geo:world>{COUNTRIES[number % 3]}" for number in numbers])


def check(found, count):
    """Exact to 100 members, within 1 % beyond."""
    room = 0 if count <= 100 else 0.01 * count
    assert abs(found - count) <= room, f"{found} for {count}: {(found - count) / count:+.2%}"


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 500, 1_000, 10_000, 100_000])
def test_distinct_members_are_counted(agent, count):
    visit(agent, "visitors", range(count))
    # Some of them again, in another window, count nothing.
    visit(agent, "visitors", range(0, count, 4))
    for period in PERIODS:
        check(read(agent, "site", "visitors", period=period), count)
    check(read(agent, "site", "visitors", dimensions=["geo", "world"]), count)
    check(read(agent, "site", "visitors", dimensions=["geo", "world", "DE"]), len(range(1, count, 3)))


def test_distinct_members_of_two_agents_and_many_minutes_merge(start, redis_url, folder):
    first, second = (start("--store", redis_url, data=f"{folder}/{name}") for name in ["one", "two"])
    now = int(time.time())
    for size, name in [(60, "few"), (20_000, "many")]:
        spread = [f"site.{name}:user-{number}|s|T{now - 60 * (number % 9)}" for number in range(size)]
        post(first, spread)
        # Half of them are known, half are new.
        post(second, [f"site.{name}:user-{number}|s" for number in range(size // 2, size + size // 2)])
        for agent in [first, second]:
            for period in ["1m:1h", "1d:1mo", "all"]:
                check(read(agent, "site", name, period=period), size + size // 2)


@pytest.mark.skipif("HAILWHALE_MILLION" not in os.environ, reason="takes a minute: HAILWHALE_MILLION=1 runs it")
def test_a_million_distinct_members(agent):
    for first in range(0, 1_000_000, 100_000):
        visit(agent, "visitors", range(first, first + 100_000))
    check(read(agent, "site", "visitors"), 1_000_000)
