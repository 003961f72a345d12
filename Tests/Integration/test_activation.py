"""Sockets that a service manager holds: adopted, and not one datagram lost over restarts."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import httpx
import pytest

from agent import BINARY, PATIENCE_SECONDS, SANITIZER, Agent, embedded_stores, environment, fields, total
from readings import read
from test_transports import needs_ipv6

# Below what the smallest receive buffer (212,992 bytes) holds of short datagrams over a restart that takes a second.
RATE = 250
SO_MEMINFO, SO_RCVBUFFORCE = 55, 33


def hold(family=socket.AF_INET, kind=socket.SOCK_DGRAM, address=("127.0.0.1", 0), shares=False):
    """A bound socket, as a socket unit makes it."""
    held = socket.socket(family, kind)
    if shares:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(address)
    if kind == socket.SOCK_STREAM:
        held.listen(128)
    return held


def place(held):
    name = held.getsockname()
    if isinstance(name, str):
        return "unix:" + name
    return f"[{name[0]}]:{name[1]}" if held.family == socket.AF_INET6 else f"{name[0]}:{name[1]}"


def kernel_drops(held):
    return struct.unpack("9I", held.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[8]


class Load(threading.Thread):
    """Numbered datagrams at a steady rate to sockets in turn."""

    def __init__(self, sockets, seconds):
        super().__init__(daemon=True)
        self.targets = [(held.family, held.getsockname()) for held in sockets]
        self.count, self.sent = int(RATE * seconds), 0

    def run(self):
        senders = [socket.socket(family, socket.SOCK_DGRAM) for family, _ in self.targets]
        began = time.monotonic()
        for number in range(1, self.count + 1):
            turn = number % len(senders)
            senders[turn].sendto(f"over:n={number}|c|#block:b{number // 50}".encode(), self.targets[turn][1])
            self.sent = number
            time.sleep(max(0, began + number / RATE - time.monotonic()))
        for sender in senders:
            sender.close()


def holding(folder, store, held, *arguments):
    """An agent that is handed sockets, each found by its address."""
    named = [word for one, _ in held if one.type == socket.SOCK_DGRAM for word in ("--udp", place(one))]
    agent = Agent(folder + "/data", "--store", store.url, *named[2:], *arguments, udp=named[1])
    agent.handed = held
    return agent


def blocks(agent, count):
    answer = agent.totals(
        pk="over", dimensions=[["block", f"b{block}"] for block in range(count // 50 + 1)].__repr__().replace("'", '"'),
        metrics="hits", periods="all")["all"]
    return [values.get("hits", 0) for values in answer.values()]


def test_restarts_lose_not_one_datagram(folder, store):
    held = [(hold(), ""), (hold(), "")]
    if os.path.exists("/proc/net/if_inet6"):
        held.append((hold(socket.AF_INET6, address=("::1", 0)), ""))
    held.append((hold(socket.AF_UNIX, address=folder + "/hail.sock"), ""))
    agent = holding(folder, store, held, "--window", "0.3")
    load = Load([one for one, _ in held], seconds=8)
    restarts = 0
    try:
        agent.start()
        load.start()
        while load.is_alive():
            time.sleep(0.4)
            assert agent.terminate() == 0
            agent.start()
            restarts += 1
        load.join()
        agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
        dropped = sum(kernel_drops(one) for one, _ in held if one.family != socket.AF_UNIX)
        assert dropped == 0, "the kernel's queue did not hold: the rate of this test is too high for it"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while read(agent, "over", "hits", period="all") < load.count and time.monotonic() < deadline:
            agent.flush()
        expected = [load.count, load.count * (load.count + 1) // 2]
        assert read(agent, "over", "hits", "n", period="all") == expected
        assert restarts >= 5
        # The files and the sockets are still those of the one who made them.
        assert os.path.exists(folder + "/hail.sock")
    finally:
        agent.stop()
        for one, _ in held:
            one.close()


def test_kills_lose_the_open_windows_alone_and_count_nothing_twice(folder, store):
    held = [(hold(), "")]
    agent = holding(folder, store, held, "--window", "0.1")
    load = Load([held[0][0]], seconds=6)
    kills = 0
    try:
        agent.start()
        load.start()
        while load.is_alive():
            time.sleep(0.4)
            agent.kill()
            agent.start()
            kills += 1
        load.join()
        assert kernel_drops(held[0][0]) == 0
        agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")
        time.sleep(0.2)
        agent.flush()
        hits = read(agent, "over", "hits", period="all")
        counted = blocks(agent, load.count)
        assert sum(counted) == hits
        assert max(counted) <= 50
        # A window of 0.1 s, what its flush takes, and what a busy machine adds to both.
        assert load.count - kills * RATE * 0.4 <= hits <= load.count, (hits, load.count, kills)
        assert hits < load.count, "nothing was open at any kill: this test no longer shows what it claims"
    finally:
        agent.stop()
        held[0][0].close()


def test_streams_wait_for_the_next_agent(folder, store):
    path = folder + "/lines.sock"
    held = [
        (hold(), ""), (hold(kind=socket.SOCK_STREAM), ""), (hold(kind=socket.SOCK_STREAM), ""),
        (hold(socket.AF_UNIX, socket.SOCK_STREAM, path), ""),
    ]
    tcp, http = place(held[1][0]), place(held[2][0])
    agent = Agent(
        folder + "/data", "--store", store.url, "--tcp", tcp, "--tcp", "unix:" + path, "--window", "0.1",
        udp=place(held[0][0]), http=http)
    agent.handed = held
    answers = []
    try:
        for round in range(3):
            agent.start()
            assert agent.http == http
            for family, address in [(socket.AF_INET, held[1][0].getsockname()), (socket.AF_UNIX, path)]:
                with socket.socket(family, socket.SOCK_STREAM) as sender:
                    sender.connect(address)
                    sender.sendall(b"stream.a:1|c\n")
            agent.until_lines(2 + 2 * (round > 0) + (round > 0))
            assert agent.terminate() == 0
            # Nobody is there: connections and what they bring wait.
            for family, address in [(socket.AF_INET, held[1][0].getsockname()), (socket.AF_UNIX, path)]:
                with socket.socket(family, socket.SOCK_STREAM) as sender:
                    sender.connect(address)
                    sender.sendall(b"stream.b:1|c\n")
            caller = threading.Thread(target=lambda: answers.append(httpx.post(
                f"http://{http}/lines?wait=store", content="stream.c:1|c", timeout=20, trust_env=False).status_code))
            caller.start()
            time.sleep(0.05)
        agent.start()
        caller.join(PATIENCE_SECONDS)
        assert answers == [200, 200, 200]
        agent.until_lines(3)
        agent.flush()
        assert read(agent, "stream", "a", "b", "c", period="all") == [6, 6, 3]
    finally:
        agent.stop()
        for one, _ in held:
            one.close()


def test_several_sockets_of_one_address_are_lanes(folder, store):
    first = hold(shares=True)
    held = [(first, ""), *((hold(address=first.getsockname(), shares=True), "") for _ in range(2))]
    agent = Agent(folder + "/data", "--store", store.url, "--lanes", "8", udp=place(first))
    agent.handed = held
    try:
        agent.start()
        lanes = [fields(line) for line in agent.log if fields(line).get("transport") == "udp"]
        assert [line["lanes"] for line in lanes] == ["1", "1", "1"]
        assert [line["handed_over"] for line in lanes] == ["yes"] * 3
        for number in range(60):
            agent.send("lanes.a:1|c")
        agent.until_lines(60)
    finally:
        agent.stop()
        for one, _ in held:
            one.close()


def test_names_say_which_option_a_socket_is_for(folder, store):
    held = [(hold(), "udp"), (hold(kind=socket.SOCK_STREAM), "http"), (hold(kind=socket.SOCK_STREAM), "tcp")]
    agent = Agent(folder + "/data", "--store", store.url)
    # The defaults, 127.0.0.1:8125 and 127.0.0.1:8085, are not opened beside what is named for them.
    agent.arguments = ["--data", str(agent.data), "--store", store.url]
    agent.handed = held
    try:
        agent.start()
        heard = {(line["transport"], line["address"]) for line in map(fields, agent.log) if line.get("msg") == "listening"}
        assert heard == {("udp", place(held[0][0])), ("http", place(held[1][0])), ("tcp", place(held[2][0]))}
        agent.send("named.a:1|c")
        agent.until_lines(1)
    finally:
        agent.stop()
        for one, _ in held:
            one.close()


def refused(folder, held, **places):
    """Runs an agent that must not start; its complaint."""
    agent = Agent(folder + "/data", **places)
    agent.handed = held
    with pytest.raises(AssertionError):
        agent.start()
    assert agent.process.returncode == 64, agent.log
    for one, _ in held:
        one.close()
    return "".join(agent.log)


@pytest.mark.parametrize("name, kind, words", [
    ("hailwhale.socket", socket.SOCK_DGRAM, ["--udp does not name", "descriptor 3", "hailwhale.socket"]),
    ("", socket.SOCK_STREAM, ["neither --tcp nor --http names", "descriptor 3"]),
    ("http", socket.SOCK_DGRAM, ["--http does not take", "descriptor 3"]),
    ("udp", socket.SOCK_STREAM, ["--udp does not take", "descriptor 3"]),
])
def test_a_socket_that_fits_nothing_is_refused_by_name(folder, name, kind, words):
    held = hold(kind=kind)
    text = refused(folder, [(held, name)])
    for word in [*words, "127.0.0.1:"]:
        assert word in text, text


def test_what_is_no_socket_of_ours_is_refused(folder):
    (reader, writer), silent = os.pipe(), socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    silent.bind(("127.0.0.1", 0))
    for odd, word in [(os.fdopen(reader), "neither a datagram"), (silent, "neither a datagram"),
                      (hold(socket.AF_UNIX, address="\0hw-abstract-%d" % os.getpid()), "no address of")]:
        assert word in refused(folder, [(odd, "odd")])
    os.close(writer)
    assert "--udp does not name" in refused(folder, [(hold(), "udp")], udp="none")


def test_what_is_meant_for_another_process_is_left_alone(start):
    agent = start(env={"LISTEN_PID": "1", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "udp"})
    assert "handed_over=no" in "".join(agent.log)


def test_a_child_inherits_neither_sockets_nor_variables(folder):
    held = [(hold(), "")]
    # redis-server writes its title over what /proc shows of its environment, so a script looks before it starts.
    os.mkdir(folder + "/bin")
    with open(folder + "/bin/redis-server", "w") as script:
        script.write(f'#!/bin/sh\nenv >{folder}/environment\nexec {shutil.which("redis-server")} "$@"\n')
    os.chmod(folder + "/bin/redis-server", 0o755)
    agent = Agent(folder + "/data", udp=place(held[0][0]), env={
        "NOTIFY_SOCKET": folder + "/nobody", "WATCHDOG_USEC": "60000000", "PATH": f"{folder}/bin:{os.environ['PATH']}"})
    agent.handed = held
    try:
        agent.start()
        server = embedded_stores(agent.data)[0]
        variables = open(folder + "/environment").read().split("\n")
        assert any(one.startswith("PATH=" + folder) for one in variables)
        assert not [one for one in variables if one.startswith(("LISTEN_", "NOTIFY_", "WATCHDOG_"))]
        inode = os.fstat(held[0][0].fileno()).st_ino
        links = [os.readlink(f"/proc/{server}/fd/{number}") for number in os.listdir(f"/proc/{server}/fd")]
        assert f"socket:[{inode}]" not in links
        links = [os.readlink(f"/proc/{agent.process.pid}/fd/{number}") for number in
                 os.listdir(f"/proc/{agent.process.pid}/fd")]
        assert links.count(f"socket:[{inode}]") == 1
    finally:
        agent.stop()
        held[0][0].close()


def test_drops_of_earlier_times_are_named_and_not_counted_again(folder, store):
    held = hold()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(500):
            sender.sendto(b"dropped.a:1|c", held.getsockname())
    before = kernel_drops(held)
    assert before > 0
    agent = holding(folder, store, [(held, "")])
    try:
        agent.start()
        said = [fields(line) for line in agent.log if "before it was handed over" in line]
        assert [line["datagrams"] for line in said] == [str(before)]
        samples = agent.until_lines(500 - before)
        assert total(samples, "hailwhale_datagrams_kernel_dropped_total") == 0
    finally:
        agent.stop()
        held.close()


def test_a_large_buffer_of_the_socket_unit_stays(folder, store):
    held = hold()
    try:
        held.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    except PermissionError:
        pytest.skip("only CAP_NET_ADMIN may make a receive buffer larger than net.core.rmem_max")
    agent = holding(folder, store, [(held, "")])
    try:
        agent.start()
        assert held.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 32 << 20
        assert "receive_buffer_bytes=33554432" in "".join(agent.log)
    finally:
        agent.stop()
        held.close()


@pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None, reason="systemd-socket-activate is not installed (Debian: systemd)")
def test_the_real_thing_hands_over_a_datagram_socket(folder, store):
    with hold() as free:
        address = place(free)
    log = open(folder + "/log", "w+")
    process = subprocess.Popen(
        ["systemd-socket-activate", *(f"--setenv={name}" for name in SANITIZER), "--datagram", "--listen", address,
         "--fdname", "udp", BINARY, "run",
         "--http", "127.0.0.1:0", "--data", folder + "/data", "--store", store.url],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())
    try:
        host, port = address.rsplit(":", 1)
        deadline, sent, text = time.monotonic() + PATIENCE_SECONDS, 0, ""
        # It starts the agent at the first datagram, which the agent then reads.
        while "msg=ready" not in text and time.monotonic() < deadline and process.poll() is None:
            if "Listening on" in text or sent == 0:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.connect((host, int(port)))
                    try:
                        sent += sender.send(b"real.a:1|c") > 0
                    except ConnectionRefusedError:
                        pass
            time.sleep(0.05)
            text = open(folder + "/log").read()
        assert "msg=ready" in text, text
        heard = [fields(line) for line in text.splitlines() if fields(line).get("msg") == "listening"]
        assert [line["handed_over"] for line in heard if line["transport"] == "udp"] == ["yes"]
        http = next(line["address"] for line in heard if line["transport"] == "http")
        count = 0
        while count < 1 and time.monotonic() < deadline:
            answer = httpx.get(
                f"http://{http}/totals?pk=real&metrics=a&periods=all", timeout=20, trust_env=False).json()
            count = answer["all"].get("_", {}).get("a", 0)
        assert 1 <= count <= sent
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
        log.close()
