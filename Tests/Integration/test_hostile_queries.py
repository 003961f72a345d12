"""Five hundred queries of people who mean no good, on each call, as a query, a form and JSON: none is answered by 5xx.

Each call has a seed of its own; a failure prints the request."""

import json
import random
import time
import urllib.parse

import pytest

QUERIES = 500
# No measure: a query that takes this long on a store that holds next to nothing hangs.
HANGING_SECONDS = 5
PARAMETERS = {
    "/totals": ["pk", "dimensions", "metrics", "periods", "tz", "format"],
    "/plotpoints": ["pk", "dimensions", "metrics", "period", "depth", "sort", "limit", "threshold", "tz", "with_totals",
                    "descending", "format"],
    "/rank": ["pk", "dimensions", "metrics", "period", "recursive", "prune_parents", "tz", "format"],
    "/subdimensions": ["pk", "dimensions", "recursive", "format"],
    "/subjects": ["prefix", "limit"],
    "/metrics_of": ["pk"],
    "/spy": ["pk", "limit", "after"],
    "/count": ["pk", "dimensions", "metrics", "at"],
    "/count_now": ["pk", "dimensions", "metrics", "at"],
    "/update_count_to": ["pk", "dimensions", "metrics", "at"],
    "/reset": ["pk", "dimensions", "metrics"],
    "/flush_hail": [],
    "/lines": ["wait"],
}
ALIASES = {"metrics": "metric", "dimensions": "dimension", "pk": "category", "period": "periods", "periods": "period"}
NUMBERS = [0, -1, 1, 9, 2**31, 2**53 + 1, -2**63, 2**63, 2**64, 10**30, 0.1, -0.0, 1e-300, 1e300, 5e-324]
# What each may well be, so that hostile values reach what lies behind the first of them.
PLAUSIBLE = {
    "pk": ["country", "a", ["a", 1], None], "dimensions": ["country", ["a", "b"], {"geo": {"US": "CA"}}, [["a"], ["b"]]],
    "metrics": ["hits", {"hits": 2}], "period": ["1m:1h", "thirty", "1h:2d", "all"], "periods": ["1m:1h", "all", "1h:1d,1d:1w"],
    "tz": ["UTC", "-0330"], "format": ["rows", "csv", "nested"], "depth": [0, 1, 8], "sort": ["-hits", "hits"], "limit": [1, 100],
    "threshold": [0, 0.5], "with_totals": [True], "descending": [False], "recursive": [True, False], "prune_parents": [True],
    "prefix": ["a", ["a", ""]], "after": [5], "at": [None], "wait": ["none", "spool"],
}
TEXTS = [
    "", " ", "_", "__other__", "×", "a×b", "a", "country", "[", "{", "'", '"', "[]", "{}", "[[]]", "[[],[]]", "null", "true",
    "NaN", "Infinity", "-", "+", "%", "%00", "%2F", "a/b", "a/b/c", "/", ":", "a:+", "a:+:last", "a:p50", "a:p101", "a:p-1",
    "a:set", "a:gauge:timer", "=", "=5", "=days", "_count", "-hits", "--hits", "hits,", ",", ",,,,", "hits,hits", "é", "e\u0301",
    "\u202e", "🐋", "\ud83d", "\ufeff", "\u2028", "\x7f", "\x01", "\n", "\r\n", "\x00", "a\x00b", "../../etc/passwd", "$where",
    "'; DROP TABLE", "<script>", "1m:1h", "1s:200y", "1d:1w", "1mo:10y", "7m:1h", "0m:0m", "-1m:1h", "1h:1m", "1e3m:1h", "all",
    "today", "ytd", "2/30/2026-3/1/2026", "1/1/0001-1/1/9999", "5-1", "0-99999999999", "99999999999999999999-1", "+0530", "-9999",
    "+25:00", "Europe/Berlin", "../UTC", "UTC", "2026-11-24T03:00:00Z", "1e9", "-5", "18446744073709551616", "0x10", "rows", "csv",
    "a" * 256, "a" * 257, "é" * 129, "a," * 700, "[" * 65, "[" * 500 + "]" * 500, '{"a":' * 30 + "1" + "}" * 30,
    json.dumps(["p"] * 17), json.dumps([["p", str(n)] for n in range(33)]), json.dumps({f"m{n}": n for n in range(65)}),
]


def value(random, depth=0):
    kind = random.randrange(10 if depth < 4 else 6)
    if kind < 4:
        return random.choice(TEXTS)
    if kind == 4:
        return random.choice(NUMBERS)
    if kind == 5:
        return random.choice([None, True, False, "".join(chr(random.randrange(1, 0x2FF)) for _ in range(random.randrange(40)))])
    if kind < 8:
        return [value(random, depth + 1) for _ in range(random.choice([0, 1, 2, 3, 40]) if depth else random.randrange(4))]
    return {text(value(random, 9))[:300]: value(random, depth + 1) for _ in range(random.randrange(4))}


def text(thing):
    return thing if isinstance(thing, str) else json.dumps(thing)


def query(random, names):
    pairs = []
    for name in names:
        if random.random() < 0.5:
            thing = random.choice(PLAUSIBLE[name]) if random.random() < 0.7 else value(random)
            pairs.append((ALIASES.get(name, name) if random.random() < 0.1 else name, thing))
    if random.random() < 0.05:
        pairs.append((text(value(random, 9))[:300], value(random)))
    if pairs and random.random() < 0.03:
        pairs.append(pairs[0])
    return pairs


def send(agent, random, path, pairs):
    form = random.choice(["query", "form", "json"])
    texts = [(name, text(thing)) for name, thing in pairs]
    encoded = urllib.parse.urlencode(texts, errors="surrogatepass")
    if form == "query" and len(encoded) < 60_000 and path not in ("/reset", "/lines"):
        return agent.client.get(path + "?" + encoded)
    if path == "/lines":
        body = "\n".join(text(value(random)) for _ in range(3)).encode(errors="surrogatepass")
        return agent.client.post(path + "?" + encoded[:9_000].rpartition("%")[0], content=body)
    if form == "json":
        members = ",".join(json.dumps(name) + ":" + json.dumps(thing) for name, thing in pairs)
        return agent.client.post(path, content="{" + members + "}", headers={"Content-Type": "application/json"})
    return agent.client.post(path, content=encoded, headers={"Content-Type": "application/x-www-form-urlencoded"})


@pytest.mark.parametrize("path", PARAMETERS)
def test_no_hostile_query_is_too_much(start, path):
    agent = start("--window", "0.1")
    agent.lines("country:hits=1|c|#a:b,country:US\na:300|ms\na:5|g\na:ada|s", wait="store")
    source = random.Random(path)
    statuses = {}
    for number in range(QUERIES):
        pairs = query(source, PARAMETERS[path])
        began = time.monotonic()
        answer = send(agent, source, path, pairs)
        seconds = time.monotonic() - began
        said = (path, number, repr(pairs)[:500], answer.text[:300])
        assert seconds < HANGING_SECONDS, said
        assert answer.status_code in (200, 400, 413, 414) or (path, answer.status_code) == ("/reset", 403), said
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        if answer.status_code == 200:
            continue
        error = answer.json()["error"]
        assert error["code"] and error["message"], said
        # What is wrong with a parameter names it.
        if error["code"] in ("bad_path", "bad_metric", "bad_period", "bad_tz", "bad_at", "bad_value", "no_sketch", "zone_not_kept"):
            assert error["param"] in PARAMETERS[path] or ALIASES.get(error["param"]) in PARAMETERS[path], said
    # The test reaches both sides of the readers.
    assert statuses.get(400, 0) > (50 if PARAMETERS[path] else 10), statuses
    if path not in ("/reset", "/lines"):
        assert statuses.get(200, 0) > 50, statuses
    assert agent.process.poll() is None
    samples = agent.metrics()
    assert not [name for name in samples if "http_requests_total" in name and 'status="5' in name], samples
