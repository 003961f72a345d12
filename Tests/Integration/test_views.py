"""Declared views: what has all of their dimensions is counted at their crossing too, and nothing else changes."""

import json
import re
import time

import pytest

from agent import Agent, total

GEO_PLAN = "country×plan"


def configured(folder, **options):
    """The arguments of an agent with these options of the file."""
    path = f"{folder}/hailwhale.json"
    with open(path, "w") as file:
        json.dump(options, file)
    return ["--config", path]


def totals(agent, pk, *dimensions, metrics="hits", period="all"):
    """The metric of a subject at several paths, in order; one metric."""
    answer = agent.totals(
        pk=json.dumps(pk if isinstance(pk, list) else [pk]), dimensions=json.dumps([list(path) for path in dimensions]),
        metrics=metrics, periods=period,
    )
    return [values[metrics] for values in answer[period].values()]


def children(agent, pk, *path):
    found = agent.get("/subdimensions", pk=json.dumps([pk]), dimensions=json.dumps([list(path)])).json()
    if isinstance(found, dict):
        found = next(iter(found.values()))
    return [json.loads(name)[-1] if name.startswith("[") else name for name in found]


def store(agent, *lines):
    answer = agent.lines("\n".join(lines), wait="store")
    assert answer.json() == {"accepted": len(lines), "rejected": []}, answer.text


def test_what_has_all_dimensions_counts_at_the_crossing(start, folder):
    agent = start(*configured(folder, views=[["country", "plan"]]))
    store(
        agent,
        "shop.1:revenue=12.5|c|#country:US,plan:pro",
        "shop.2:revenue=5|c|#plan:pro,country:US,device:ios",
        "shop.1:revenue=2|c|#country:DE,plan:free",
        "shop.1:revenue=100|c|#country:US",
        "shop.1:revenue=100|c|#plan:pro",
        "shop.1:revenue=100|c",
    )
    paths = [(GEO_PLAN,), (GEO_PLAN, "US"), (GEO_PLAN, "US", "pro"), (GEO_PLAN, "DE"), (GEO_PLAN, "DE", "free"),
             (GEO_PLAN, "DE", "pro"), (GEO_PLAN, "pro"), ("country", "US"), ("plan", "pro"), ()]
    assert totals(agent, "shop", *paths, metrics="revenue") == [19.5, 17.5, 17.5, 2, 2, 0, 0, 117.5, 117.5, 319.5]
    assert totals(agent, ["shop", "2"], *paths[:3], metrics="hits") == [1, 1, 1]
    assert totals(agent, "shop", *paths[:3], metrics="revenue/hits") == [6.5, 8.75, 8.75]
    # All other readings know them: by depth, by name, in order.
    answer = agent.plotpoints(
        pk="shop", dimensions=GEO_PLAN, depth=2, metrics="revenue", period="1d:2d", with_totals="true")
    assert {name: series["revenue"][-1][1] for name, series in answer.items()} == {
        GEO_PLAN: 19.5, f'["country\\u00d7plan", "US"]': 17.5, f'["country\\u00d7plan", "US", "pro"]': 17.5,
        f'["country\\u00d7plan", "DE"]': 2, f'["country\\u00d7plan", "DE", "free"]': 2,
    }
    assert children(agent, "shop") == ["country", GEO_PLAN, "device", "plan"]
    assert children(agent, "shop", GEO_PLAN) == ["DE", "US"]
    assert children(agent, "shop", GEO_PLAN, "US") == ["pro"]
    recursive = agent.get("/subdimensions", pk="shop", recursive="true").json()
    assert '["country\\u00d7plan", "DE", "free"]' in recursive


def test_nested_repeated_and_missing_values(start, folder):
    agent = start(*configured(folder, views=[["geo", "plan"], ["plan", "geo"]]))
    store(agent, "n:hits=1|c|#geo:US>CA>SF,plan:pro", "n:hits=1|c|#geo:US>CA,geo:US>NV,geo:DE,plan:pro,plan:pro",
          "n:hits=1|c|#geo,plan:pro")
    # Of the last dimension of a view all parts, of the others the first.
    assert totals(agent, "n", ("geo×plan",), ("geo×plan", "US"), ("geo×plan", "US", "pro"), ("geo×plan", "DE", "pro"),
                  ("geo×plan", "US", "CA")) == [3, 2, 2, 1, 0]
    assert totals(agent, "n", ("plan×geo",), ("plan×geo", "pro"), ("plan×geo", "pro", "US"),
                  ("plan×geo", "pro", "US", "CA"), ("plan×geo", "pro", "US", "CA", "SF"),
                  ("plan×geo", "pro", "US", "NV")) == [3, 3, 2, 2, 1, 1]
    # More paths than a line may have: as a whole alone.
    tags = [f"geo:{number}" for number in range(12)] + [f"plan:{number}" for number in range(12)]
    store(agent, "m:hits=1|c|#" + ",".join(tags))
    assert totals(agent, "m", ("geo×plan",), ("geo×plan", "1"), ("geo", "1"), ("plan", "1")) == [1, 0, 1, 1]


def test_other_kinds_and_other_ways_in(start, folder):
    agent = start(*configured(folder, views=[["country", "plan"]]))
    tags = "#country:US,plan:pro"
    store(agent, f"k.load:3|g|{tags}", f"k.took:10|ms|{tags}", f"k.took:30|ms|{tags}", f"k.who:ada|s|{tags}",
          f"k.who:bob|s|{tags}", f"k.who:ada|s|{tags}")
    full = (GEO_PLAN, "US", "pro")
    assert totals(agent, "k", full, metrics="load") == [3]
    # A gauge counts at full paths only.
    assert totals(agent, "k", (GEO_PLAN,), (GEO_PLAN, "US"), metrics="load") == [0, 0]
    assert totals(agent, "k", full, (GEO_PLAN,), metrics="took:sum") == [40, 40]
    assert totals(agent, "k", full, (GEO_PLAN, "US"), metrics="who") == [2, 2]
    for form in [{"country": "US", "plan": "pro"}, {"plan": "pro", "country": {"US": "CA"}}]:
        assert agent.client.post("/count_now", json={"pk": "h", "dimensions": form}).text.strip() == "OK"
    # A list of lists says exactly where to count.
    exact = [["country", "US"], ["plan", "pro"]]
    assert agent.client.post("/count_now", json={"pk": "h", "dimensions": exact}).text.strip() == "OK"
    assert totals(agent, "h", full, ("country", "US"), ()) == [2, 3, 3]


def test_lines_may_not_say_the_cross_themselves(start, folder):
    agent = start(*configured(folder, views=[["country", "plan"]]))
    answer = agent.lines("s:hits=1|c|#country×plan:US>pro", wait="store").json()
    assert answer == {"accepted": 0, "rejected": [{"line": 1, "reason": "reserved_name"}]}
    answer = agent.client.post("/count_now", json={"pk": "s", "dimensions": {GEO_PLAN: "US"}})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "dimensions")


def test_dropped_dimensions_and_the_bound_of_values_hold(start, folder):
    agent = start(
        *configured(folder, views=[["country", "plan"], ["host", "plan"]], drop_dimensions=["host"], **{"max-values": 20}))
    store(agent, *[f"d:n=1|c|#host:h1,country:c{number % 4},plan:p{number}" for number in range(400)])
    assert children(agent, "d") == ["country", GEO_PLAN, "plan"]
    whole, *countries = totals(agent, "d", (GEO_PLAN,), *[(GEO_PLAN, f"c{number}") for number in range(4)])
    assert whole == 400 and sum(countries) == totals(agent, "d", (GEO_PLAN,))[0]
    kept = 0
    for number in range(4):
        names = children(agent, "d", GEO_PLAN, f"c{number}")
        assert "__other__" in names
        kept += len(names) - 1
        sums = totals(agent, "d", *[(GEO_PLAN, f"c{number}", name) for name in names])
        assert sum(sums) == 100
    assert kept + 4 <= 20
    assert total(agent.metrics(), "hailwhale_values_folded_total") > 0


def test_migrate_adds_and_removes_views_without_losing_what_was_counted(start, folder):
    first = configured(folder, views=[["country", "plan"]])
    agent = start(*first)
    line = "shop:revenue=10|c|#country:US,plan:pro,device:ios"
    full = (GEO_PLAN, "US", "pro")
    both = ("plan×device", "pro", "ios")
    paths = [full, both, ("country", "US"), ()]
    store(agent, line)
    # What is taken in before and goes to the store after the change counts once, too.
    assert agent.lines(line, wait="spool").status_code == 200
    agent.terminate()

    second = configured(folder, views=[["plan", "device"], ["country", "plan"]])
    refused = Agent(agent.data, *second)
    with pytest.raises(AssertionError, match="views"):
        refused.start()
    agent.arguments = refused.arguments + ["--migrate"]
    changed = time.time()
    agent.start()
    store(agent, line)
    assert totals(agent, "shop", *paths, metrics="revenue") == [30, 10, 30, 30]
    # Of the time before, an answer says that there is nothing, not that nothing happened.
    for dimension, is_truncated in [(GEO_PLAN, False), ("plan×device", True), ("country", False)]:
        for path in ["/totals", "/plotpoints", "/rank"]:
            answer = agent.get(path, pk="shop", dimensions=dimension, period="1d:3d").json()
            assert ("truncated_before" in answer) == is_truncated, (path, answer)
    assert changed - 1 <= agent.plotpoints(pk="shop", dimensions="plan×device")["truncated_before"] <= time.time()
    agent.terminate()

    # The order in which views stand means nothing.
    agent.arguments = refused.arguments[:-2] + configured(folder, views=[["country", "plan"], ["plan", "device"]])
    agent.start()
    store(agent, line)
    assert totals(agent, "shop", *paths, metrics="revenue") == [40, 20, 40, 40]
    agent.terminate()

    agent.arguments = refused.arguments[:-2] + configured(folder, views=[["plan", "device"]]) + ["--migrate"]
    agent.start()
    store(agent, line)
    # What a view counted stays readable when it is no longer declared; it grows no further.
    assert totals(agent, "shop", *paths, metrics="revenue") == [40, 30, 50, 50]
    agent.terminate()

    agent.arguments = refused.arguments[:-2] + first + ["--migrate"]
    configured(folder, views=[["country", "plan"]])
    agent.start()
    store(agent, line)
    assert totals(agent, "shop", *paths, metrics="revenue") == [50, 30, 60, 60]


@pytest.mark.parametrize("views", [
    [["country"]], [["country", "country"]], [["a", "b"], ["a", "b"]], [["a×b", "c"]], [["a", "__other__"]], [["a", ""]],
    [["a" * 200, "b" * 100]], "country", [[["a"], "b"]], [[number, "b"] for number in range(17)],
    [list("abcdefgh")],
], ids=str)
def test_wrong_views_are_refused_by_name(folder, views):
    refused = Agent(folder + "/data", *configured(folder, views=views))
    with pytest.raises(AssertionError) as caught:
        refused.start()
    assert re.search(r"views.*up to 16 lists of 2 to 7 different dimension names", str(caught.value), re.DOTALL)
