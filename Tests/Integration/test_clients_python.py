"""Python clients that nobody here wrote: what they were told is what is read."""

import asyncio
import datetime
import time

import aiodogstatsd
import datadog.dogstatsd
import markus
import pytest
import statsd

from agent import total
from readings import Meter, drained, quiet, read


@pytest.fixture
def plain(agent):
    host, port = agent.udp_address
    client = statsd.StatsClient(host, port, prefix="py.statsd")
    yield client
    client.close()


@pytest.fixture
def dog(agent):
    """Makes DogStatsD clients without telemetry of their own: `dog(namespace="x")`."""
    clients = []

    def make(**options):
        host, port = agent.udp_address
        options = {"disable_telemetry": True, "origin_detection_enabled": False} | options
        clients.append(datadog.dogstatsd.DogStatsd(host=host, port=port, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.stop()


# statsd


def test_statsd_counts(agent, plain):
    meter = Meter(agent)
    for number in range(500):
        plain.incr("api.get", number)
        plain.decr("api.put")
        meter.add(2)
    plain.incr("api.get", 0.25)
    meter.add()
    meter.finish()
    assert read(agent, "py.statsd.api", "get", "put") == [sum(range(500)) + 0.25, -500]
    assert read(agent, "py", "get") == sum(range(500)) + 0.25


def test_statsd_samples(agent, plain):
    for _ in range(400):
        plain.incr("sampled", 3, rate=0.1)
        plain.timing("took", 7, rate=0.5)
    quiet(agent)
    count, calls = read(agent, "py.statsd", "sampled", "took:count")
    lines = total(agent.metrics(), "hailwhale_lines_total")
    assert count % 30 == 0 and calls % 2 == 0
    assert count / 30 + calls / 2 == lines


def test_statsd_pipelines(agent, plain):
    meter = Meter(agent)
    with plain.pipeline() as pipe:
        for number in range(1_000):
            pipe.incr("piped", 2)
            pipe.timing("took", number)
            pipe.set("users", f"user-{number % 77}")
            meter.count += 3
    meter.finish()
    assert read(agent, "py.statsd", "piped", "took:count", "took:sum", "users") == [2_000, 1_000, 499_500, 77]
    # Each pipeline of this size is sent as many datagrams.
    assert 10 < total(agent.metrics(), "hailwhale_datagrams_total", transport="udp") < 300


def test_statsd_gauges(agent, plain):
    meter = Meter(agent)
    plain.gauge("set", 12.5)
    plain.gauge("moved", 10)
    plain.gauge("moved", 5, delta=True)
    plain.gauge("moved", -7.5, delta=True)
    plain.gauge("below", 4)
    # Sent as 0 and then a move, since a sign alone moves.
    plain.gauge("below", -3)
    plain.gauge("never", 2, delta=True)
    meter.add(8)
    meter.finish()
    names = ["set", "moved", "below", "never"]
    assert read(agent, "py.statsd", *names) == [12.5, 7.5, -3, 2]
    for _ in range(10):
        plain.gauge("moved", 1, delta=True)
        meter.add()
        meter.finish()
    assert read(agent, "py.statsd", *names) == [12.5, 17.5, -3, 2]
    assert read(agent, "py.statsd", *names, period="all") == [12.5, 17.5, -3, 2]


def test_statsd_timers(agent, plain):
    meter = Meter(agent)
    for milliseconds in [1, 320, 0.25, 17]:
        plain.timing("db", milliseconds)
    plain.timing("db", datetime.timedelta(seconds=2))
    meter.add(5)
    with plain.timer("block"):
        time.sleep(0.02)
    meter.add()
    meter.finish()
    fields = ["db:count", "db:sum", "db:min", "db:max", "db:mean"]
    assert read(agent, "py.statsd", *fields) == pytest.approx([5, 2_338.25, 0.25, 2_000, 467.65], rel=1e-12)
    count, least = read(agent, "py.statsd", "block:count", "block:min")
    assert count == 1 and 20 <= least < 5_000


def test_statsd_sets(agent, plain):
    meter = Meter(agent)
    for number in range(300):
        plain.set("users", number % 90)
        plain.set("mails", f"user{number % 5}@x.org:{number % 3}")
        meter.add(2)
    meter.finish()
    assert read(agent, "py.statsd", "users", "mails") == [90, 15]


# datadog


def test_dogstatsd_kinds(agent, dog):
    client = dog(namespace="py.dog", constant_tags=["env:test"])
    meter = Meter(agent)
    for number in range(300):
        client.increment("calls", tags=["country:" + ["US", "DE"][number % 2], "beta"])
        client.decrement("left", 2)
        client.count("bytes", 0.5)
        client.gauge("level", number - 150, tags=["country:US"])
        client.histogram("size", number)
        client.distribution("spread", number * 2)
        client.timing("took", number / 4)
        client.set("users", f"user {number % 42}")
        meter.add(8)
    meter.finish()
    assert read(agent, "py.dog", "calls", "left", "bytes", "level") == [300, -600, 150, 149]
    assert read(agent, "py.dog", "size:count", "size:sum", "size:max") == [300, 44_850, 299]
    assert read(agent, "py.dog", "spread:count", "spread:sum", "spread:min") == [300, 89_700, 0]
    assert read(agent, "py.dog", "took:sum", "took:max", "users") == [11_212.5, 74.75, 42]
    for path, count in [("country", 300), (["country", "US"], 150), ("beta", 300), (["env", "test"], 300)]:
        assert read(agent, "py.dog", "calls", dimensions=path) == count, path
    # A gauge with tags is a value, whatever its sign.
    assert read(agent, "py.dog", "level", dimensions=["country", "US"]) == 149


def test_dogstatsd_negative_gauges_are_values(agent, dog):
    client = dog(cardinality="low")
    meter = Meter(agent)
    for value in [5, -3]:
        client.gauge("dog.tagged", value, tags=["a:b"])
        client.gauge("dog.origin", value)
        meter.add(2)
    meter.finish()
    assert read(agent, "dog", "tagged", "origin") == [-3, -3]


@pytest.mark.parametrize("options", [
    {"disable_buffering": False, "flush_interval": 10_000},
    {"disable_buffering": False, "flush_interval": 10_000, "max_buffer_len": 300},
    {"disable_aggregation": False, "disable_buffering": False, "flush_interval": 10_000},
    {"disable_background_sender": False},
], ids=["buffered", "short-buffer", "aggregated", "background"])
def test_dogstatsd_packs(agent, dog, options):
    client = dog(namespace="py.packed", **options)
    meter = Meter(agent)
    for number in range(1_200):
        client.increment("calls", number, tags=[f"shard:{number % 3}"])
        client.gauge("level", number, tags=["a:b"])
        client.set("users", number % 50)
        client.timing("took", number)
        # What it adds up itself is few lines, and nobody but it knows how many.
        if number % 16 == 15 and options.get("disable_aggregation", True):
            client.flush_buffered_metrics()
            client.wait_for_pending()
            meter.add(64)
    client.flush_aggregated_metrics()
    client.flush_buffered_metrics()
    client.wait_for_pending()
    quiet(agent)
    expected = [sum(range(1_200)), 1_199, 50, 1_200, sum(range(1_200))]
    assert read(agent, "py.packed", "calls", "level", "users", "took:count", "took:sum") == expected
    for shard in range(3):
        assert read(agent, "py.packed", "calls", dimensions=["shard", str(shard)]) == sum(range(shard, 1_200, 3))


def test_dogstatsd_timestamps(agent, dog):
    client = dog(namespace="py.times")
    now = int(time.time())
    meter = Meter(agent)
    for age, amount in [(0, 1), (600, 10), (2 * 3_600, 100), (3 * 86_400, 1_000)]:
        client.count_with_timestamp("sold", amount, timestamp=now - age, tags=["shop:a"])
        client.gauge_with_timestamp("stock", amount, timestamp=now - age)
        meter.add(2)
    meter.finish()
    assert [read(agent, "py.times", "sold", period=period) for period in ["1m:1h", "1h:1d", "1d:1mo", "all"]] == [
        11, 111, 1_111, 1_111,
    ]
    # The newest, though it was sent first.
    assert read(agent, "py.times", "stock") == 1
    points = agent.plotpoints(pk='["py","times"]', metrics="sold,stock", period="1m:1h")["_"]
    for name in ["sold", "stock"]:
        counted = {instant // 60_000: value for instant, value in points[name] if value}
        assert counted == {now // 60: 1, (now - 600) // 60: 10}, name


def test_dogstatsd_events_and_checks(agent, dog):
    client = dog(constant_tags=["env:test"])
    now = int(time.time())
    meter = Meter(agent)
    client.event("Deployed", "v1.2|x\nsecond line: größer", alert_type="success", tags=["team:a"], date_happened=now,
                 hostname="h", aggregation_key="k", priority="low", source_type_name="s")
    client.event("Ünïcode", "text", cardinality="low")
    client.service_check("db.up", client.WARNING, tags=["node:1"], message="slow\nvery: m:|slow", hostname="h")
    client.service_check("db.up", client.CRITICAL, tags=["node:2"], timestamp=now)
    meter.add(4)
    samples = meter.finish()
    assert total(samples, "hailwhale_events_accepted_total") == 4
    assert read(agent, "db", "up", dimensions=["node", "1"]) == 1
    assert read(agent, "db", "up", dimensions=["node", "2"]) == 2


def test_dogstatsd_telemetry_of_its_own(agent, dog):
    client = dog(disable_telemetry=False, telemetry_min_flush_interval=0, disable_buffering=False, flush_interval=10_000)
    # Nothing is said of the last datagram, and the first says nothing of itself.
    for number in range(100):
        client.increment("py.telemetry", 2)
        if number % 10 == 9:
            client.flush_buffered_metrics()
            client.event("a", "b")
    client.flush_buffered_metrics()
    sent = client.metrics_count, client.events_count
    quiet(agent)
    assert read(agent, "py", "telemetry") == 200
    pk = "datadog.dogstatsd.client"
    assert read(agent, pk, "metrics", "events") == [100 - sent[0], 10 - sent[1]]
    assert read(agent, pk, "metrics", dimensions=["client", "py"]) == 100 - sent[0]
    assert read(agent, pk, "bytes_sent", "packets_sent")[1] > 0
    assert read(agent, pk, "packets_dropped", "bytes_dropped") == [0, 0]


# aiodogstatsd


def test_aiodogstatsd_kinds(agent):
    host, port = agent.udp_address
    meter = Meter(agent)

    async def send():
        async with aiodogstatsd.Client(host=host, port=port, namespace="py.aio", constant_tags={"env": "test"}) as client:
            for number in range(256):
                client.increment("calls", value=number, tags={"country": ["US", "DE"][number % 2]})
                client.decrement("left")
                client.gauge("level", value=-number)
                client.histogram("size", value=number)
                client.distribution("spread", value=number / 8)
                client.timing("took", value=number)
                meter.count += 6
                if number % 8 == 7:
                    await drained(client)
                    meter.wait()
            with client.timeit("block"):
                await asyncio.sleep(0.02)
            meter.count += 1

    asyncio.run(send())
    meter.finish()
    assert read(agent, "py.aio", "calls", "left", "level") == [32_640, -256, -255]
    assert read(agent, "py.aio", "calls", dimensions=["country", "DE"]) == sum(range(1, 256, 2))
    assert read(agent, "py.aio", "size:count", "size:sum", "spread:sum", "took:max") == [256, 32_640, 4_080, 255]
    count, least = read(agent, "py.aio", "block:count", "block:min")
    assert count == 1 and 19 <= least < 5_000


# markus


@pytest.mark.parametrize("backend", ["datadog.DatadogMetrics", "statsd.StatsdMetrics"])
def test_markus_backends(agent, backend):
    host, port = agent.udp_address
    prefix = "statsd_namespace" if "Datadog" in backend else "statsd_prefix"
    options = {"statsd_host": host, "statsd_port": port, prefix: "py.markus"}
    markus.configure([{"class": f"markus.backends.{backend}", "options": options}], raise_errors=True)
    try:
        metrics = markus.get_metrics("svc")
        for number in range(120):
            metrics.incr("calls", 3, tags=["country:US"])
            metrics.gauge("level", number)
            metrics.timing("took", number)
            metrics.histogram("size", number)
            if number % 8 == 7:
                agent.until_lines(4 * (number + 1))
        quiet(agent)
    finally:
        markus.configure([])
    fields = ["calls", "level", "took:count", "took:sum", "size:max"]
    assert read(agent, "py.markus.svc", *fields) == [360, 119, 120, 7_140, 119]
    if "Datadog" in backend:
        assert read(agent, "py.markus.svc", "calls", dimensions=["country", "US"]) == 360
