"""A write with an Idempotency-Key counts once, however often and wherever it is retried."""

import concurrent.futures

import httpx

from agent import total


def hits(agent, pk):
    return agent.totals(pk=pk, periods="all")["all"]["_"].get("hits", 0)


def retry(agent, key, body, times):
    """Sends the same write at once over connections of their own; the statuses."""

    def once(number):
        with httpx.Client(base_url=f"http://{agent.http}", timeout=20, trust_env=False) as client:
            return client.post(
                "/lines", params={"wait": ["store", "spool"][number % 2]}, content=body, headers={"Idempotency-Key": key}
            ).status_code

    with concurrent.futures.ThreadPoolExecutor(times) as pool:
        return list(pool.map(once, range(times)))


def test_fifty_retries_at_once_count_once(agent):
    body = "r.a.b:hits=2:sum=0.5|c|#country:US\nr.c:hits=1|c"
    assert retry(agent, "at-once", body, 50) == [200] * 50
    agent.flush()
    assert hits(agent, "r") == 3
    assert hits(agent, '["r","a","b"]') == 2
    samples = agent.metrics()
    assert total(samples, "hailwhale_events_stored_total") == 2
    assert total(samples, "hailwhale_events_used_total") == 98
    assert total(samples, "hailwhale_events_pending") == 0


def test_retries_count_once_over_a_restart_a_kill_and_two_agents(start, redis_url, folder):
    agents = [start("--store", redis_url, data=f"{folder}/{name}") for name in "ab"]
    body = "r.a:hits=1|c\nr.b.c:hits=1|c"
    for round in range(3):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda agent: retry(agent, "everywhere", body, 10), agents))
        assert answers == [[200] * 10] * 2
        if round == 0:
            assert agents[0].terminate() == 0
            agents[0].start()
        elif round == 1:
            agents[0].kill()
            agents[0].start()
    for agent in agents:
        agent.flush()
        assert [hits(agent, pk) for pk in ["r", '["r","a"]', '["r","b"]', '["r","b","c"]']] == [2, 1, 1, 1]


def test_a_used_key_takes_no_other_events_along(start, store):
    agent = start("--store", store.url, "--window", "60")
    assert agent.lines("u.a:hits=1|c", wait="store", **{"Idempotency-Key": "k"}).status_code == 200
    # Both wait for the store together, so they come to it in the same batches.
    store.pause()
    agent.lines("u.a:hits=1|c\nu.b:hits=1|c")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        flush = pool.submit(agent.flush)
        again = pool.submit(agent.lines, "u.a:hits=1|c", "store", **{"Idempotency-Key": "k"})
        agent.until(lambda read: total(read, "hailwhale_events_pending") == 3, "three events under way")
        store.resume()
        flush.result()
        assert again.result().status_code == 200
    samples = agent.metrics()
    assert hits(agent, "u") == 3
    assert total(samples, "hailwhale_events_stored_total") == 3
    assert total(samples, "hailwhale_events_used_total") == 1
