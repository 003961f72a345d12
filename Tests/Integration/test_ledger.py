"""The ledger of /metrics closes at every moment a scrape can see."""

import threading

from agent import total
from events import Ledger, check


def closes(samples):
    lines = {outcome: total(samples, "hailwhale_lines_total", outcome=outcome) for outcome in ["accepted", "rejected"]}
    every = total(samples, "hailwhale_lines_total")
    accepted = total(samples, "hailwhale_events_accepted_total")
    parts = {
        name: total(samples, f"hailwhale_events_{name}")
        for name in ["stored_total", "used_total", "pending", "lost_total"]
    }
    assert every == sum(lines.values()), samples
    assert lines["rejected"] == total(samples, "hailwhale_rejected_total"), samples
    assert accepted == sum(parts.values()), (accepted, parts)
    assert all(value >= 0 for value in samples.values() if value == value), samples


def test_the_ledger_closes_at_every_scrape_under_load(start):
    agent = start("--window", "0.1")
    ledgers = [Ledger(seed=10 + number, count=4_000) for number in range(2)]
    failures, done = [], threading.Event()

    def by_http(ledger):
        try:
            for number, datagram in enumerate(ledger.datagrams()):
                body = datagram + ("\nbad line" if number % 5 == 0 else "")
                answer = agent.lines(body, wait=["none", "spool", "store"][number % 3])
                assert answer.status_code == 200, answer.text
        except Exception as error:  # Told by the test's own thread.
            failures.append(error)

    def by_udp(ledger):
        try:
            for number, datagram in enumerate(ledger.datagrams()):
                agent.send(datagram, b"\xff", b"a:1|q")
                if number % 32 == 31:
                    agent.flush()
        except Exception as error:
            failures.append(error)

    senders = [
        threading.Thread(target=by_http, args=(ledgers[0],)),
        threading.Thread(target=by_udp, args=(ledgers[1],)),
    ]
    for sender in senders:
        sender.start()
    scrapes, last = 0, {}
    while any(sender.is_alive() for sender in senders):
        samples = agent.metrics()
        closes(samples)
        for name, value in last.items():
            if name.split("{")[0].endswith("_total"):
                assert samples.get(name, 0) >= value, f"{name} went back"
        last = samples
        scrapes += 1
    for sender in senders:
        sender.join()
    assert not failures, failures
    assert scrapes > 10

    agent.flush()
    samples = agent.until(lambda read: total(read, "hailwhale_events_pending") == 0, "an empty window")
    closes(samples)
    if total(samples, "hailwhale_datagrams_kernel_dropped_total") == 0:
        merged = Ledger(seed=0, count=0)
        for ledger in ledgers:
            for cell, value in ledger.cells.items():
                merged.cells[cell] += value
        check(agent, merged, subjects=[("shop",)])


def test_events_are_pending_until_the_store_has_them(start):
    agent = start("--window", "60")
    agent.lines("a:hits=1|c\nb:hits=1|c")
    samples = agent.metrics()
    closes(samples)
    assert total(samples, "hailwhale_events_pending") == 2
    agent.flush()
    samples = agent.metrics()
    closes(samples)
    assert total(samples, "hailwhale_events_pending") == 0
    assert total(samples, "hailwhale_events_stored_total") == 2


def test_every_transport_is_counted(agent):
    agent.send("a:hits=1|c")
    agent.lines("a:hits=1|c")
    agent.get("/count", pk="a")
    agent.until(lambda samples: total(samples, "hailwhale_datagrams_total", transport="udp") == 1, "one datagram")
    samples = agent.until(lambda samples: total(samples, "hailwhale_events_accepted_total") == 3, "three events")
    closes(samples)
    assert total(samples, "hailwhale_build_info") == 1
    assert total(samples, "hailwhale_store_up") == 1
    assert total(samples, "hailwhale_http_requests_total", path="/count", status="200") == 1
