"""/rank, /update_count_to, /reset, the forms of answers and their tags, over HTTP on the release binary."""

import csv
import io
import json
import re
import shutil
import tempfile
import time

import pytest
import yaml

from agent import ROOT, Agent


def count(agent, pk, dimensions, **metrics):
    answer = agent.client.post("/count_now", json={"pk": pk, "dimensions": dimensions, "metrics": metrics})
    assert answer.status_code == 200, answer.text


def rank(agent, **parameters):
    answer = agent.get("/rank", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def important(ranking):
    return {key for key, entry in ranking.items() if entry["important"]}


def scalar_events(agent):
    for path, value in [(["a", "asub1"], 1), (["a", "asub2"], 30), (["b"], 80), (["c"], 10)]:
        count(agent, "rank", path, value=value)


def ratio_events(agent):
    for path, value, visitors in [
        (["a", "asub1"], 54989, 4999), (["a", "asub2"], 375000, 25000), (["b"], 100000, 20000), (["c"], 5, 1),
    ]:
        count(agent, "ratio", path, value=value, visitors=visitors)


def test_a_ranking_names_what_matters_of_a_sum(agent):
    scalar_events(agent)
    ranking = rank(agent, pk="rank", metric="value")
    assert important(ranking) == {'["a", "asub2"]', "b"}
    assert list(ranking)[:2] == ["b", '["a", "asub2"]']
    assert set(ranking) == {"a", '["a", "asub1"]', '["a", "asub2"]', "b", "c"}
    assert [ranking[key]["value"] for key in ["a", "b", "c"]] == [31, 80, 10]
    # The effect of a parent is what its important children leave of it.
    assert ranking["a"]["effect"] == 1
    assert ranking['["a", "asub2"]']["difference"] == pytest.approx(30 / 31)
    assert important(rank(agent, pk="rank", metric="value", prune_parents="false")) == {"a", '["a", "asub2"]', "b"}
    assert set(rank(agent, pk="rank", metric="value", recursive="false")) == {"a", "b", "c"}
    assert important(rank(agent, pk="rank", metric="value", recursive="false")) == {"a", "b"}
    assert set(rank(agent, pk="rank", metric="value", dimension="a")) == {'["a", "asub1"]', '["a", "asub2"]'}
    both = rank(agent, pk="rank", metric="value", dimensions='[["_"],["a"]]', period="all")
    assert both == {"_": ranking, "a": rank(agent, pk="rank", metric="value", dimensions="a")}
    assert rank(agent, pk="nobody", metric="value") == {}


def test_a_ranking_names_what_matters_of_a_ratio(agent):
    ratio_events(agent)
    ranking = rank(agent, pk="ratio", metric="value/visitors")
    assert important(ranking) == {'["a", "asub2"]', "b"}
    expected = {
        '["a", "asub1"]': (11.0, 54989, 4999, 0.0377), '["a", "asub2"]': (15, 375000, 25000, 0.4151),
        "b": (5, 100000, 20000, -0.5283), "c": (5, 5, 1, -0.5283),
    }
    overall = 529994 / 50000
    for key, (score, value, visitors, difference) in expected.items():
        entry = ranking[key]
        assert entry["score"] == pytest.approx(score, abs=0.001)
        assert (entry["value"], entry["count"]) == (value, visitors)
        assert entry["difference"] == pytest.approx(difference, abs=0.0002)
        assert entry["effect"] == pytest.approx((value / visitors - overall) * visitors)


def test_wrong_rankings_are_refused(agent):
    for parameters, name in [
        ({"metrics": "a,b"}, "metrics"), ({"period": "nonsense"}, "period"), ({"recursive": "perhaps"}, "recursive"),
        ({"prune_parents": "2"}, "prune_parents"), ({"depth": "1"}, "depth"), ({"format": "xml"}, "format"),
        ({"dimensions": "a,\x01"}, "dimensions"), ({"period": '["1h:1d"]'}, "period"),
    ]:
        answer = agent.get("/rank", pk="r", **parameters)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, name), answer.text


def test_plotpoints_as_rows_and_as_csv(agent):
    for path, dollars in [(["country", "US"], 5), (["country", "=1+1"], 2.5), (["geo", "a,b", 'c"d'], 1)]:
        count(agent, "forms", path, dollars=dollars)
    parameters = {"pk": "forms", "metrics": "dollars,hits", "period": "1d:2d", "depth": 3}
    nested = agent.plotpoints(**parameters)
    answer = agent.get("/plotpoints", format="rows", **parameters)
    rows = answer.json()
    assert answer.headers["content-type"] == "application/json"
    found = {}
    for row in rows:
        found.setdefault(row["dimension"], {}).setdefault(row["metric"], []).append([row["t"], row["value"]])
    assert found == nested
    by_path = {row["dimension"]: row for row in rows}
    assert by_path['["country", "US"]']["country"] == "US"
    assert by_path["country"]["country"] == ""
    assert by_path['["geo", "a,b", "c\\"d"]']["geo"] == 'a,b>c"d'
    assert list(by_path["_"]) == ["t", "metric", "value", "dimension"]
    answer = agent.get("/plotpoints", format="csv", **parameters)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.text.count("\n") == answer.text.count("\r\n") == len(rows) + 1
    lines = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert list(lines[0]) == ["t", "metric", "value", "dimension", "country", "geo"]
    # What a spreadsheet would take for a formula is disarmed, in CSV alone.
    for line, row in zip(lines, rows, strict=True):
        assert (int(line["t"]), line["metric"], float(line["value"])) == (row["t"], row["metric"], row["value"])
        assert line["dimension"] == row["dimension"]
        assert line["country"] == row.get("country", "").replace("=1+1", "'=1+1")
        assert line["geo"] == row.get("geo", "")


def test_rows_of_totals_rankings_and_subdimensions(agent):
    scalar_events(agent)
    rows = agent.get("/totals", pk='[["rank"],["nobody"]]', metrics="value,hits", periods="all,1h:1d",
                     dimensions='[["a"],["b"]]', format="rows").json()
    assert len(rows) == 2 * 2 * 2 * 2
    assert {"period": "all", "metric": "value", "value": 31, "dimension": "a", "subject": "rank", "a": ""} in rows
    rows = agent.get("/rank", pk="rank", metrics="value", format="rows").json()
    assert rows[0] | {"difference": 0} == {
        "score": 80, "value": 80, "count": 80, "difference": 0, "effect": 80, "important": True, "metric": "value",
        "dimension": "b", "b": "",
    }
    rows = agent.get("/subdimensions", pk="rank", recursive="true", format="rows").json()
    assert {"dimension": '["a", "asub1"]', "a": "asub1"} in rows
    lines = list(csv.reader(io.StringIO(agent.get("/subdimensions", pk="rank", dimensions="a", format="csv").text)))
    assert lines == [["dimension", "a"], ['["a", "asub1"]', "asub1"], ['["a", "asub2"]', "asub2"]]


def test_rows_say_what_is_older_than_kept_and_hold_totals(agent):
    count(agent, "old", "x", hits=3)
    nested = agent.plotpoints(pk="old", period="1m:3d", with_totals="true", descending="true")
    rows = agent.get("/plotpoints", pk="old", period="1m:3d", with_totals="true", descending="true", format="rows").json()
    assert {row["truncated_before"] for row in rows} == {nested["truncated_before"]}
    points = nested["_"]["hits"]
    assert [[row["t"] or "Total", row["value"]] for row in rows] == points
    assert (points[0][0], points[0][1], points[-1][0] < points[1][0]) == ("Total", 3, True)


@pytest.mark.parametrize("call", [
    "/totals?pk=tag&periods=all", "/plotpoints?pk=tag&period=1d:2d", "/rank?pk=tag", "/subdimensions?pk=tag&recursive=true",
    "/metrics_of?pk=tag", "/subjects?prefix=tag", "/spy?pk=tag", "/plotpoints?pk=tag&period=1d:2d&format=csv",
])
def test_a_poll_that_finds_nothing_new_costs_a_304(agent, call):
    count(agent, "tag", "x", dollars=1)
    first = agent.client.get(call)
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[A-Za-z0-9_-]{22}"', tag)
    assert first.headers["cache-control"] == "private, no-cache"
    for value in [tag, f'"x", W/{tag}', "*"]:
        again = agent.client.get(call, headers={"If-None-Match": value})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        # A length that is sent is the whole answer's.
        assert again.headers["content-length"] == str(len(first.content))
    head = agent.client.head(call, headers={"If-None-Match": '"x"'})
    assert (head.status_code, head.headers["etag"], head.headers["content-length"]) == (200, tag, str(len(first.content)))
    assert agent.client.get(call, headers={"If-None-Match": tag[:-1]}).status_code == 200
    count(agent, "tag", ["x", "y"], euros=1)
    count(agent, "tag2", "x", dollars=1)
    again = agent.client.get(call, headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["etag"] != tag) == (200, True)
    path, query = call.split("?")
    form = agent.client.post(path, content=query, headers={
        "If-None-Match": again.headers["etag"], "Content-Type": "application/x-www-form-urlencoded"})
    assert form.status_code == 200
    if path != "/spy":
        assert (form.content, form.headers["etag"]) == (again.content, again.headers["etag"])


def test_errors_have_no_tag_and_are_not_kept(agent):
    answer = agent.client.get("/totals?periods=nonsense", headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers["cache-control"]) == (400, "no-store")
    assert "etag" not in answer.headers


@pytest.mark.parametrize("form", ["query", "form", "json"])
def test_update_count_to_sets(agent, form):
    def update(dimensions=None, headers=None, **metrics):
        if form == "json":
            body = {"pk": ["shop", 7], "metrics": metrics} | ({"dimensions": dimensions} if dimensions else {})
            answer = agent.client.post("/update_count_to", json=body, headers=headers)
        else:
            texts = {"pk": '["shop",7]', "metrics": json.dumps(metrics)}
            if dimensions:
                texts["dimensions"] = json.dumps(dimensions)
            answer = (agent.client.get("/update_count_to", params=texts, headers=headers) if form == "query"
                      else agent.client.post("/update_count_to", data=texts, headers=headers))
        assert (answer.status_code, answer.text) == (200, "OK\n"), answer.text

    def stock(dimensions="_", metrics="stock"):
        agent.flush()
        return agent.totals(pk='["shop",7]', dimensions=dimensions, metrics=metrics, periods="1h:1d")["1h:1d"]

    update(stock=17)
    update(stock=-12.5)
    assert stock() == {"_": {"stock": -12.5}}
    update(dimensions={"region": {"eu": "de"}}, stock=4, orders=1)
    assert stock('["region","eu","de"]', "stock,orders") == {'["region", "eu", "de"]': {"stock": 4, "orders": 1}}
    # Gauges have no prefixes, and setting is no event that counts.
    assert stock("region") == {"region": {"stock": 0}}
    assert stock(metrics="hits") == {"_": {"hits": 0}}
    assert agent.get("/metrics_of", pk='["shop",7]').json() == {"orders": ["gauge"], "stock": ["gauge"]}
    assert agent.get("/metrics_of", pk="shop").json() == {}
    # A repeat with the key is the same write, not a later one.
    update(stock=1, headers={"Idempotency-Key": "one"})
    update(stock=2)
    agent.flush()
    update(stock=1, headers={"Idempotency-Key": "one"})
    assert stock() == {"_": {"stock": 2}}


def test_update_count_to_at_a_time(agent):
    now = int(time.time())
    for at, value in [(now - 7_200, 5), (now - 10_800, 9)]:
        answer = agent.get("/update_count_to", pk="t", metrics=json.dumps({"m": value}), at=at)
        assert answer.status_code == 200, answer.text
    agent.flush()
    points = [value for _, value in agent.plotpoints(pk="t", metrics="m", period="1h:4h")["_"]["m"]]
    assert points == [9, 5, 0, 0]
    assert agent.totals(pk="t", metrics="m", periods="1h:1d")["1h:1d"]["_"]["m"] == 5


@pytest.mark.parametrize("parameters, code, name", [
    ({}, "bad_metric", "metrics"), ({"metrics": "{}"}, "bad_metric", "metrics"), ({"metrics": '{"m":"x"}'}, "bad_metric", "metrics"),
    ({"metrics": '{"m":1e14}'}, "bad_metric", "metrics"), ({"metrics": '{"m":1}', "at": "soon"}, "bad_at", "at"),
    ({"metrics": '{"m":1}', "at": "1"}, "late", "at"), ({"metrics": '{"m":1}', "depth": "1"}, "unknown_parameter", "depth"),
    ({"metrics": '{"m":1}', "pk": '[["a"],["b"]]'}, "bad_path", "pk"),
])
def test_wrong_updates_are_refused(agent, parameters, code, name):
    answer = agent.get("/update_count_to", **parameters)
    assert answer.status_code == 400, answer.text
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == (code, name)


def test_reset_needs_what_nobody_can_have(agent):
    count(agent, "kept", "x", dollars=1)
    answer = agent.client.get("/reset?pk=kept")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    for headers in [{}, {"Authorization": "Bearer 7.secret"}]:
        answer = agent.client.post("/reset", json={"pk": "kept", "dimensions": "x", "metrics": "dollars"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "no_admin_key")
    for body, name in [({}, "pk"), ({"pk": "kept", "metrics": "a/b"}, "metrics"), ({"pk": "kept", "dimensions": ["a\x01"]}, "dimensions"),
                       ({"pk": "kept", "period": "all"}, "period")]:
        answer = agent.client.post("/reset", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, name), answer.text
    assert agent.totals(pk="kept", metrics="dollars", periods="all")["all"]["_"]["dollars"] == 1


def test_the_description_has_every_call_and_no_other(agent):
    described = yaml.safe_load((ROOT / "protocol/openapi.yaml").read_text())["paths"]
    sources = "".join(path.read_text() for path in (ROOT / "Sources/HailAgent").rglob("*.swift"))
    routed = set(re.findall(r'"(/[a-zA-Z_/.-]*)": (?:Router\.Route|route)\(', sources))
    assert routed == set(described)
    for path, methods in described.items():
        allowed = agent.client.request("PATCH", path).headers["allow"].split(", ")
        # HEAD goes without saying where GET only reads.
        assert {method.upper() for method in methods} == set(allowed) - {"HEAD"}, path
        known = agent.client.request(
            allowed[-1], path, params={"nonsense": "1"}).json().get("error", {}).get("message", "") \
            if path in ("/totals", "/plotpoints", "/rank", "/subdimensions", "/subjects", "/metrics_of", "/count") else ""
        for parameter in methods.get("get", {}).get("parameters", []) if known else []:
            name = parameter.get("name") or parameter["$ref"].rsplit("/", 1)[1]
            assert name == "idempotencyKey" or name in known, (path, name)


@pytest.mark.parametrize("call, name, value", [
    ("/totals", "periods", "nonsense"), ("/totals", "periods", "7s:1m"), ("/totals", "tz", "Nowhere/Land"), ("/totals", "metrics", "a:p101"),
    ("/totals", "metrics", "a/b/c"), ("/totals", "pk", '["a","_"]'), ("/totals", "dimensions", "d" * 257), ("/totals", "format", "xml"),
    ("/plotpoints", "depth", "9"), ("/plotpoints", "sort", "a/b/c"), ("/plotpoints", "limit", "-1"), ("/plotpoints", "threshold", "1.5"),
    ("/plotpoints", "with_totals", "perhaps"), ("/plotpoints", "descending", "2"), ("/plotpoints", "period", "1m:2w"),
    ("/rank", "recursive", "never"), ("/subdimensions", "recursive", "never"), ("/subdimensions", "dimensions", json.dumps(["deep"] * 9)),
    ("/subjects", "limit", "10001"), ("/subjects", "prefix", '[["a"],"b"]'), ("/metrics_of", "pk", json.dumps(["deep"] * 17)),
    ("/spy", "limit", "0"), ("/spy", "after", "-1"), ("/count", "at", "soon"), ("/count", "at", "7"), ("/count", "metrics", '{"m":"many"}'),
    ("/count", "pk", "__other__"), ("/update_count_to", "metrics", '{"m":1e13}'), ("/lines", "wait", "long"),
])
def test_what_is_wrong_is_named_and_shown(agent, call, name, value):
    answer = agent.client.post(call, params={name: value}) if call == "/lines" else agent.get(call, **{name: value})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, name), error
    if call not in ("/subjects",) or name == "limit":
        shown = {'["a","_"]': '[\\"a\\", \\"_\\"]', '{"m":"many"}': "m", '{"m":1e13}': "m"}.get(value, value[:20])
        assert shown.replace('\\"', '"').replace('","', '", "') in error["message"].replace('\\"', '"'), error
    # And what is allowed: more than a word.
    assert len(error["message"].split()) > 5, error


@pytest.mark.parametrize("form", ["query", "form", "json"])
@pytest.mark.parametrize("pk", ["audit", '"audit"', "'audit'", '["audit"]', "['audit']", '{"audit":null}'])
@pytest.mark.parametrize("metrics", ["revenue,hits,revenue/hits", '["revenue","hits","revenue/hits"]', "['revenue','hits','revenue/hits']"])
def test_names_and_forms_of_one_question_mean_the_same(module_agent, form, pk, metrics):
    """Singular and plural, bare, JSON and single quotes: by query and form as texts, by JSON as values."""
    for names in [("pk", "metrics", "dimensions", "periods"), ("category", "metric", "dimension", "period")]:
        texts = dict(zip(names, [pk, metrics, "{'country':'US'}", "all"], strict=True))
        if form == "query":
            answer = module_agent.get("/totals", **texts)
        elif form == "form":
            answer = module_agent.client.post("/totals", data=texts)
        else:
            values = {
                name: json.loads(text.replace("'", '"')) if text[0] in "[{\"'" else text for name, text in texts.items()
            }
            answer = module_agent.client.post("/totals", json=values)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"all": {'["country", "US"]': {"revenue": 12.5, "hits": 2, "revenue/hits": 6.25}}}


@pytest.fixture(scope="module")
def module_agent():
    folder = tempfile.mkdtemp(prefix="hw-", dir="/tmp")
    agent = Agent(folder + "/data").start()
    try:
        for revenue in [10, 2.5]:
            count(agent, "audit", {"country": "US"}, revenue=revenue)
        yield agent
    finally:
        agent.stop()
        shutil.rmtree(folder, ignore_errors=True)
