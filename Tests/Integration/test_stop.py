"""TERM ends the agent within five seconds, whatever its store and its callers do, and what was taken is counted."""

import os
import signal
import socket
import threading
import time

import httpx
import pytest

from agent import PATIENCE_SECONDS, Agent, embedded_stores, fields, total
from readings import read
from store import Store

# What `TimeoutStopSec` of the unit, `docker stop` and operators can count on.
STOP_SECONDS = 5


class Traffic(threading.Thread):
    """Sends a datagram a millisecond, until told to end, whether anybody listens or not."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.address, self.sent, self.ends = agent.udp_address, 0, False

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not self.ends and self.sent < 20_000:
                try:
                    sender.sendto(b"stop.udp:1|c", self.address)
                    self.sent += 1
                except ConnectionRefusedError:
                    pass
                time.sleep(0.001)


class Waiting(threading.Thread):
    """A write that waits for the store, and what became of it."""

    def __init__(self, agent, number):
        super().__init__(daemon=True)
        self.url, self.number, self.status = f"http://{agent.http}/lines?wait=store", number, None

    def run(self):
        try:
            answer = httpx.post(self.url, content=f"stop.held:1|c|#n:{self.number}", timeout=20, trust_env=False)
            self.status = answer.status_code
        except httpx.HTTPError as error:
            self.status = type(error).__name__


def slow_connections(agent):
    """Callers that never finish: silent, in the midst of a header, of a body, and one that reads no answer."""
    host, port = agent.http.rsplit(":", 1)
    opened = []
    for text in [
        b"", b"POST /lines HT", b"POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-",
        b"POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nstop.torn:1|c",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 400,
    ]:
        held = socket.create_connection((host, int(port)))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        held.sendall(text)
        opened.append(held)
    return opened


def ends_in_time(agent):
    began = time.monotonic()
    assert agent.terminate() == 0, "".join(agent.log)
    took = time.monotonic() - began
    assert took < STOP_SECONDS, f"{took:.1f} s\n" + "".join(agent.log)
    return took


class SlowStore(threading.Thread):
    """Holds a store up for most of the time."""

    def __init__(self, store):
        super().__init__(daemon=True)
        self.store, self.ends = store, False

    def run(self):
        while not self.ends:
            self.store.client.execute_command("DEBUG", "SLEEP", "0.3")
            time.sleep(0.05)


@pytest.mark.parametrize("window", ["0.1", "10"])
@pytest.mark.parametrize("standing", ["up", "slow", "hanging", "away", "hanging at the start", "away at the start"])
def test_a_stop_ends_in_time_and_loses_nothing(folder, standing, window):
    store = Store(folder + "/redis", "--enable-debug-command", "yes").start()
    agent = Agent(folder + "/data", "--store", store.url, "--window", window)
    slow, helds, traffic = None, [], None
    try:
        try:
            if standing == "hanging at the start":
                store.pause()
            elif standing == "away at the start":
                store.kill()
            agent.start(is_awaited=not standing.endswith("start"))
            if standing == "slow":
                slow = SlowStore(store)
                slow.start()
            elif standing == "hanging":
                store.pause()
            elif standing == "away":
                store.kill()
            count = 40
            for number in range(count):
                assert agent.lines(f"stop.http:1|c|#n:{number}").status_code == 200
            traffic = Traffic(agent)
            traffic.start()
            agent.until_lines(count + 50)
            helds = slow_connections(agent)
            waiting = [Waiting(agent, number) for number in range(8)]
            for waiter in waiting:
                waiter.start()
            taken = count + len(waiting)
            samples = agent.until(
                lambda samples: total(samples, "hailwhale_datagrams_total", transport="http") >= taken, "the writes")
            seen = total(samples, "hailwhale_datagrams_total", transport="udp")
            ends_in_time(agent)
            for waiter in waiting:
                waiter.join(PATIENCE_SECONDS)
            # Those that were answered with anything but success may have counted: they are in the spool.
            stored = sum(waiter.status == 200 for waiter in waiting)
            assert all(waiter.status in (200, 503) for waiter in waiting), [waiter.status for waiter in waiting]
            if standing in ("hanging", "away", "hanging at the start", "away at the start"):
                assert stored == 0
            else:
                assert stored == len(waiting)
                assert not any("stay in the spool" in line for line in agent.log), agent.log
        finally:
            for held in helds:
                held.close()
            if traffic:
                traffic.ends = True
                traffic.join(PATIENCE_SECONDS)
            if slow:
                slow.ends = True
                slow.join(PATIENCE_SECONDS)
        if standing.startswith("away"):
            store.start()
        else:
            store.resume()
        agent.start()
        samples = agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
        assert total(samples, "hailwhale_events_lost_total") == 0
        assert read(agent, "stop", "http", "torn", period="all") == [count, 0]
        assert seen <= read(agent, "stop", "udp", period="all") <= traffic.sent
        assert stored <= read(agent, "stop", "held", period="all") <= len(waiting)
    finally:
        store.resume()
        agent.stop()
        store.end()


@pytest.mark.parametrize("standing", ["up", "hanging"])
def test_a_stop_with_the_embedded_store_ends_in_time(start, standing):
    agent = start("--window", "10")
    assert agent.lines("own.a:1|c", wait="store").status_code == 200
    for number in range(20):
        assert agent.lines(f"own.a:1|c|#n:{number}").status_code == 200
    servers = embedded_stores(agent.data)
    assert len(servers) == 1
    if standing == "hanging":
        os.kill(servers[0], signal.SIGSTOP)
    try:
        ends_in_time(agent)
    finally:
        if standing == "hanging":
            os.kill(servers[0], signal.SIGCONT)
    if standing == "up":
        assert embedded_stores(agent.data) == []
    agent.start()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert read(agent, "own", "a", period="all") == 21


def test_a_stop_while_the_embedded_store_starts_ends_in_time_and_leaves_none(folder):
    agent = Agent(folder + "/data")
    for _ in range(10):
        try:
            agent.start(is_awaited=False)
            ends_in_time(agent)
            assert embedded_stores(agent.data) == []
        finally:
            agent.stop()


def test_a_stop_just_after_the_start_brings_everything_to_the_store(folder, store):
    agent = Agent(folder + "/data", "--store", store.url, "--window", "10")
    try:
        for _ in range(10):
            agent.start()
            assert agent.lines("brief.a:1|c").status_code == 200
            ends_in_time(agent)
            assert not any("stay in the spool" in line for line in agent.log), agent.log
        agent.start()
        assert read(agent, "brief", "a", period="all") == 10
    finally:
        agent.stop()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once_and_says_so(start, store, second):
    agent = start("--store", store.url, "--window", "10")
    assert agent.lines("twice.a:1|c", wait="store").status_code == 200
    store.pause()
    assert agent.lines("twice.a:1|c", wait="spool").status_code == 200
    agent.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not any(fields(line).get("msg") == "draining" for line in agent.log):
        assert time.monotonic() < deadline, agent.log
        time.sleep(0.005)
    began = time.monotonic()
    agent.process.send_signal(second)
    assert agent.process.wait(PATIENCE_SECONDS) == 1
    assert time.monotonic() - began < 1
    agent.terminate()
    assert any("told to stop again" in line for line in agent.log), agent.log
    assert not any(fields(line).get("msg") == "stopped" for line in agent.log)
    store.resume()
    agent.start()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
    assert read(agent, "twice", "a", period="all") == 2


def test_a_stop_counts_whole_lines_of_streams_alone(start, folder):
    path = folder + "/lines.sock"
    agent = start("--tcp", "unix:" + path, "--window", "10")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as open_stream:
        open_stream.connect(path)
        # Cut where the agent ends the connection, this would be another country.
        open_stream.sendall(b"torn.a:1|c|#country:US\ntorn.a:1|c|#country:U")
        agent.until_lines(1)
        ends_in_time(agent)
    agent.start()
    assert read(agent, "torn", "a", period="all") == 1
    assert read(agent, "torn", "a", dimensions=["country", "U"], period="all") == 0
