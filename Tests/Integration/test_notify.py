"""What a service manager is told: ready, reloading, stopping, and alive while the agent does its work."""

import os
import signal
import socket
import time

import pytest

from agent import PATIENCE_SECONDS, Agent


class ServiceManager:
    """A socket as systemd has it, and what arrived there."""

    def __init__(self, folder, is_abstract=False):
        name = f"hw-notify-{os.getpid()}-{time.monotonic_ns()}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name if is_abstract else folder + "/notify.sock")
        self.socket.settimeout(PATIENCE_SECONDS)
        self.variable = "@" + name if is_abstract else folder + "/notify.sock"
        self.messages = []

    def next(self):
        message = dict(line.split("=", 1) for line in self.socket.recv(4_096).decode().split("\n"))
        self.messages.append(message)
        return message

    def until(self, **wanted):
        """Reads on until a message carries these."""
        while True:
            message = self.next()
            if all(message.get(name) == value for name, value in wanted.items()):
                return message

    def rest(self):
        self.socket.settimeout(0)
        try:
            while True:
                self.next()
        except BlockingIOError:
            self.socket.settimeout(PATIENCE_SECONDS)


@pytest.mark.parametrize("is_abstract", [False, True], ids=["path", "abstract"])
def test_the_life_of_an_agent_is_told(folder, store, is_abstract):
    manager = ServiceManager(folder, is_abstract)
    agent = Agent(folder + "/data", "--store", store.url, env={"NOTIFY_SOCKET": manager.variable})
    try:
        agent.start()
        assert manager.next() == {"READY": "1", "STATUS": "counting; the store is up"}
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
        agent.process.send_signal(signal.SIGHUP)
        told = manager.next()
        assert told["RELOADING"] == "1"
        assert before <= int(told["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
        assert manager.next() == {"READY": "1"}
        assert agent.terminate() == 0
        assert manager.next() == {"STOPPING": "1", "STATUS": "draining"}
        manager.rest()
        assert len(manager.messages) == 4
    finally:
        agent.stop()
        manager.socket.close()


def test_signs_of_life_come_while_the_store_hangs(folder, store):
    manager = ServiceManager(folder)
    agent = Agent(folder + "/data", "--store", store.url, "--window", "0.1", env={
        "NOTIFY_SOCKET": manager.variable, "WATCHDOG_USEC": "200000"})
    try:
        agent.start()
        manager.until(READY="1")
        for is_hanging in [False, True]:
            if is_hanging:
                store.pause()
                agent.lines("alive.a:1|c", wait="spool")
            manager.rest()
            # Half of the time that a sign may take, and no more often than that.
            began = time.monotonic()
            for _ in range(10):
                manager.until(WATCHDOG="1")
            assert time.monotonic() - began > 0.5
        agent.process.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        manager.rest()
        manager.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            manager.next()
    finally:
        agent.process.send_signal(signal.SIGCONT)
        store.resume()
        agent.stop()
        manager.socket.close()


def test_an_agent_whose_store_is_away_is_ready_and_says_what_waits(folder, store):
    store.kill()
    manager = ServiceManager(folder)
    agent = Agent(folder + "/data", "--store", store.url, "--window", "0.1", env={
        "NOTIFY_SOCKET": manager.variable, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    try:
        agent.start(is_awaited=False)
        assert manager.next() == {"READY": "1", "STATUS": "counting; the store is away, 0 events wait for it"}
        assert agent.get("/readyz").status_code == 503
        for _ in range(3):
            assert agent.lines("waiting.a:1|c", wait="spool").status_code == 200
        assert manager.next() == {"STATUS": "counting; the store is away, 3 events wait for it"}
        store.start()
        assert manager.next() == {"STATUS": "counting; the store is up"}
        # The signs of life were asked of another process.
        assert not any("WATCHDOG" in message for message in manager.messages)
    finally:
        agent.stop()
        manager.socket.close()


def test_an_agent_that_cannot_run_is_never_ready_and_says_why(folder, store):
    store.client.config_set("maxmemory-policy", "allkeys-lru")
    manager = ServiceManager(folder)
    agent = Agent(folder + "/data", "--store", store.url, env={"NOTIFY_SOCKET": manager.variable})
    try:
        with pytest.raises(AssertionError):
            agent.start()
        manager.rest()
        assert [message.get("STOPPING") for message in manager.messages] == ["1"]
        assert "noeviction" in manager.messages[0]["STATUS"]
    finally:
        agent.stop()
        manager.socket.close()


def test_nobody_at_the_socket_is_no_fault(start, folder):
    agent = start(env={"NOTIFY_SOCKET": folder + "/nobody", "WATCHDOG_USEC": "100000"})
    assert agent.lines("alone.a:1|c", wait="store").status_code == 200
    assert agent.terminate() == 0
