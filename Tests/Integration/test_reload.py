"""HUP reads the configuration again: what may change does, without a line lost; what may not is named."""

import json
import os
import signal
import socket
import threading
import time

import pytest

from agent import PATIENCE_SECONDS, Agent, fields, total
from readings import read
from test_ledger import closes

FINE = {"window": 0.1}


class Configured:
    """An agent that is configured by a file, which a test writes anew."""

    def __init__(self, start, folder, *arguments, env=None, **options):
        self.path, self.count = folder + "/hailwhale.json", 0
        self.write(**options)
        self.agent = start("--config", self.path, *arguments, env=env)

    def write(self, text=None, **options):
        with open(self.path + ".new", "w") as file:
            file.write(json.dumps(options) if text is None else text)
        os.rename(self.path + ".new", self.path)

    def said(self, *messages):
        return [fields(line) for line in self.agent.log if fields(line).get("msg", "").startswith(messages)]

    def reload(self, text=None, **options):
        """Writes the file, sends HUP and waits until the log says what came of it."""
        self.write(text, **options)
        before = len(self.agent.log)
        self.agent.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE_SECONDS
        ends = ("configuration read again", "the configuration is refused")
        while not any(fields(line).get("msg", "").startswith(ends) for line in self.agent.log[before:]):
            assert time.monotonic() < deadline, "".join(self.agent.log[before:])
            time.sleep(0.005)
        return [fields(line) for line in self.agent.log[before:]]

    def status(self):
        return self.agent.get("/status").json()


def test_ten_reloads_a_second_lose_not_a_line(start, folder):
    """Two configurations in turn, each of which changes all that HUP changes, while lines arrive every way."""
    configurations = [
        {"window": 0.1, "drop_dimensions": [], "gauge-sign": "auto", "pending-limit": "64M", "spool-limit": "64M",
         "log": "info", "host": ["a.example"], "plain": "loopback"},
        {"window": 0.3, "drop_dimensions": ["host"], "gauge-sign": "delta", "pending-limit": "32M", "spool-limit": "32M",
         "log": "warning", "host": ["b.example"], "plain": "private"},
    ]
    path = folder + "/lines.sock"
    configured = Configured(start, folder, "--tcp", "unix:" + path, "--lanes", "3", **configurations[0])
    agent, ends, sent = configured.agent, threading.Event(), {"udp": 0, "tcp": 0, "http": 0}

    def line(number):
        return f"hup:n={number}|c|#host:h{number % 500},kind:k{number % 3}\n"

    def udp():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not ends.is_set():
                sent["udp"] += 1
                sender.sendto(line(sent["udp"]).encode(), agent.udp_address)
                time.sleep(0.001)

    def tcp():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sender:
            sender.connect(path)
            while not ends.is_set():
                sent["tcp"] += 1
                sender.sendall(line(sent["tcp"]).encode())
                time.sleep(0.001)

    def http():
        while not ends.is_set():
            sent["http"] += 1
            wait = "store" if sent["http"] % 5 == 0 else None
            assert agent.lines(line(sent["http"]), wait=wait).json()["accepted"] == 1

    senders = [threading.Thread(target=target) for target in (udp, tcp, http)]
    for sender in senders:
        sender.start()
    try:
        for number in range(40):
            configured.write(**configurations[(number + 1) % 2])
            agent.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
    finally:
        ends.set()
        for sender in senders:
            sender.join(PATIENCE_SECONDS)
    configured.reload(**configurations[0])
    count = sum(sent.values())
    samples = agent.until_lines(count)
    agent.flush()
    samples = agent.metrics()
    closes(samples)
    assert total(samples, "hailwhale_lines_total", outcome="rejected") == 0
    assert total(samples, "hailwhale_datagrams_kernel_dropped_total") == 0
    assert total(samples, "hailwhale_events_stored_total") == count
    assert read(agent, "hup", "hits", "n", period="all") == [
        count, sum(number * (number + 1) // 2 for number in sent.values())]
    kinds = [read(agent, "hup", "hits", dimensions=["kind", f"k{kind}"], period="all") for kind in range(3)]
    assert sum(kinds) == count
    # Some of the time they were forgotten, some of the time not.
    assert 0 < read(agent, "hup", "hits", dimensions=["host"], period="all") < count
    assert configured.status()["reload"]["failed"] is False


def test_what_callers_may_changes(start, folder):
    configured = Configured(start, folder, **FINE)
    agent = configured.agent

    def count(**headers):
        return agent.client.get("/count?pk=who", headers=headers).status_code

    def answer(origin):
        return agent.client.get("/totals?pk=who", headers={"Origin": origin})

    assert [count(), count(Host="hail.example")] == [200, 403]
    configured.reload(host=["hail.example"], cors=["https://app.example"], **FINE)
    assert [count(), count(Host="hail.example"), count(Host="other.example")] == [200, 200, 403]
    assert answer("https://app.example").headers["Access-Control-Allow-Origin"] == "https://app.example"
    configured.reload(plain="none", **FINE)
    assert [count(), count(Host="hail.example"), answer("https://app.example").status_code] == [403, 403, 403]
    before = total(agent.metrics(), "hailwhale_lines_total", outcome="rejected")
    agent.send("who.udp:1|c")
    agent.until(lambda read: total(read, "hailwhale_rejected_total", reason="unsealed") == before + 1, "a refusal")
    configured.reload(read="none", **FINE)
    assert agent.get("/status").status_code == agent.get("/totals", pk="who").status_code == 403
    assert count() == 200
    configured.reload(**FINE)
    assert agent.get("/status").status_code == 200
    agent.send("who.udp:1|c")
    agent.until_lines(before + 2)


def test_what_lines_mean_changes(start, folder):
    configured = Configured(start, folder, "--lanes", "1", **FINE)
    agent = configured.agent

    def event(text):
        before = total(agent.metrics(), "hailwhale_lines_total")
        agent.send(text)
        agent.until_lines(before + 1)
        agent.flush()

    event("sense.level:10|g\nsense:n=1|c|#host:a")
    event("sense.level:+5|g")
    assert read(agent, "sense", "level") == 15
    configured.reload(**FINE, **{"gauge-sign": "value", "drop_dimensions": ["host"]})
    event("sense.level:+7|g")
    # The series is known already, and its lane had no open window when HUP came.
    event("sense:n=1|c|#host:a")
    assert read(agent, "sense", "level") == 7
    assert read(agent, "sense", "n") == 2
    assert read(agent, "sense", "n", dimensions=["host", "a"]) == 1
    configured.reload(**FINE)
    event("sense.level:+1|g\nsense:n=1|c|#host:a")
    assert [read(agent, "sense", "level"), read(agent, "sense", "n", dimensions=["host", "a"])] == [8, 2]


def test_the_window_and_the_log_change(start, folder):
    configured = Configured(start, folder, window=10)
    agent = configured.agent
    assert configured.status()["window_ms"] == 10_000
    said = configured.reload(window=0.2, log="debug")
    changes = {line["option"]: (line["old"], line["new"]) for line in said if "option" in line}
    assert changes == {"window": ("10", "0.2"), "log": ("info", "debug")}
    assert configured.status()["window_ms"] == 200
    agent.send("soon.a:1|c")
    agent.until(lambda samples: total(samples, "hailwhale_events_stored_total") == 1, "a window of the new width")
    configured.write(log="error")
    agent.process.send_signal(signal.SIGHUP)
    agent.until(lambda _: configured.status()["window_ms"] == 1_000, "the default again")
    before = len(agent.log)
    agent.process.send_signal(signal.SIGHUP)
    agent.until(lambda _: configured.status()["reload"]["failed"] is False, "an answer")
    configured.write("{")
    agent.process.send_signal(signal.SIGHUP)
    agent.until(lambda _: configured.status()["reload"]["failed"], "a refusal")
    assert [fields(line)["level"] for line in agent.log[before:]] == ["error"]


def test_the_bounds_change(start, folder, store):
    configured = Configured(start, folder, "--store", store.url, **FINE)
    agent = configured.agent
    assert agent.lines("bound:n=1|c", wait="store").status_code == 200
    store.pause()
    # The first of every shard gets a number and goes; what comes later is what the bounds hold down.
    sent = 1

    def fill(count, wait="spool"):
        nonlocal sent
        for _ in range(count):
            body = "\n".join(f"bound.s{row % 700}:n=1|c|#d:{row}" for row in range(sent, sent + 300))
            assert agent.lines(body, wait=wait).status_code == 200
            sent += 300

    fill(40)
    samples = agent.metrics()
    assert total(samples, "hailwhale_cells_coarsened_total") == total(samples, "hailwhale_spool_errors_total") == 0
    assert total(samples, "hailwhale_spool_bytes") > 1 << 20
    said = configured.reload(**FINE, **{"pending-limit": "1M", "spool-limit": "1M"})
    assert {line["option"] for line in said if "option" in line} == {"pending-limit", "spool-limit"}
    for _ in range(60):
        fill(1, wait=None)
        time.sleep(0.02)
        samples = agent.metrics()
        if total(samples, "hailwhale_spool_errors_total") and total(samples, "hailwhale_cells_coarsened_total"):
            break
    else:
        raise AssertionError(f"the bounds did not hold: {configured.status()}")
    store.resume()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert read(agent, "bound", "n", period="all") + total(agent.metrics(), "hailwhale_events_lost_total") >= sent


def test_what_needs_a_restart_is_named_and_changes_nothing(start, folder, store):
    configured = Configured(
        start, folder, env={"HAILWHALE_STORE": store.url, "HAILWHALE_WINDOW": "0.2"}, **{"max-series": 1_000})
    agent = configured.agent
    for _ in range(2):
        said = configured.reload(
            **{"max-series": 2_000, "lanes": 7, "tcp": ["127.0.0.1:1"], "resolutions": "1m:1d", "max-values": 5,
               "udp": "127.0.0.1:9", "window": 5, "store": "redis://u:secret@h:1", "migrate": True, "log": "debug"})
        waiting = {line["option"]: (line["level"], line["old"], line["new"]) for line in said
                   if line.get("option") not in (None, "log")}
        # Flags (--udp) win, and the environment (store, window) wins over the file, as at the start.
        assert waiting == {
            "max-series": ("warning", "1000", "2000"), "lanes": ("warning", "cores", "7"),
            "tcp": ("warning", "none", "127.0.0.1:1"), "migrate": ("warning", "no", "yes"),
            "resolutions": ("warning", "10s:1h,1m:1d,1h:31d,1d:2y", "1m:1d"),
            "sketches": ("warning", "1m:1d,1h:31d,1d:2y", "1m:1d,1h:31d,1d:2y"),
            "max-values": ("warning", "1000", "5"),
        }
        belonging = {line["option"] for line in said if "belongs to the store" in line["msg"]}
        assert belonging == {"resolutions", "sketches", "max-values"}
    status = configured.status()
    assert sorted(status["reload"]["waiting_for_restart"]) == sorted(waiting)
    assert status["reload"]["failed"] is False and abs(status["reload"]["at"] - time.time()) < 60
    assert status["window_ms"] == 200
    assert "secret" not in "".join(agent.log)
    configured.reload(**{"max-series": 1_000})
    assert configured.status()["reload"]["waiting_for_restart"] == []


@pytest.mark.parametrize("text, word", [
    ('{"window":0.1,"windows":1}', "windows"), ('{"window":99}', '"window"'), ("{", "hailwhale.json"),
    ('{"window":0.1,"cors":["*"]}', '"cors"'), (None, "cannot be read"),
])
def test_a_wrong_file_changes_nothing(start, folder, text, word):
    configured = Configured(start, folder, window=0.2, host=["a.example"])
    agent = configured.agent
    assert configured.status()["reload"] == {"at": None, "failed": False, "error": None, "waiting_for_restart": []}
    before = configured.status()
    if text is None:
        os.unlink(configured.path)
        agent.process.send_signal(signal.SIGHUP)
        agent.until(lambda _: configured.status()["reload"]["failed"], "a refusal")
    else:
        [said] = [line for line in configured.reload(text) if line.get("msg", "").startswith("the configuration is")]
        assert said["level"] == "error" and word in said["error"], said
    status = configured.status()
    assert status["reload"]["failed"] and word in status["reload"]["error"]
    assert status["window_ms"] == before["window_ms"] == 200
    assert agent.client.get("/totals?pk=a", headers={"Host": "a.example"}).status_code == 200
    configured.reload(window=0.3, host=["a.example"])
    assert configured.status()["reload"]["error"] is None and configured.status()["window_ms"] == 300


def test_a_reload_before_the_store_is_there_is_one(folder, store):
    store.kill()
    agent = Agent(folder + "/data", "--store", store.url)
    try:
        agent.start(is_awaited=False)
        agent.process.send_signal(signal.SIGHUP)
        agent.until(lambda _: agent.get("/status").json()["reload"]["at"], "a reload")
        store.start()
        agent.await_ready()
        assert agent.lines("early.a:1|c", wait="store").status_code == 200
    finally:
        agent.stop()
