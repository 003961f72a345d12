"""What holds of whatever is counted, on streams of events that Hypothesis draws, the same ones in every run."""

import itertools
import json
import shutil
import tempfile
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies

from agent import Agent
from store import Store

drawn = settings(derandomize=True, database=None, deadline=None, max_examples=60)
subjects = itertools.count()

COUNTRIES, PLANS = ["US", "DE", "JP", "é", "a b"], ["pro", "free"]
VIEW = "country×plan"


@pytest.fixture(scope="module")
def place():
    path = tempfile.mkdtemp(prefix="hw-", dir="/tmp")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def agents(place):
    """Two agents on one store, which count a view, and a third that keeps few values, on its own."""
    configuration = f"{place}/hailwhale.json"
    with open(configuration, "w") as file:
        json.dump({"views": [["country", "plan"]], "window": 0.1}, file)
    store = Store(f"{place}/redis").start()
    arguments = ["--config", configuration, "--store", store.url]
    agents = [Agent(f"{place}/{name}", *arguments) for name in "ab"]
    agents.append(Agent(f"{place}/c", "--config", configuration, "--max-values", "4"))
    try:
        yield [agent.start() for agent in agents]
    finally:
        for agent in agents:
            agent.stop()
        store.end()


# Millionths, so that every sum is known exactly.
amounts = strategies.integers(-10**12, 10**12)
events = strategies.lists(
    strategies.fixed_dictionaries({
        "revenue": amounts,
        "visits": strategies.integers(1, 50),
        "country": strategies.sampled_from(COUNTRIES),
        "plan": strategies.sampled_from(PLANS),
        "city": strategies.integers(0, 12),
        # How long ago, in seconds: within what the finest resolutions keep.
        "age": strategies.sampled_from([0, 0, 0, 45, 400, 3_000]),
    }),
    min_size=1, max_size=40,
)


def decimal(micros):
    sign, micros = "-" if micros < 0 else "", abs(micros)
    return f"{sign}{micros // 10**6}.{micros % 10**6:06}"


def line(subject, event, now):
    return (
        f"{subject}:revenue={decimal(event['revenue'])}:visits={event['visits']}|c|T{now - event['age']}"
        f"|#country:{event['country']}>{event['city']},plan:{event['plan']}"
    )


def count(agent, subject, stream):
    """Counts the events of a stream, all as of one second; answers when they are readable."""
    now = int(time.time())
    answer = agent.lines("\n".join(line(subject, event, now) for event in stream), wait="store")
    assert answer.json() == {"accepted": len(stream), "rejected": []}
    return now


def read(agent, path, **parameters):
    answer = agent.get(path, **{
        name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()})
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Fraction, parse_int=Fraction)


def parts(key):
    return tuple(json.loads(key)) if key.startswith("[") else () if key == "_" else (key,)


def series(agent, subject, **parameters):
    """The series of one metric by the parts of their dimension, as lists of pairs."""
    answer = read(agent, "/plotpoints", pk=[subject], **parameters)
    return {parts(key): points for key, metrics in answer.items() if isinstance(metrics, dict)
            for points in metrics.values()}


def millionths(stream, metric="revenue"):
    return Fraction(sum(event[metric] for event in stream), 10**6 if metric == "revenue" else 1)


@drawn
@given(stream=events)
def test_the_points_of_a_period_sum_to_its_total(agents, stream):
    agent, subject = agents[0], f"sum{next(subjects)}"
    count(agent, subject, stream)
    for period in ["1h:1d", "1d:1mo", "2d:10d", "1w:4w"]:
        points = series(agent, subject, metrics="revenue", period=period, dimensions=[["_"], ["plan"]], with_totals=True)
        totals = read(agent, "/totals", pk=[subject], metrics="revenue", periods=period, dimensions=[["_"], ["plan"]])
        for path, group in points.items():
            *values, (word, last) = group
            assert word == "Total"
            assert sum(value for _, value in values) == last
            assert totals[period]["/".join(path) or "_"]["revenue"] == last
    assert last == millionths(stream)


@drawn
@given(stream=events)
def test_buckets_of_every_width_hold_the_same(agents, stream):
    """What the finest cells say of an hour is what the wider ones say of it."""
    agent, subject = agents[0], f"width{next(subjects)}"
    now = count(agent, subject, stream)
    begin = now - now % 60 - 3_300
    fine, wide = {}, {}
    for step, sums in [("10s", fine), ("1m", wide)]:
        for milliseconds, value in series(agent, subject, metrics="revenue", period=f"{step}:1h")[()]:
            minute = milliseconds // 60_000 * 60
            if minute >= begin:
                sums[minute] = sums.get(minute, 0) + value
    assert {minute: value for minute, value in fine.items() if value} == {
        minute: value for minute, value in wide.items() if value}
    assert sum(wide.values()) == millionths(event for event in stream if now - event["age"] >= begin)


def check_children(agent, subject, path, expected):
    """The children of a path and `__other__` add up to it, at every depth."""
    found = series(agent, subject, metrics="revenue", period="all", dimensions=[path], depth=8)
    sums = {group: points[0][1] for group, points in found.items()}
    assert sums[tuple(path)] == expected
    for parent in {group[:-1] for group in sums if len(group) > len(path)}:
        children = [value for group, value in sums.items() if group[:-1] == parent]
        assert sum(children) == sums[parent], (parent, sums)
    return sums


@drawn
@given(stream=events)
def test_children_and_what_was_folded_add_up_to_their_parent(agents, stream):
    for agent in [agents[0], agents[2]]:
        subject = f"child{next(subjects)}"
        count(agent, subject, stream)
        for dimension in ["country", "plan", VIEW]:
            sums = check_children(agent, subject, [dimension], millionths(stream))
            if agent is agents[2]:
                assert len([group for group in sums if "__other__" not in group]) <= 1 + 4
            elif dimension == "plan":
                assert sums == {("plan",): millionths(stream)} | {
                    ("plan", plan): millionths(event for event in stream if event["plan"] == plan)
                    for plan in {event["plan"] for event in stream}}
            elif dimension == VIEW:
                for country, plan in {(event["country"], event["plan"]) for event in stream}:
                    own = [event for event in stream if (event["country"], event["plan"]) == (country, plan)]
                    assert sums[VIEW, country, plan] == millionths(own)


@drawn
@given(stream=events, cuts=strategies.lists(strategies.booleans(), min_size=40, max_size=40))
def test_a_stream_split_over_two_agents_is_the_same_stream(agents, stream, cuts):
    whole, split = f"whole{next(subjects)}", f"split{next(subjects)}"
    # One second for both, so that every event has the same buckets.
    now = int(time.time())
    for number, agent in enumerate(agents[:2]):
        share = [event for event, cut in zip(stream, cuts) if cut == bool(number)]
        if share:
            body = "\n".join(line(split, event, now) for event in share)
            assert agent.lines(body, wait="store").status_code == 200
    body = "\n".join(line(whole, event, now) for event in stream)
    assert agents[0].lines(body, wait="store").status_code == 200
    for query in [
        {"period": "all", "depth": 3, "dimensions": [["country"], [VIEW], ["_"]], "metrics": ["revenue", "revenue/visits"]},
        {"period": f"{now - 3_060}-{now + 1}", "metrics": "revenue,visits,hits"},
    ]:
        for agent in agents[:2]:
            answers = [read(agent, "/plotpoints", pk=[subject], **query) for subject in [whole, split]]
            assert answers[0] == answers[1]


@drawn
@given(stream=events)
def test_a_ratio_is_that_of_the_sums(agents, stream):
    agent, subject = agents[0], f"ratio{next(subjects)}"
    count(agent, subject, stream)
    totals = read(
        agent, "/totals", pk=[subject], metrics=["revenue", "visits", "revenue/visits"], periods=["1d:2d", "all"],
        dimensions=[["_"], ["country"], ["plan", "pro"]])
    pros = [event for event in stream if event["plan"] == "pro"]
    for groups in totals.values():
        for group, own in [("_", stream), ("country", stream), ('["plan", "pro"]', pros)]:
            values, visits = groups[group], millionths(own, "visits")
            assert (values["revenue"], values["visits"]) == (millionths(own), visits)
            ratio = millionths(own) / visits if visits else 0
            assert float(values["revenue/visits"]) == pytest.approx(float(ratio), rel=1e-12)
