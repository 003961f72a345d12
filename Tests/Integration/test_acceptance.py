"""What HailWhale's own tests and its README expect, over HTTP: on a fresh agent, and again after a restart.

Its decisions (group 7) are not among it: this version has none.
"""

import json
import textwrap

import pytest

from agent import ROOT

HOUR = "1m:1h"


def dumped(*path):
    """A path as an answer writes it."""
    return json.dumps(list(path))


class Whale:
    """HailWhale's calls, each an HTTP request."""

    def __init__(self, agent):
        self.agent = agent

    def ok(self, path, pk="test", dimensions=["empty"], metrics={}):
        """A write as HailWhale's tests put it together: JSON in the URL, by GET."""
        answer = self.agent.get(
            path, pk=json.dumps(pk), dimensions=json.dumps(dimensions), metrics=json.dumps(metrics))
        assert (answer.status_code, answer.text.strip()) == (200, "OK"), answer.text

    def count_now(self, pk, dimensions=["_"], metrics={}):
        self.ok("/count_now", pk=pk, dimensions=dimensions, metrics=metrics)

    def get(self, path, **parameters):
        answer = self.agent.get(path, **{
            name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def last(self, **parameters):
        """The last point of each series, by dimension and metric."""
        answer = self.get("/plotpoints", **parameters)
        return {
            dimension: {metric: points[-1][1] for metric, points in metrics.items()}
            for dimension, metrics in answer.items()
        }

    def ranks(self, pk, dimension, metric):
        answer = self.get("/rank", pk=pk, dimensions=[dimension], metric=metric, period="1d:1mo")
        return {name: rank for name, rank in answer.items() if isinstance(rank, dict)}

    def groups(self, pk):
        """Every group of a subject and what it counted."""
        known = ["_"] + self.get("/subdimensions", pk=pk, recursive=True)
        found = {}
        for name in known:
            path = json.loads(name) if name.startswith("[") else [name]
            found["/".join(path)] = self.get("/totals", pk=pk, dimensions=[path], periods="all")["all"][name]["hits"]
        return found


# Each group counts, and returns what reads that and holds it to the numbers.


def counts_now(whale, key):
    """1. Three calls of `/count_now`, and three of `/count` with a flush, raise the hour's total by exactly 15."""
    def read(metric):
        return whale.get("/totals", pk="test", dimensions=["empty"], metrics=[metric])[HOUR]["empty"][metric]

    before = {metric: read(metric) for metric in ["counting_now", "counting"]}
    for _ in range(3):
        whale.ok("/count_now", metrics={"counting_now": 5})
    for _ in range(3):
        whale.ok("/count", metrics={"counting": 5})
    whale.agent.flush()

    def check():
        assert {metric: read(metric) - before[metric] for metric in before} == {"counting_now": 15, "counting": 15}
    return check


def sub_dimensions(whale, key):
    """2. The sub-dimensions of a subject, the next level and all of them."""
    pk = f"subs{key}"
    whale.count_now(pk, {"a": 1, "b": 2})

    def check():
        assert whale.get("/subdimensions", pk=pk) == ["a", "b"]
        assert whale.get("/subdimensions", pk=pk, recursive=True) == ["a", dumped("a", "1"), "b", dumped("b", "2")]
    return check


def plotpoints(whale, key):
    """3. Five events of 5 at a dimension: hits 5, values 25, and 5 for each."""
    t = f"t{key}"
    for _ in range(5):
        whale.count_now("test_plotpoints", t, {"hits": 1, "values": 5})

    def check():
        last = whale.last(pk="test_plotpoints", dimensions=t, metrics=["hits", "values", "values/hits"])
        assert last == {t: {"hits": 5, "values": 25, "values/hits": 5}}
    return check


def depth(whale, key):
    """4. Children by depth, and the largest of them by a limit."""
    t = f"t{key}"
    for value in ["a", "b", "b", {"c": "child"}]:
        whale.count_now("test_depth", {t: value})

    def hits(**parameters):
        answer = whale.last(pk="test_depth", dimensions=t, **parameters)
        return {name: values["hits"] for name, values in answer.items()}

    def check():
        one = {t: 4, dumped(t, "a"): 1, dumped(t, "b"): 2, dumped(t, "c"): 1}
        assert hits(depth=1) == one
        assert hits(depth=2) == one | {dumped(t, "c", "child"): 1}
        assert hits(depth=1, limit=2) == {t: 4, dumped(t, "b"): 2}
    return check


def rank_value(whale, key):
    """5. A total's ranks: important is what explains it, not its parents."""
    t = f"t{key}"
    for path, value in [((t, "a", "asub1"), 1), ((t, "a", "asub2"), 30), ((t, "b"), 80), ((t, "c"), 10)]:
        whale.count_now("test_rank", list(path), {"value": value})

    def check():
        ranked = whale.ranks("test_rank", t, "value")
        assert {name: (rank["score"], rank["important"]) for name, rank in ranked.items()} == {
            dumped(t, "a"): (31, False), dumped(t, "a", "asub1"): (1, False), dumped(t, "a", "asub2"): (30, True),
            dumped(t, "b"): (80, True), dumped(t, "c"): (10, False),
        }
    return check


def rank_ratio(whale, key):
    """6. A ratio's ranks: what is far from the whole's and not a chance."""
    t = f"t{key}"
    leaves = {("a", "asub1"): (54_989, 4_999), ("a", "asub2"): (375_000, 25_000), ("b",): (100_000, 20_000), ("c",): (5, 1)}
    for path, (value, visitors) in leaves.items():
        whale.count_now("test_ratio_rank", [t, *path], {"value": value, "visitors": visitors})
    counted = leaves | {("a",): (429_989, 29_999)}

    def check():
        ranked = whale.ranks("test_ratio_rank", t, "value/visitors")
        assert ranked.keys() == {dumped(t, *path) for path in counted}
        whole = 529_994 / 50_000
        for path, (value, count) in counted.items():
            rank, score = ranked[dumped(t, *path)], value / count
            assert (rank["value"], rank["count"]) == (value, count)
            assert rank["score"] == pytest.approx(score, rel=1e-12)
            assert rank["difference"] == pytest.approx((score - whole) / whole, rel=1e-9)
            assert rank["effect"] == pytest.approx((score - whole) * count, rel=1e-9)
        rounded = {path: round(ranked[dumped(t, *path)]["difference"], 4) for path in leaves}
        assert (rounded["a", "asub1"], rounded["a", "asub2"], rounded["b",]) == (0.0377, 0.4151, -0.5283)
        assert {path for path in leaves if ranked[dumped(t, *path)]["important"]} == {("a", "asub2"), ("b",)}
    return check


def prefixes(whale, key):
    """8. An event counts at every prefix, at `_` and nowhere else; a subject at each of its own."""
    pk, product = f"prefixes{key}", f"Product{key}"
    whale.count_now(pk, {"a": 5, "b": {"x": 1, "y": 2}})
    whale.count_now([product, "5"])

    def check():
        assert whale.groups(pk) == {"_": 1, "a": 1, "a/5": 1, "b": 1, "b/x": 1, "b/x/1": 1, "b/y": 1, "b/y/2": 1}
        assert whale.groups(product) == {"_": 1}
        assert whale.groups([product, "5"]) == {"_": 1}
        assert whale.get("/subjects", prefix=product) == [product]
        assert whale.get("/subjects", prefix=[product, ""]) == [dumped(product, "5")]
    return check


def readme(whale, key):
    """9. Income and expenses of three kinds, and what a sale brings on average."""
    pk = f"readme{key}"
    # As its README writes them: `metric` for `metrics`, JSON in the URL; one with single quotes.
    for query in [f'pk={pk}&dimensions=services&metrics={{"dollars": 200}}',
                  f"pk={pk}&dimension=advertising&metric={{'dollars': -2000}}",
                  f'pk={pk}&dimensions={{"sales": 17}}&metric={{"dollars": 500}}']:
        assert whale.agent.client.get("/count?" + query).text.strip() == "OK"
    whale.agent.flush()

    def check():
        answer = whale.get(
            "/totals", pk=pk, dimensions=[["_"], ["sales"], ["sales", "17"], ["services"], ["advertising"]],
            metrics=["dollars", "hits", "dollars/hits"], periods=["all", "1d:1mo"])
        for period in ["all", "1d:1mo"]:
            assert answer[period] == {
                "_": {"dollars": -1300, "hits": 3, "dollars/hits": pytest.approx(-1300 / 3)},
                "sales": {"dollars": 500, "hits": 1, "dollars/hits": 500},
                dumped("sales", "17"): {"dollars": 500, "hits": 1, "dollars/hits": 500},
                "services": {"dollars": 200, "hits": 1, "dollars/hits": 200},
                "advertising": {"dollars": -2000, "hits": 1, "dollars/hits": -2000},
            }
    return check


GROUPS = [counts_now, sub_dimensions, plotpoints, depth, rank_value, rank_ratio, prefixes, readme]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_on_a_fresh_agent_and_after_a_restart(agent, group):
    whale = Whale(agent)
    check = group(whale, 1)
    check()
    assert agent.terminate() == 0
    agent.start()
    check()
    group(whale, 2)()


def test_the_function_of_the_page_for_those_who_come_from_it(agent):
    page = (ROOT / "docs/coming-from-hailwhale.md").read_text()
    lines = page[page.index("    import requests"):].split("\n\n| before", 1)[0]
    names = {}
    exec(textwrap.dedent(lines).replace("127.0.0.1:8085", agent.http), names)
    whale = names["whale"]
    assert whale("count_now", pk="shop", dimensions={"country": "US"}, metrics={"dollars": 5}) == "OK"
    assert whale("count", pk=["Product", 42], metrics={"stock": 17}) == "OK"
    assert whale("flush_hail") == "OK"
    totals = whale("totals", pk="shop", dimensions="country", metrics="dollars", periods="mtd")
    assert totals["mtd"]["country"]["dollars"] == 5
    points = whale("plotpoints", pk="shop", dimensions="country", metrics="dollars", depth=1, limit=11)
    assert points[dumped("country", "US")]["dollars"][-1][1] == 5
    ranks = whale("rank", pk="shop", metric="dollars/hits", dimensions="country")
    assert ranks[dumped("country", "US")]["score"] == 5
    assert whale("subdimensions", pk="shop", recursive=True) == ["country", dumped("country", "US")]
    assert whale("update_count_to", pk="shop", dimensions=["store"], metrics={"stock": 17}) == "OK"
    assert whale("spy", pk="shop")[0]["line"] == "shop.stock:17|g|#store"
