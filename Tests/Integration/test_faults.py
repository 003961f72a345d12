"""What was acknowledged is counted once, whatever dies: the agent, the store, the disk."""

import os
import random
import signal
import threading
import time

import httpx
import pytest

from agent import PATIENCE_SECONDS, Agent, command, embedded_stores, total
from store import Store
from test_ledger import closes


def read(agent, pk, metric="hits"):
    return agent.totals(pk=pk, metrics=metric, periods="all")["all"]["_"].get(metric, 0)


class Writer(threading.Thread):
    """Posts bodies of five lines one after the other, each over several shards; knows what was acknowledged."""

    def __init__(self, agent, name, wait):
        super().__init__(daemon=True)
        self.agent, self.name, self.wait = agent, name, wait
        self.acknowledged = self.unknown = 0
        self.ends = False

    def run(self):
        with httpx.Client(base_url=f"http://{self.agent.http}", timeout=20, trust_env=False) as client:
            while not self.ends:
                body = "\n".join(f"{self.name}.s{place}:hits=1|c|#d:v{place}" for place in range(5))
                try:
                    answer = client.post("/lines", params={"wait": self.wait}, content=body)
                except httpx.HTTPError:
                    self.unknown += 5
                    return
                if answer.status_code == 200:
                    self.acknowledged += 5
                else:
                    self.unknown += 5


def test_a_killed_agent_loses_nothing_acknowledged_and_counts_nothing_twice(start, store):
    source = random.Random(11)
    agent = start("--store", store.url, "--window", "0.1")
    acknowledged = {"spool": 0, "store": 0}
    unknown = {"spool": 0, "store": 0}
    for round in range(30):
        writers = [Writer(agent, wait, wait) for wait in ["spool", "store"] for _ in range(2)]
        for writer in writers:
            writer.start()
        time.sleep(source.uniform(0.01, 0.15))
        # However busy the machine is: something was acknowledged in every round.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(writer.acknowledged == 0 for writer in writers) and time.monotonic() < deadline:
            time.sleep(0.001)
        agent.kill()
        for writer in writers:
            writer.join(PATIENCE_SECONDS)
            acknowledged[writer.wait] += writer.acknowledged
            unknown[writer.wait] += writer.unknown
        if round % 3 == 0:
            # Killed again while it takes up what the first one left behind.
            agent.start()
            agent.kill()
        agent.start()
    agent.flush()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "an empty spool")
    for wait in ["spool", "store"]:
        parts = [read(agent, f'["{wait}","s{place}"]') for place in range(5)]
        assert acknowledged[wait] <= read(agent, wait) <= acknowledged[wait] + unknown[wait]
        # A body is one window: all of it counts or none of it.
        assert parts == [read(agent, wait) / 5] * 5
        assert read(agent, wait, "hits") == sum(parts)
    assert min(acknowledged.values()) >= 30 * 2 * 5


def test_a_killed_embedded_store_is_started_again_and_owed_nothing(start):
    agent = start("--window", "0.1")
    counted = 0
    for round in range(5):
        for _ in range(20):
            answer = agent.lines("e.a:hits=1|c\ne.b:hits=1|c", wait="store")
            assert answer.status_code == 200, answer.text
            counted += 2
            if _ == 10:
                for pid in embedded_stores(agent.data):
                    os.kill(pid, signal.SIGKILL)
    assert read(agent, "e") == counted
    assert agent.process.poll() is None


def test_a_store_that_hangs_delays_and_loses_nothing(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    for _ in range(2):
        store.pause()
        for number in range(50):
            assert agent.lines(f"h.a{number}:hits=1|c\nh.b:hits=1|c", wait="spool").status_code == 200
        closes(agent.metrics())
        time.sleep(0.5)
        store.resume()
        agent.flush()
    assert read(agent, "h") == 200
    assert total(agent.metrics(), "hailwhale_events_pending") == 0


def test_a_store_that_died_gets_what_it_missed(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    for round in range(3):
        agent.lines("d.a:hits=1|c\nd.b:hits=1|c", wait="store")
        store.kill()
        for _ in range(20):
            assert agent.lines("d.a:hits=1|c\nd.c:hits=1|c", wait="spool").status_code == 200
        store.start()
        agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert read(agent, "d") == 3 * 42
    assert total(agent.metrics(), "hailwhale_events_lost_total") == 0


def test_an_idle_agent_mends_a_store_that_went_back(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    agent.lines("back.a:hits=1|c\nback.b:hits=1|c", wait="store")
    time.sleep(1.1)  # Until `appendfsync everysec` has it.
    store.copy("earlier")
    for _ in range(10):
        assert agent.lines("back.a:hits=1|c\nback.b:hits=1|c", wait="store").status_code == 200
    store.kill()
    store.take_back("earlier")
    store.start()
    # Nothing more is sent: the agent must find out by itself.
    samples = agent.until(
        lambda samples: total(samples, "hailwhale_batches_total", outcome="resent") >= 20, "what the store lost, again")
    assert read(agent, "back") == 22
    assert total(samples, "hailwhale_events_reverted_total") == 0


def test_an_emptied_store_gets_the_tail_again(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    for _ in range(10):
        assert agent.lines("gone.a:hits=1|c", wait="store").status_code == 200
    store.client.flushall()
    assert agent.lines("gone.a:hits=1|c", wait="store").status_code == 200
    agent.flush()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert read(agent, "gone") == 11


def test_cut_connections_are_opened_again(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    for number in range(100):
        if number % 7 == 0:
            for client in store.client.client_list():
                if client["cmd"] != "client|list":
                    store.client.client_kill(client["addr"]) if client["addr"] else None
                    store.client.execute_command("CLIENT", "KILL", "ID", client["id"])
        assert agent.lines("cut.a:hits=1|c\ncut.b:hits=1|c", wait="store").status_code == 200
    assert read(agent, "cut") == 200


@pytest.mark.parametrize("wait", ["spool", "none"])
def test_a_drain_without_a_store_ends_in_time_and_the_next_start_delivers_once(start, store, wait):
    agent = start("--store", store.url, "--window", "60" if wait == "none" else "0.1")
    assert agent.lines("drain.a:hits=1|c", wait="store").status_code == 200
    store.pause()
    for number in range(30):
        assert agent.lines(f"drain.a:hits=1|c\ndrain.b{number}:hits=1|c", wait=wait).status_code == 200
    began = time.monotonic()
    assert agent.terminate() == 0
    assert time.monotonic() - began < 9
    store.resume()
    agent.start()
    samples = agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert read(agent, "drain") == 61
    closes(samples)


def test_a_full_spool_counts_nothing_twice(start, store):
    agent = start("--store", store.url, "--window", "0.1", "--spool-limit", "1M")
    assert agent.lines("full.s:hits=1|c", wait="store").status_code == 200
    store.pause()
    # What holds the spool's bytes: windows that wait behind a batch without an answer.
    sent = 1
    while total(agent.metrics(), "hailwhale_spool_errors_total") == 0:
        agent.lines("\n".join(f"full.s:x{place}=1|c|#d:{sent}" for place in range(400)))
        agent.lines("full.s:hits=1|c")
        sent += 401
        time.sleep(0.02)
    store.resume()
    time.sleep(0.5)
    agent.kill()
    agent.start()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert read(agent, "full") <= sent


def test_names_beyond_the_limit_survive_a_kill(start, store):
    agent = start("--store", store.url, "--window", "0.1", "--max-series", "8")
    assert agent.lines("over.a:hits=1|c", wait="store").status_code == 200
    store.pause()
    count = 4_000
    for first in range(0, count, 500):
        body = "\n".join(f"over.n{number}:hits=1|c|#d:v{number}" for number in range(first, first + 500))
        assert agent.lines(body, wait="spool").json()["accepted"] == 500
    agent.kill()
    store.resume()
    agent.start()
    samples = agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert total(samples, "hailwhale_events_lost_total") == 0
    assert read(agent, "over") == count + 1


def test_another_setup_of_the_store_is_refused_with_the_difference(start, store, folder):
    agent = start("--store", store.url)
    agent.terminate()
    arguments = ["--udp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--store", store.url, "--data", folder + "/other"]
    for option, value, part in [("--resolutions", "1m:1d,1h:31d", "resolutions"), ("--max-values", "7", "max-values")]:
        result = command("run", *arguments, option, value)
        assert result.returncode not in (0, 64)
        assert part in result.stderr.replace("_", "-"), result.stderr


def test_a_wrong_password_is_refused(folder):
    store = Store(folder + "/redis", password="right")
    try:
        store.start()
        result = command(
            "run", "--udp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", folder + "/data",
            "--store", f"redis+unix://:wrong@{store.path}")
        assert result.returncode not in (0, 64), result.stderr
        assert "AUTH" in result.stderr or "password" in result.stderr, result.stderr
        assert "wrong@" not in result.stderr and ":wrong" not in result.stderr
    finally:
        store.end()


def test_a_store_that_appears_later_gets_everything(folder):
    store = Store(folder + "/redis")
    agent = Agent(folder + "/data", "--store", store.url, "--window", "0.1")
    try:
        agent.start(is_awaited=False)
        assert agent.get("/healthz").status_code == 200
        assert agent.get("/readyz").status_code == 503
        for _ in range(10):
            assert agent.lines("later.a:hits=1|c\nlater.b:hits=1|c", wait="spool").status_code == 200
        agent.kill()
        agent.start(is_awaited=False)
        assert agent.lines("later.a:hits=1|c", wait="spool").status_code == 200
        store.start()
        agent.await_ready()
        samples = agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
        closes(samples)
        assert read(agent, "later") == 21
    finally:
        agent.stop()
        store.end()
