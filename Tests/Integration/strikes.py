"""The faults of a schedule, one method each: it strikes, and answers what ends the fault, if anything does."""

import contextlib
import os
import random
import signal
import socket
import time

import redis

from agent import PATIENCE_SECONDS, Agent, embedded_stores
from clock import Clock
from proxy import Proxy
from store import Store
from traffic import Gate


class Failure(AssertionError):
    pass


class Strikes:
    """What faults need of a schedule."""

    random: random.Random
    agent: Agent
    proxy: Proxy
    store: Store
    clock: Clock
    gate: Gate
    is_embedded: bool
    log: list
    # Whether the store lost something that it had acknowledged.
    went_back = False
    # Whether a signal that ends the store is on its way.
    is_store_ending = False

    def _signal(self, number):
        if self.agent.process.poll() is None:
            self.agent.process.send_signal(number)

    def _agent_kill(self):
        self.gate.close(is_kill=True)
        self.agent.kill()
        return self._agent_start

    def _agent_start(self):
        self.log += self.agent.log
        self.agent.start(is_awaited=False)
        self.gate.opened(self.agent)

    def _agent_term(self):
        self.gate.close(is_kill=False)
        self._signal(signal.SIGTERM)

        def end():
            # A drain waits for the store as long as it may; what matters here is what it leaves, not how long it takes.
            self._mend_store()
            code = self.agent.process.wait(PATIENCE_SECONDS)
            if code != 0:
                raise Failure(f"TERM ended with {code}")
            self.agent.terminate()
            self._agent_start()

        return end

    def _agent_stop(self):
        self._signal(signal.SIGSTOP)
        return lambda: self._signal(signal.SIGCONT)

    def _store_kill(self):
        self._store_down(signal.SIGKILL)
        return self._store_up

    def _store_term(self):
        self._store_down(signal.SIGTERM)
        return self._store_up

    def _store_stop(self):
        self._store_down(signal.SIGSTOP)
        return self._store_up

    def _store_down(self, number):
        pids = embedded_stores(self.agent.data) if self.is_embedded else [self.store.process.pid]
        for pid in pids:
            # One of an embedded store may be ending already.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        self.is_store_ending = number != signal.SIGSTOP

    def _store_up(self):
        if self.is_embedded:
            for pid in embedded_stores(self.agent.data):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            return
        store = self.store
        store.process.send_signal(signal.SIGCONT)
        if self.is_store_ending:
            store.process.wait(PATIENCE_SECONDS)
            store.client.close()
            store.start()
            self.is_store_ending = False

    def _both_kill(self):
        self.gate.close(is_kill=True)
        self._store_down(signal.SIGKILL)
        self.agent.kill()

        def end():
            self._store_up()
            self._agent_start()

        return end

    def _store_rewind(self):
        """The disk is put back to what it was a moment ago, as after a power cut with `appendfsync everysec`."""
        self.store.copy("earlier")

        def end():
            self.went_back = True
            self.store.kill()
            self.store.take_back("earlier")
            self.store.start()

        return end

    def _store_flushall(self):
        self.went_back = True
        self.store.client.flushall()

    def _store_promote(self):
        """A replica takes over that is fed up to a moment before the old one dies."""
        old = self.store
        new = self._store()
        port = old.client.config_get("port")["port"]
        new.client.replicaof("127.0.0.1", port)
        knows = self.random.random() < 0.7
        until = time.monotonic() + 3
        while knows and time.monotonic() < until and new.client.info("replication")["master_link_status"] != "up":
            time.sleep(0.005)

        def end():
            self.went_back = True
            new.client.execute_command("REPLICAOF", "NO", "ONE")
            time.sleep(self.random.choice([0, 0.1]))
            old.end()
            self.proxy.switch(new.path)

        return end

    def _store_oom(self):
        self.store.client.config_set("maxmemory", "1")
        return lambda: self.store.client.config_set("maxmemory", "0")

    def _store_readonly(self):
        self.store.client.replicaof("127.0.0.1", "1")
        return lambda: self.store.client.execute_command("REPLICAOF", "NO", "ONE")

    def _store_noreplicas(self):
        self.store.client.config_set("min-replicas-to-write", "1")
        return lambda: self.store.client.config_set("min-replicas-to-write", "0")

    def _store_busy(self):
        """Somebody's script runs on and on, until it is killed."""
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(self.store.path)
            other.sendall(b"EVAL 'while true do end' 0\r\n")
            until = time.monotonic() + 5
            while time.monotonic() < until:
                try:
                    self.store.client.ping()
                except redis.exceptions.RedisError:
                    break

        def end():
            until = time.monotonic() + 5
            while time.monotonic() < until:
                try:
                    self.store.client.script_kill()
                    return
                except redis.exceptions.ResponseError as error:
                    if "NOTBUSY" in str(error):
                        return
                    time.sleep(0.02)

        return end

    def _store_forgets_script(self):
        self.store.client.script_flush()

    def _clients_kill(self):
        self.store.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def _proxy_cut(self):
        self.proxy.cut()

    def _proxy_request(self):
        self.proxy.cut_request(self.random.choice([0, 0, 1, self.random.randint(2, 9_000)]))

    def _proxy_reply(self):
        self.proxy.cut_reply(self.random.choice([0, 0, 1, self.random.randint(2, 200)]))

    def _proxy_refuse(self):
        self.proxy.refuses = True
        self.proxy.cut()
        return self._proxy_heal

    def _proxy_delay(self):
        self.proxy.delay = self.random.uniform(0.005, 0.1)
        return self._proxy_heal

    def _proxy_heal(self):
        self.proxy.heal()

    def _clock(self):
        self.clock.set(self.random.choice([3_600, -3_600, 0, 90, -90, 3, -3]))


# Every fault, and what it strikes: of those that strike the same, one at a time.
FAULTS = {
    kind: parts.split()
    for parts, kinds in {
        "agent": "agent_kill agent_term agent_stop",
        "agent store": "both_kill",
        "store": "store_kill store_term store_stop store_rewind store_flushall store_promote store_oom store_readonly "
                 "store_noreplicas store_busy store_forgets_script clients_kill",
        "proxy": "proxy_cut proxy_request proxy_reply proxy_refuse proxy_delay",
        "clock": "clock",
    }.items()
    for kind in kinds.split()
}
