"""Faults one by one that the schedules of test_schedules.py do not hold, or hold only by chance."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import httpx
import pytest
import redis

import cells
from agent import PATIENCE_SECONDS, Agent, total
from clock import Clock, library
from proxy import Proxy
from store import Store
from test_faults import read
from test_ledger import closes


def stored(agent):
    return agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 0, "everything stored")


def test_what_a_stop_left_waiting_is_unknown_not_refused(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    assert agent.lines("wait.a:hits=1|c", wait="store").status_code == 200
    store.pause()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(agent.lines("wait.a:hits=1|c", wait="store")))
    waiting.start()
    agent.until(lambda samples: total(samples, "hailwhale_events_pending") == 1, "an event under way")
    agent.process.send_signal(signal.SIGTERM)
    waiting.join(PATIENCE_SECONDS)
    store.resume()
    assert agent.process.wait(PATIENCE_SECONDS) == 0
    assert answers[0].status_code == 503
    # It counts, so its answer may not be one that promises that it does not.
    assert answers[0].json()["error"]["code"] == "unknown"
    agent.terminate()
    agent.start()
    stored(agent)
    assert read(agent, "wait") == 2


@pytest.mark.parametrize("option, value, healed", [
    ("min-replicas-to-write", "1", "0"), ("maxmemory", "1", "0"),
])
def test_an_agent_that_finds_a_store_which_takes_nothing_counts_on_and_waits(start, store, option, value, healed, folder):
    store.client.config_set(option, value)
    agent = Agent(folder + "/data", "--store", store.url, "--window", "0.1")
    try:
        agent.start(is_awaited=False)
        for _ in range(10):
            assert agent.lines("soon.a:hits=1|c", wait="spool").status_code == 200
        assert agent.process.poll() is None
        store.client.config_set(option, healed)
        agent.await_ready()
        stored(agent)
        assert read(agent, "soon") == 10
    finally:
        agent.stop()


@pytest.mark.parametrize("name, strike, heal", [
    ("OOM", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
    ("READONLY", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
    ("NOREPLICAS", ["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
    ("BUSY", None, ["SCRIPT", "KILL"]),
])
def test_a_store_that_refuses_applies_nothing_of_a_batch(start, folder, name, strike, heal):
    store = Store(folder + "/redis", "--busy-reply-threshold", "50").start()
    try:
        agent = start("--store", store.url, "--window", "0.1")
        assert agent.lines("no.a:hits=1|c\nno.b:hits=1|c", wait="store").status_code == 200
        before = None
        if strike:
            store.client.execute_command(*strike)
            before = store.client.info("commandstats").get("cmdstat_hincrby", {}).get("calls")
        else:
            with socket.socket(socket.AF_UNIX) as other:
                other.connect(store.path)
                other.sendall(b"EVAL 'while true do end' 0\r\n")
        # Values that are new, so that the store is asked about them before anything is sent.
        for number in range(10):
            body = f"no.a:hits=1|c|#d:v{number}\nno.b:hits=1|c|#d:v{number}"
            assert agent.lines(body, wait="spool").status_code == 200
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not any(f'error="{name}' in line for line in agent.log):
            assert time.monotonic() < deadline, agent.log
            time.sleep(0.01)
        if strike:
            # Refused as a whole, before its first command.
            assert store.client.info("commandstats")["cmdstat_hincrby"].get("calls") == before
        store.client.execute_command(*heal)
        samples = stored(agent)
        assert cells.hits(store.client, [("no",), ("no", "a"), ("no", "b")]) == [22, 11, 11]
        assert total(samples, "hailwhale_cells_dead_total") == 0
        closes(samples)
    finally:
        store.end()


def test_a_script_that_has_written_cannot_be_killed(store):
    with socket.socket(socket.AF_UNIX) as other:
        store.client.config_set("busy-reply-threshold", "20")
        other.connect(store.path)
        body = "redis.call('SET', KEYS[1], 1) local t = redis.call('TIME') while redis.call('TIME')[1] - t[1] < 2 do end"
        other.sendall(f'EVAL "{body}" 1 k\r\n'.encode())
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                store.client.script_kill()
            except redis.exceptions.ResponseError as error:
                if "NOTBUSY" not in str(error):
                    assert "UNKILLABLE" in str(error)
                    break
            time.sleep(0.005)
        else:
            raise AssertionError("the script was not seen to run")
        other.recv(100)


def test_a_stopped_shard_names_what_it_lost_and_the_next_start_does_not_take_it_for_stored(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    store.client.execute_command("ACL", "SETUSER", "default", "-hsetnx")
    # A timer: its least and greatest need the script, which applies what comes before its first error.
    agent.lines("part.a:hits=1|ms")
    samples = agent.until(
        lambda samples: total(samples, "hailwhale_cells_dead_total", reason="partial") > 0, "a batch applied in part")
    assert "a shard stopped" in "".join(agent.log)
    store.client.execute_command("ACL", "SETUSER", "default", "+hsetnx")
    letters = [
        letter for key in store.client.scan_iter("hw1:*:x") for letter in store.client.lrange(key, 0, -1)
        if letter.startswith(b"4 ")]
    assert letters, "no dead letter says so in the store"
    agent.kill()
    agent.start()
    stored(agent)
    # What was done with stays done with; what follows counts.
    assert agent.lines("part.a:hits=1|ms", wait="store").status_code == 200
    assert total(agent.metrics(), "hailwhale_batches_total", outcome="duplicate") == 0


def test_two_agents_on_copies_of_one_data_folder_count_once(start, store, folder):
    agent = start("--store", store.url, "--window", "0.1")
    assert agent.lines("copy.a:hits=1|c\ncopy.b:hits=1|c", wait="store").status_code == 200
    store.pause()
    for number in range(20):
        body = f"copy.a:hits=1|c|#d:v{number}\ncopy.b:hits=1|c\ncopy.c{number}:hits=1|c"
        assert agent.lines(body, wait="spool").status_code == 200
    assert agent.lines("copy.k:hits=1|c", wait="spool", **{"Idempotency-Key": "k"}).status_code == 200
    agent.kill()
    shutil.copytree(folder + "/data", folder + "/copy")
    store.resume()
    agents = [agent.start(), start("--store", store.url, "--window", "0.1", data=folder + "/copy")]
    for one in agents:
        stored(one)
    assert read(agents[0], "copy") == 63


@pytest.mark.parametrize("jump", [3_600, -3_600])
def test_a_clock_that_is_set_by_an_hour_loses_and_doubles_nothing(start, store, folder, jump):
    if not library():
        pytest.skip("there is no C compiler to make the clock with")
    clock = Clock(folder)
    agent = start("--store", store.url, "--window", "0.3", env=clock.env)
    sent = 0
    for seconds in [0, jump, 0, jump]:
        for _ in range(5):
            agent.send("clock.a:hits=1|c")
            assert agent.lines("clock.b:hits=1|c").status_code == 200
            sent += 2
        clock.set(seconds)
    agent.until(lambda samples: total(samples, "hailwhale_datagrams_total", transport="udp") == 20, "20 datagrams")
    # The windows close by themselves, whatever the clock says.
    samples = stored(agent)
    assert cells.hits(store.client, [("clock",)]) == [sent]
    assert total(samples, "hailwhale_events_stored_total") == sent


def test_a_tail_is_kept_over_a_clock_set_ahead(start, store, folder):
    if not library():
        pytest.skip("there is no C compiler to make the clock with")
    clock = Clock(folder)
    agent = start("--store", store.url, "--window", "0.1", env=clock.env)
    assert agent.lines("ahead.a:hits=1|c", wait="store").status_code == 200
    store.copy("earlier")
    for _ in range(5):
        assert agent.lines("ahead.a:hits=1|c", wait="store").status_code == 200
    clock.set(3_600)
    # An acknowledgement after the jump has the spool trimmed; the store's power goes at the same moment.
    assert agent.lines("ahead.b:hits=1|c", wait="store").status_code == 200
    time.sleep(0.1)
    store.kill()
    store.take_back("earlier")
    store.start()
    agent.until(lambda samples: total(samples, "hailwhale_batches_total", outcome="resent") >= 5, "the tail, again")
    assert total(agent.metrics(), "hailwhale_events_reverted_total") == 0
    assert cells.hits(store.client, [("ahead", "a"), ("ahead", "b")]) == [6, 1]


def test_an_emptied_store_is_mended_while_nothing_is_sent(start, store):
    agent = start("--store", store.url, "--window", "0.1")
    for place in range(10):
        assert agent.lines(f"idle.s{place}:hits=1|c", wait="store").status_code == 200
    store.client.flushall()
    # Nothing more is sent and no connection breaks: the agent asks by itself.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while cells.hits(store.client, [("idle",)]) != [10]:
        assert time.monotonic() < deadline, "what was flushed away did not come back"
        time.sleep(0.05)


def test_a_store_that_lost_more_than_the_tail_is_named_and_never_counts_twice(start, store, folder):
    if not library():
        pytest.skip("there is no C compiler to make the clock with")
    clock = Clock(folder)
    agent = start("--store", store.url, "--window", "0.1", env=clock.env)
    for _ in range(4):
        assert agent.lines("old.a:hits=1|c", wait="store").status_code == 200
    # Answered is a moment before noted on disk; these figures come from the queue that notes it.
    agent.metrics()
    # The spool lets go of them thirty seconds after their acknowledgement, at the next one.
    clock.age(31)
    assert agent.lines("old.other:hits=1|c", wait="store").status_code == 200
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (agent.data / "spool/00000001.log").exists():
        assert time.monotonic() < deadline, "the spool was not trimmed"
        time.sleep(0.005)
    store.client.flushall()
    assert agent.lines("old.a:hits=1|c", wait="store").status_code == 200
    # A shard that is not written to again is seen with the next connection.
    store.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    agent.until(lambda samples: total(samples, "hailwhale_events_reverted_total") >= 4, "what is gone, by name")
    samples = stored(agent)
    assert cells.hits(store.client, [("old", "a"), ("old", "other")]) == [1, 1]
    assert total(samples, "hailwhale_events_reverted_total") == 4


@pytest.fixture
def small_disk(folder):
    """A file system of four megabytes; needs root and the right to mount."""
    path = pathlib.Path(folder) / "small"
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(path)], capture_output=True, text=True) \
        if os.geteuid() == 0 and shutil.which("mount") else None
    if done is None or done.returncode != 0:
        pytest.skip("a small disk needs root and the right to mount: " + (done.stderr.strip() if done else "not root"))
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_refuses_what_it_cannot_keep_and_counts_nothing_twice(start, store, small_disk):
    agent = start("--store", store.url, "--window", "0.1", data=str(small_disk / "data"))
    try:
        assert agent.lines("disk.s:hits=1|c", wait="store").status_code == 200
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * (3 << 20))
        with pytest.raises(OSError), open(filler, "ab", buffering=0) as file:
            while file.write(b"x" * 4_096) == 4_096:
                pass
            raise OSError
        # The store is there: it keeps what the disk cannot.
        acknowledged = 1
        for number in range(20):
            # A value that the store must admit first would have its window recorded before its batch.
            assert agent.lines("disk.s:hits=1|c", wait="spool").status_code == 200, number
            acknowledged += 1
        assert total(agent.metrics(), "hailwhale_spool_errors_total") > 0
        agent.kill()
        filler.unlink()
        agent.start()
        samples = stored(agent)
        assert cells.hits(store.client, [("disk",)]) == [acknowledged]
        closes(samples)
        assert agent.lines("disk.s:hits=1|c", wait="spool").status_code == 200
        assert total(agent.metrics(), "hailwhale_spool_errors_total") == 0
    finally:
        agent.stop()


def test_a_proxy_that_breaks_connections_at_every_place_counts_once(start, store, folder):
    proxy = Proxy(folder + "/proxy.sock", store.path).start()
    try:
        agent = start("--store", f"redis+unix://{folder}/proxy.sock", "--window", "0.1")
        cuts = [(proxy.cut_request, count) for count in [0, 1, 30, 300, 600, 900]] + [
            (proxy.cut_reply, count) for count in [0, 1, 5, 9, 20]]
        for cut, count in cuts:
            cut(count)
            assert agent.lines("torn.a:hits=1|c\ntorn.b:hits=1|c", wait="store").status_code == 200
        assert proxy.struck == {"request": 6, "reply": 5}
        stored(agent)
        assert cells.hits(store.client, [("torn",), ("torn", "a")]) == [22, 11]
        assert total(agent.metrics(), "hailwhale_batches_total", outcome="duplicate") >= 3
    finally:
        agent.stop()
        proxy.stop()


@pytest.mark.parametrize("when", ["before", "torn", "written"])
def test_a_kill_at_every_write_of_the_spool_loses_nothing_acknowledged_and_doubles_nothing(store, folder, when):
    if not library("crash"):
        pytest.skip("there is no C compiler to make the crash with")
    died = 0
    for at in range(1, 13):
        data = f"{folder}/{at}"
        agent = Agent(data, "--store", store.url, "--window", "0.1", env={
            "LD_PRELOAD": str(library("crash")), "CRASH_AT": str(at), "CRASH_WHEN": when})
        sent, acknowledged = 0, 0
        agent.start()
        try:
            for number in range(10):
                # A store that stands still has windows wait in the spool; one that answers has acknowledgements written.
                if number in (3, 6):
                    (store.pause if number == 3 else store.resume)()
                sent += 1
                if agent.lines(f"at{at}.a:hits=1|c\nat{at}.b:hits=1|c", wait="spool").status_code == 200:
                    acknowledged += 1
            agent.flush()
        except httpx.HTTPError:
            agent.process.wait(PATIENCE_SECONDS)
        store.resume()
        died += agent.process.poll() == -signal.SIGKILL
        agent.kill()
        agent.env = None
        agent.start()
        try:
            stored(agent)
            whole, a, b = cells.hits(store.client, [(f"at{at}",), (f"at{at}", "a"), (f"at{at}", "b")])
            assert a == b and whole == 2 * a and acknowledged <= a <= sent, (at, acknowledged, sent, whole, a, b)
        finally:
            agent.stop()
    assert died == 12
