"""Trust by source address holds for honest requests only, and startup refuses what is wrong."""

import json
import os
import stat

import pytest

from agent import Agent, command, embedded_stores

FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example:8085"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
CALLS = [
    ("GET", "/totals"), ("GET", "/plotpoints"), ("GET", "/metrics"), ("GET", "/status"), ("GET", "/count?pk=a"),
    ("POST", "/count"), ("POST", "/count_now?pk=a"), ("POST", "/lines"), ("POST", "/flush_hail"),
]


@pytest.mark.parametrize("headers", FOREIGN, ids=lambda headers: "-".join(*headers.items()))
def test_requests_that_others_shaped_are_forbidden(agent, headers):
    for method, path in CALLS:
        answer = agent.client.request(method, path, headers=headers, content=b"a:hits=1|c" if "lines" in path else None)
        assert answer.status_code == 403, (method, path)
        assert answer.json()["error"]["code"]
        assert "access-control-allow-origin" not in answer.headers
    assert agent.totals(pk="a", periods="all")["all"]["_"].get("hits", 0) == 0
    # Life and readiness are everyone's.
    assert agent.client.get("/healthz", headers=headers).status_code == 200
    assert agent.client.get("/readyz", headers=headers).status_code == 200


def test_own_pages_and_trusted_names_are_answered(agent):
    port = agent.http.rsplit(":", 1)[1]
    own = f"http://{agent.http}"
    for headers in [
        {"Host": f"localhost:{port}"}, {"Host": "localhost"}, {"Host": f"LOCALHOST:{port}"}, {"Origin": own},
        {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": own, "Sec-Fetch-Site": "same-origin"},
    ]:
        assert agent.client.get("/totals", headers=headers).status_code == 200, headers


def test_named_hosts_and_origins_are_trusted_as_told(start):
    agent = start("--host", "metrics.example", "--cors", "https://pages.example")
    assert agent.client.get("/totals", headers={"Host": "metrics.example"}).status_code == 200
    answer = agent.client.get("/totals", headers={"Origin": "https://pages.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://pages.example"
    assert agent.client.get("/totals", headers={"Origin": "https://other.example"}).status_code == 403


def test_nobody_is_trusted_where_nobody_is_named(start):
    agent = start("--plain", "none", "--read", "none")
    for method, path in CALLS:
        assert agent.client.request(method, path).status_code in (401, 403), path
    agent.send("a:hits=1|c")
    assert agent.client.get("/healthz").status_code == 200


def test_unsealed_datagrams_are_refused_by_name(start):
    agent = start("--plain", "none")
    agent.send("a:hits=1|c\nb:hits=1|c")
    agent.until(lambda samples: samples.get('hailwhale_rejected_total{reason="unsealed"}', 0) == 2, "two refusals")


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--window", "0"], "--window"), (["--udp", "8125"], "--udp"), (["--store", "mysql://x"], "--store"),
        (["--resolutions", "7s:1h,10s:1h"], "--resolutions"), (["--plain", "everyone"], "--plain"),
        (["--pending-limit", "lots"], "--pending-limit"), (["--walk"], "--walk"), (["--log"], "--log"),
        (["--zones", "Mars/Olympus"], "--zones"), (["--udp", "none", "--http", "none"], "none"),
        (["--config", "/nonexistent.json"], "--config"),
    ],
)
def test_wrong_options_are_refused_with_64(arguments, part, folder):
    for name in ["run", "check"]:
        result = command(name, *arguments, env={"HAILWHALE_DATA": folder + "/data"})
        assert result.returncode == 64, result.stderr
        assert part in result.stderr
    assert not os.path.exists(folder + "/data")


def test_wrong_variables_and_keys_are_refused_with_64(folder):
    result = command("run", env={"HAILWHALE_MAX_SERIES": "many", "HAILWHALE_DATA": folder + "/data"})
    assert (result.returncode, "HAILWHALE_MAX_SERIES" in result.stderr) == (64, True)
    path = folder + "/config.json"
    with open(path, "w") as file:
        json.dump({"windows": 1}, file)
    result = command("run", "--config", path, env={"HAILWHALE_DATA": folder + "/data"})
    assert (result.returncode, '"windows"' in result.stderr) == (64, True)


@pytest.mark.parametrize("arguments", [["keygen"], ["pixel"]])
def test_later_commands_say_so(arguments):
    result = command(*arguments)
    assert (result.returncode, "not in this version" in result.stderr) == (64, True)


def test_the_data_folder_is_private_and_has_one_agent(agent):
    assert stat.S_IMODE(os.stat(agent.data).st_mode) == 0o700
    second = command("run", "--udp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", str(agent.data))
    assert second.returncode not in (0, 64)
    assert "level=error" in second.stderr or str(agent.data) in second.stderr


def test_a_store_that_may_evict_is_refused(redis_url, folder):
    import redis

    client = redis.Redis(unix_socket_path=redis_url.removeprefix("redis+unix://"))
    client.config_set("maxmemory-policy", "allkeys-lru")
    arguments = ["--store", redis_url, "--data", folder + "/data"]
    result = command("run", "--udp", "127.0.0.1:0", "--http", "127.0.0.1:0", *arguments)
    assert result.returncode not in (0, 64)
    assert "allkeys-lru" in result.stderr
    result = command("check", *arguments)
    assert (result.returncode, "allkeys-lru" in result.stderr) == (1, True)
    client.config_set("maxmemory-policy", "noeviction")
    assert command("check", *arguments).returncode == 0
    client.close()


def test_send_and_query_reach_the_agent(agent):
    lines = "".join(f"cli.{number % 3}:hits=1|c|#country:US\n" for number in range(300))
    result = command("send", "--to", agent.udp, stdin=lines)
    assert result.returncode == 0, result.stderr
    assert "sent 300 lines in " in result.stderr
    agent.until_lines(300)
    agent.flush()
    url = f"http://{agent.http}"
    arguments = ["query", "totals", "--agent", url, "--pk", "cli", "--dimensions", '["_",["country","US"]]']
    table = command(*arguments, "--periods", "all")
    assert table.returncode == 0, table.stderr
    assert [line.split() for line in table.stdout.splitlines()] == [
        ["period", "dimension", "hits"], ["all", "_", "300"], ["all", "country>US", "300"],
    ]
    assert json.loads(command(*arguments, "--json").stdout)["1m:1h"]["_"]["hits"] == 300
    points = command("query", "plotpoints", "--agent", url, "--pk", "cli", "--period", "1m:1h", "--csv")
    assert points.stdout.splitlines()[0] == "time,dimension,hits"
    assert sum(float(line.rsplit(",", 1)[1]) for line in points.stdout.splitlines()[1:]) == 300
    wrong = command("query", "plotpoints", "--agent", url, "--period", "never")
    assert (wrong.returncode, "the agent refuses: " in wrong.stderr) == (1, True)


def test_an_agent_without_a_listener_reads_or_collects(start, redis_url, folder):
    whale = start("--store", redis_url, data=folder + "/whale", udp="none")
    assert whale.udp is None
    assert whale.get("/readyz").status_code == 200
    hail = Agent(folder + "/hail", "--store", redis_url, http="none")
    try:
        hail.start()
        assert hail.http is None
        hail.send("hail:hits=1|c")
    finally:
        assert hail.terminate() == 0
    assert whale.totals(pk="hail", periods="all")["all"]["_"]["hits"] == 1


def test_an_agent_that_is_refused_leaves_no_store_behind(start):
    agent = start()
    assert agent.terminate() == 0
    arguments = ["--udp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", str(agent.data), "--resolutions", "1m:1d"]
    result = command("run", *arguments)
    assert (result.returncode, "resolutions" in result.stderr) == (1, True), result.stderr
    assert embedded_stores(agent.data) == []
