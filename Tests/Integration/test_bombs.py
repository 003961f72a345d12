"""Floods of names that are seen once: nothing is refused, nothing is lost, and what is known stays exact."""

import pytest

from agent import total
from test_ledger import closes

COUNT, PER_BODY = 30_000, 3_000


def stored(agent, pk, *metrics):
    return agent.totals(pk=pk, metrics=",".join(metrics), periods="all")["all"].get("_", {})


def send(agent, line, key=None, per_body=PER_BODY):
    """Each line twice, so that names that found no place come again."""
    for first in range(0, COUNT, per_body):
        body = "\n".join(line(number) + "\n" + line(number) for number in range(first, first + per_body))
        headers = {"Idempotency-Key": f"{key}{first}"} if key else {}
        answer = agent.lines(body + "\nbusy.known:hits=1:m=0.5|c|#d:v", **headers)
        assert answer.json() == {"accepted": 2 * per_body + 1, "rejected": []}, answer.text[:300]


BOMBS = {
    "first part": (lambda number: f"z{number}.x:2|c", [('["__other__"]', "x", 4)]),
    "first part and metric": (lambda number: f"z{number}.y{number}:2|c", [('["__other__"]', "__other__", 4)]),
    "metric": (lambda number: f"y{number}:2|c", [("_", "__other__", 4)]),
    "metric of a subject": (lambda number: f"known.y{number}:2|c", [('["known","__other__"]', "__other__", 4)]),
    "event": (
        lambda number: f"z{number}:y{number}=2:sales=3|c|#u:{number}",
        [('["__other__"]', "__other__", 10), ('["__other__"]', "hits", 2)]),
    "timer": (lambda number: f"z{number}.y{number}:2|ms", [('["__other__"]', "__other__:sum", 4)]),
}


@pytest.mark.parametrize("bomb", BOMBS, ids=[name.replace(" ", "-") for name in BOMBS])
def test_names_without_a_place_are_counted_under_shorter_ones(start, bomb):
    line, readings = BOMBS[bomb]
    agent = start("--max-series", "500", "--window", "0.2")
    assert agent.lines("busy.known:hits=1:m=0.5|c|#d:v").json()["accepted"] == 1
    send(agent, line)
    agent.flush()
    samples = agent.metrics()
    closes(samples)
    assert total(samples, "hailwhale_lines_total", outcome="rejected") == 0
    overflow = total(samples, "hailwhale_series_overflow_total")
    assert 2 * COUNT - 1_200 < overflow <= 2 * COUNT
    assert agent.get("/status").json()["memory"]["series_overflow"] == overflow
    assert total(samples, "hailwhale_series") < 1_000
    # What had its place before is exact, tags and all.
    known = agent.totals(pk='["busy","known"]', dimensions='["d","v"]', metrics="hits,m", periods="all")["all"]
    assert list(known.values()) == [{"hits": COUNT / PER_BODY + 1, "m": (COUNT / PER_BODY + 1) / 2}]
    for pk, metric, share in readings:
        value = stored(agent, pk, metric)[metric]
        # All of it but what the places and reserves took.
        assert share * (COUNT - 600) <= value <= share * COUNT, (pk, metric, value)


def test_writes_that_count_once_have_shorter_names_too(start):
    agent = start("--max-series", "500")
    send(agent, BOMBS["event"][0], key="k", per_body=500)
    agent.flush()
    samples = agent.metrics()
    closes(samples)
    assert total(samples, "hailwhale_lines_total", outcome="rejected") == 0
    values = stored(agent, '["__other__"]', "__other__", "hits")
    assert 10 * (COUNT - 600) <= values["__other__"] <= 5 * values["hits"] <= 10 * COUNT
