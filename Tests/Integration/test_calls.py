"""/count, /count_now, /flush_hail and the readings, as HailWhale's own tests asked of it."""

import json

import pytest


def test_three_count_now_raise_totals_by_exactly_fifteen(agent):
    for _ in range(3):
        answer = agent.get("/count_now", pk='"test"', dimensions='["empty"]', metrics='{"counting_now":5}')
        assert (answer.status_code, answer.text.strip()) == (200, "OK")
    read = agent.totals(pk="test", dimensions='["empty"]', metrics='["counting_now"]')
    assert read["1m:1h"]["empty"]["counting_now"] == 15


def test_three_counts_and_one_flush_raise_totals_by_exactly_fifteen(start):
    agent = start("--window", "60")
    for _ in range(3):
        answer = agent.get("/count", pk="test", dimensions="['empty']", metrics="{'counting':5}")
        assert (answer.status_code, answer.text.strip()) == (200, "OK")
    agent.flush()
    assert agent.totals(pk="test", dimensions="empty", metrics="counting")["1m:1h"]["empty"]["counting"] == 15


@pytest.mark.parametrize("form", ["query", "form", "json"])
def test_get_form_and_json_mean_the_same(agent, form):
    path, dimensions, metrics = ["Product", "42"], {"geo": {"US": "CA"}}, {"dollars": 12.5}
    if form == "json":
        answer = agent.client.post("/count_now", json={"pk": path, "dimension": dimensions, "metric": metrics})
    else:
        texts = {"category": json.dumps(path), "dimensions": json.dumps(dimensions), "metrics": json.dumps(metrics)}
        answer = agent.get("/count_now", **texts) if form == "query" else agent.client.post("/count_now", data=texts)
    assert answer.status_code == 200, answer.text
    for pk in ["Product", '["Product",42]']:
        read = agent.totals(
            pk=pk, dimensions='["_", ["geo"], ["geo","US"], ["geo","US","CA"]]', metrics="dollars,hits", periods="all"
        )["all"]
        assert [values for values in read.values()] == [{"dollars": 12.5, "hits": 1}] * 4


def test_the_last_point_holds_what_was_counted(agent):
    for _ in range(5):
        agent.get("/count_now", pk="t3", dimensions="t", metrics='{"hits":1,"values":5}')
    points = agent.plotpoints(pk="t3", dimensions="t", metrics="hits,values,values/hits", period="1m:1h")["t"]
    sums = {name: sum(value for _, value in series) for name, series in points.items()}
    assert (sums["hits"], sums["values"]) == (5, 25)
    assert max(value for _, value in points["values/hits"]) == 5


def test_nested_dimensions_count_at_every_path_and_nowhere_else(agent):
    agent.client.post("/count_now", json={"pk": ["Product", "5"], "dimensions": {"a": 5, "b": {"x": 1, "y": 2}}})
    paths = [["_"], ["a"], ["a", "5"], ["b"], ["b", "x"], ["b", "x", "1"], ["b", "y"], ["b", "y", "2"]]
    strangers = [["5"], ["x"], ["b", "1"], ["a", "x"]]
    for pk in ["Product", '["Product","5"]']:
        read = agent.totals(pk=pk, dimensions=json.dumps(paths), periods="all")["all"]
        assert [values["hits"] for values in read.values()] == [1] * len(paths)
        read = agent.totals(pk=pk, dimensions=json.dumps(strangers), periods="all")["all"]
        assert all(values.get("hits", 0) == 0 for values in read.values())


def test_ratios_are_ratios_of_sums(agent):
    for pk, dollars in [("services", 200), ("advertising", -2_000), ("sales", 500)]:
        body = {"pk": "accounts", "dimensions": ["kind", pk], "metrics": {"dollars": dollars}}
        assert agent.client.post("/count_now", json=body).status_code == 200
    read = agent.totals(
        pk="accounts", dimensions='["_",["kind","sales"]]', metrics="dollars,hits,dollars/hits", periods="all"
    )["all"]
    assert read["_"]["dollars"] == -1_300
    assert read["_"]["hits"] == 3
    assert read["_"]["dollars/hits"] == pytest.approx(-1_300 / 3)
    assert [values["dollars/hits"] for name, values in read.items() if name != "_"] == [500]


@pytest.mark.parametrize(
    "path, parameters, param",
    [
        ("/totals", {"periods": "never"}, "periods"),
        ("/plotpoints", {"period": "7x:1h"}, "period"),
        ("/plotpoints", {"limit": "-1"}, "limit"),
        ("/plotpoints", {"threshold": "2"}, "threshold"),
        ("/totals", {"tz": "Mars/Olympus"}, "tz"),
        ("/count", {"pk": "[unclosed"}, "pk"),
        ("/count", {"pk": "a", "metrics": '{"dollars":"many"}'}, "metrics"),
        ("/count", {"pk": "a", "at": "yesterday-ish"}, "at"),
        ("/count", {"pk": "a", "at": "4102444800"}, "at"),
        ("/count", {"pk": "a", "metrics": '{"dollars":1e13}'}, "metrics"),
    ],
)
def test_wrong_parameters_are_refused_by_name(agent, path, parameters, param):
    answer = agent.get(path, **parameters)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["param"] == param
    assert error["code"] and error["message"]


def test_unknown_paths_and_methods_are_refused(agent):
    assert agent.get("/nowhere").status_code == 404
    assert agent.client.put("/count").status_code == 405
    assert agent.client.delete("/totals").status_code == 405
    assert agent.client.get("/lines").status_code == 405
    for answer in [agent.get("/nowhere"), agent.client.put("/count")]:
        assert set(answer.json()["error"]) <= {"code", "param", "message"}


def test_composed_and_decomposed_letters_are_two_names(agent):
    one, two = "\u00e9", "e\u0301"
    event = {"dimensions": [["t", one], ["t", two]], "metrics": {one: 3, two: 2}}
    for subject, times in [(one, 1), (two, 2)]:
        for _ in range(times):
            assert agent.client.post("/count_now", json={"pk": ["spelt", subject], **event}).status_code == 200
    for subject, times in [(one, 1), (two, 2)]:
        read = agent.totals(
            pk=json.dumps(["spelt", subject]), dimensions=json.dumps([["t", one], ["t", two]]),
            metrics=f"{one},{two},hits", periods="all",
        )["all"]
        assert list(read.values()) == [{one: 3 * times, two: 2 * times, "hits": times}] * 2
        lines = agent.get("/spy", pk=json.dumps(["spelt", subject])).json()
        assert len(lines) == times and all(line["line"].startswith(f"spelt.{subject}:") for line in lines)
    children = agent.plotpoints(pk="spelt", dimensions="t", depth="1", period="1d:1d")
    assert list(children) == ["t", json.dumps(["t", two]), json.dumps(["t", one])]
    assert agent.get("/subdimensions", pk="spelt", dimensions="t").json() == list(children)[1:]
    assert agent.get("/metrics_of", pk="spelt").json() == {two: ["counter"], "hits": ["counter"], one: ["counter"]}
    assert agent.get("/subjects", prefix='["spelt",""]').json() == [json.dumps(["spelt", two]), json.dumps(["spelt", one])]


def test_nul_is_refused_wherever_it_stands(agent):
    for query in ["pk=a%00b", "pk=%5B%22a%5Cu0000%22%5D", "a%00=1&pk=b"]:
        answer = agent.client.get(f"/count?{query}")
        assert answer.status_code == 400, query
    assert agent.totals(pk="a", periods="all")["all"]["_"].get("hits", 0) == 0


def test_an_agent_is_alive_and_ready(agent):
    assert agent.get("/healthz").status_code == 200
    assert agent.get("/readyz").status_code == 200
    status = agent.get("/status")
    assert status.status_code == 200
    assert isinstance(status.json(), dict)
