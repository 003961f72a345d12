"""The books close at every scrape while more arrives than a test can read back line by line."""

import pathlib
import socket
import threading
import time

from agent import SANITIZER, total
from test_ledger import closes


def status_closes(agent):
    """/status says the same as /metrics, each in itself."""
    read = agent.get("/status").json()
    events, lines = read["events"], read["lines"]
    assert events["accepted"] == events["stored"] + events["used"] + events["pending"] + events["lost"], events
    assert events["pending"] == events["pending_open"] + events["pending_closed"], events
    assert lines["rejected"] == sum(lines["reasons"].values()), lines
    return read


def flood(address, seconds, counts, failures, number):
    """Datagrams of forty lines, two of them bad, as fast as one socket takes them up to a bound."""
    body = "\n".join(
        [f"load.s{place % 5}:hits=1:m=0.5|c|#country:c{place % 7}" for place in range(38)] + ["load:x|c", "load.q:1|z"])
    text = body.encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        began, sent = time.monotonic(), 0
        try:
            while time.monotonic() - began < seconds:
                sender.sendto(text, address)
                sent += 1
                # 1,400 datagrams of 40 lines a second and sender.
                ahead = sent / 1_400 - (time.monotonic() - began)
                if ahead > 0.002:
                    time.sleep(ahead)
        except OSError as error:
            failures.append(error)
        counts[number] = sent


def test_the_books_close_at_every_scrape_under_a_hundred_thousand_lines_a_second(start):
    agent = start("--window", "0.1")
    seconds, counts, failures = 5, [0, 0], []
    senders = [
        threading.Thread(target=flood, args=(agent.udp_address, seconds, counts, failures, number))
        for number in range(2)
    ]
    for sender in senders:
        sender.start()
    scrapes = 0
    while any(sender.is_alive() for sender in senders):
        closes(agent.metrics())
        status_closes(agent)
        scrapes += 1
    assert not failures, failures
    samples = agent.until(
        lambda read: total(read, "hailwhale_datagrams_total") + total(read, "hailwhale_datagrams_kernel_dropped_total")
        == sum(counts), "every datagram, taken or counted as dropped")
    taken = total(samples, "hailwhale_datagrams_total", transport="udp")
    agent.flush()
    samples = agent.metrics()
    closes(samples)
    assert total(samples, "hailwhale_lines_total", outcome="accepted") == taken * 38
    assert total(samples, "hailwhale_rejected_total", reason="bad_number") == taken
    assert total(samples, "hailwhale_rejected_total", reason="bad_type") == taken
    assert total(samples, "hailwhale_events_stored_total") == taken * 38
    read = agent.totals(pk="load", metrics="hits,m", periods="all")["all"]["_"]
    assert (read["hits"], read["m"]) == (taken * 38, taken * 19)
    print(f"{sum(counts) * 40 / seconds:.0f} lines/s, {sum(counts) - taken:.0f} datagrams dropped, {scrapes} scrapes")
    assert scrapes > 20


def test_a_term_under_load_loses_only_what_the_kernel_held(start, redis_url):
    agent = start("--store", redis_url, "--window", "0.1")
    counts, failures = [0], []
    sender = threading.Thread(target=flood, args=(agent.udp_address, 1.5, counts, failures, 0))
    sender.start()
    time.sleep(0.7)
    before = agent.metrics()
    closes(before)
    assert agent.terminate() == 0
    sender.join()
    agent.start()
    stored = agent.totals(pk="load", periods="all")["all"]["_"]["hits"]
    assert stored % 38 == 0
    assert total(before, "hailwhale_lines_total", outcome="accepted") <= stored <= counts[0] * 38
    # Everything up to the signal was taken: what is missing was sent after it.
    assert not any("lost" in line for line in agent.log)


def test_names_beyond_the_limit_are_counted_where_they_still_fit(start):
    agent = start("--max-series", "1000", "--window", "1")
    count, per_body = 100_000, 5_000
    for first in range(0, count, per_body):
        body = "\n".join(
            f"wide.n{number}:hits=1|c|#user:u{number}" for number in range(first, first + per_body))
        assert agent.lines(body).json()["accepted"] == per_body
    agent.flush()
    samples = agent.metrics()
    closes(samples)
    assert agent.totals(pk="wide", periods="all")["all"]["_"]["hits"] == count
    overflow = total(samples, "hailwhale_series_overflow_total")
    assert count - 1_000 <= overflow <= count
    other = agent.totals(pk='["wide","__other__"]', periods="all")["all"]["_"]["hits"]
    assert 0 < other <= overflow
    assert total(samples, "hailwhale_series") < 10_000
    assert SANITIZER or resident_kilobytes(agent.process.pid) < 120_000


def resident_kilobytes(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def test_a_start_is_quick_and_an_idle_agent_asks_for_nothing(start):
    began = time.monotonic()
    agent = start()
    first = time.monotonic() - began
    agent.kill()
    began = time.monotonic()
    agent.start()
    again = time.monotonic() - began
    assert any("receive_buffer_bytes=" in line for line in agent.log)

    def spent():
        with open(f"/proc/{agent.process.pid}/stat") as file:
            words = file.read().rsplit(")", 1)[1].split()
        switches = 0
        for task in pathlib.Path(f"/proc/{agent.process.pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if "ctxt_switches" in line:
                    switches += int(line.split()[1])
        return int(words[11]) + int(words[12]), switches

    ticks, switches = spent()
    time.sleep(6)
    ticks_after, switches_after = spent()
    resident = resident_kilobytes(agent.process.pid)
    print(
        f"ready {first * 1e3:.0f} ms with a new store, {again * 1e3:.0f} ms with a running one; idle: "
        f"{resident} kB resident, {ticks_after - ticks} ticks and {switches_after - switches} context switches in 6 s")
    assert first < 5 and again < 2
    assert ticks_after - ticks <= 5
    assert resident < 40_000
