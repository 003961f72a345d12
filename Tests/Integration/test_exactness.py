"""Whatever is sent, in whatever mixture and window, every reading is exact to the millionth."""

import socket
import time

import pytest

from agent import total
from mixture import Mixture

COUNT = 22_000


def deliver(agent, mixture):
    """Lines over eight sockets, so that several lanes get some, and by POST /lines; events by /count."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
    counts, batch, batches = 0, [], 0
    items = mixture.items + [("end", None)]
    for kind, item in items:
        if kind == "event":
            answer = agent.client.post("/count", json=item)
            assert answer.status_code == 200, (item, answer.text)
            continue
        if kind == "line":
            batch.append(item)
        if kind == "line" and len("\n".join(batch).encode()) < 1_300:
            continue
        if batch:
            text = ("\r\n" if batches % 3 == 0 else "\n").join(batch)
            if batches % 4 == 3:
                assert agent.lines(text).json() == {"accepted": len(batch), "rejected": []}
            else:
                sockets[batches % 8].sendto(text.encode(), agent.udp_address)
            counts += len(batch)
            batches += 1
            batch = []
        # A raw socket has no back pressure: never have more under way than the receive buffer surely holds.
        if batches % 64 == 0 or kind == "end":
            agent.until(lambda read: total(read, "hailwhale_lines_total") >= counts, f"{counts} lines")
    for sender in sockets:
        sender.close()
    samples = agent.metrics()
    assert total(samples, "hailwhale_lines_total", outcome="rejected") == 0
    assert total(samples, "hailwhale_datagrams_kernel_dropped_total") == 0
    assert total(samples, "hailwhale_events_accepted_total") == mixture.lines


@pytest.mark.parametrize("window, count", [("0.1", 4_000), ("1", COUNT), ("7", 3_000), ("60", 3_000)])
def test_a_mixture_reads_back_exactly(start, window, count):
    mixture = Mixture(seed=int(float(window) * 10), count=count, now=int(time.time()))
    agent = start("--window", window, "--lanes", "4")
    deliver(agent, mixture)
    agent.flush()
    samples = agent.metrics()
    assert total(samples, "hailwhale_events_pending") == 0
    assert total(samples, "hailwhale_events_stored_total") == mixture.lines
    assert mixture.check(agent) > 10_000


def test_events_on_both_sides_of_a_bucket_lie_in_theirs(start):
    agent = start("--window", "7", "--resolutions", "1s:1h,1m:1d,1h:31d")
    began = time.time()
    sent = 0
    while time.time() < began + 2.5:
        agent.send("edge:hits=1|c")
        sent += 1
        time.sleep(0.01)
    agent.until_lines(sent)
    agent.flush()
    points = agent.plotpoints(pk="edge", period="1s:1m")["_"]["hits"]
    counted = [(instant / 1_000, value) for instant, value in points if value]
    assert sum(value for _, value in counted) == sent
    # A second that was sent all through has about as many as every other: none was put into its neighbour.
    assert {instant for instant, _ in counted} <= set(range(int(began), int(began) + 5))
    assert 3 <= len(counted) <= 4


def test_late_events_miss_only_what_no_longer_keeps_them(agent):
    now = int(time.time())
    rows = {f"age.a{age}": age for age in [0, 1_800, 2 * 3_600, 30 * 3_600, 40 * 86_400, 700 * 86_400]}
    body = "\n".join(f"{name}:hits=1|c|T{now - age}" for name, age in rows.items())
    assert agent.lines(body + f"\nage.gone:hits=1|c|T{now - 800 * 86_400}", wait="store").json()["accepted"] == len(rows)
    for name, age in rows.items():
        pk = '["age","%s"]' % name.split(".")[1]
        read = agent.totals(pk=pk, periods="1m:1h,1m:1d,1d:31d,1d:2y,all")
        hits = [read[period]["_"].get("hits", 0) for period in ["1m:1h", "1m:1d", "1d:31d", "1d:2y", "all"]]
        assert hits == [age < 3_600, age < 86_400, age < 30 * 86_400, True, True], name
