"""Whatever arrives, a bad line is refused whole and by name, and its good neighbours count."""

import random
import shutil
import tempfile
import time

import httpx
import pytest

from agent import Agent, total

# Every reason that a plain line can be refused for, with lines that earn it.
BAD = {
    "missing_value": [b"a.b", b"a.b|c", b"a.b:|c", b"a.b:|g", b"a.b:|ms", b"a.b:|s"],
    "empty_name": [b":1|c", b"..:1|c"],
    "missing_type": [b"a.b:1", b"a.b:1|"],
    "bad_type": [b"a.b:1|x", b"a.b:1|C"],
    "bad_number": [b"a.b:one|c", b"a.b:1e|c", b"a.b:--1|c", b"a.b:0x10|c", b"a.b:nan|c", b"a.b:inf|c", b"a.b:1,5|c",
                   b"a.b:x|g", b"a.b:nan|g", b"a.b:x|ms", b"a:x=y|h"],
    "out_of_range": [b"a.b:9000000000001|c", b"a.b:1e300|c", b"a.b:9e12|c|@0.5", b"a.b:1e400|g", b"a.b:1e13|ms"],
    "bad_rate": [b"a.b:1|c|@", b"a.b:1|c|@x"],
    "rate_out_of_range": [b"a.b:1|c|@0", b"a.b:1|c|@2", b"a.b:1|c|@0.0000001"],
    "bad_timestamp": [b"a.b:1|c|Tnoon", b"a.b:1|c|T"],
    "late": [b"a.b:1|c|T1", b"a.b:1|g|T1", b"a.b:x|s|T1", b"_sc|db.up|1|d:1"],
    "future": [b"a.b:1|c|T9999999999", b"a.b:1|ms|T9999999999"],
    "control_byte": [b"a\x01b:1|c", b"a.b:1|c|#x:\x7f", b"a.b:1|c|#x\ty"],
    "not_utf8": [b"a\xc3:1|c", b"a.b:1|c|#x:\xc0\x80", b"\xed\xa0\x80:1|c"],
    "reserved_name": [b"_.b:1|c", b"a.b:1|c|#_:x", b"a:__other__=1|c", "a.b:1|c|#a×b".encode()],
    "multi_type": [b"a:1|c:2|ms", b"a:1|g:2|c", b"a:1|ms|@0.1:2|ms"],
    "tags_in_name": [b"a,k=v:1|c", b"a;k=v:1|c"],
    "mixed_forms": [b"a:x=1:2|c", b"a:x=1:2|g", b"a:1:x=2|ms"],
    "too_many_parts": [b".".join([b"p"] * 18) + b":1|c"],
    "part_too_long": [b"a." + b"p" * 257 + b":1|c", b"a:1|c|#d:" + b"v" * 257],
    "too_many_tags": [b"a.b:1|c|#" + b",".join(b"t%d" % number for number in range(33))],
    "too_deep": [b"a.b:1|c|#d:" + b">".join([b"p"] * 8)],
    "too_many_metrics": [b"a:" + b":".join(b"m%d=1" % number for number in range(65)) + b"|c"],
    # DogStatsD's datagrams that are no metrics by their form.
    "bad_event": [b"_e{a,b}:x|y", b"_e{2,1}:a|b", b"_e{1,1}:a", b"_e{0,1}:|b", b"_e{1,1}:a|\xff"],
    "bad_service_check": [b"_sc|", b"_sc|db.up", b"_sc|db.up|4", b"_sc|db.up|OK", b"_sc|db.up|1|x", b"_sc|db.up|1|d:now"],
}
CASES = [(reason, line) for reason, lines in BAD.items() for line in lines]


@pytest.fixture(scope="module")
def shared():
    """One agent for the whole table: every row has a subject of its own."""
    folder = tempfile.mkdtemp(prefix="hw-", dir="/tmp")
    agent = Agent(folder + "/data")
    try:
        yield agent.start()
    finally:
        agent.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{reason}-{line[:24]!r}" for reason, line in CASES])
def test_a_bad_line_is_refused_by_name_and_its_neighbours_count(shared, number):
    reason, line = CASES[number]
    before = shared.metrics()
    subject = f"good{number}"
    body = f"{subject}:hits=1|c\n".encode() + line + f"\r\n{subject}:hits=2|c\n\n".encode()
    answer = shared.lines(body, wait="store")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"accepted": 2, "rejected": [{"line": 2, "reason": reason}]}
    assert shared.totals(pk=subject, periods="all")["all"]["_"]["hits"] == 3
    after = shared.metrics()
    name = "hailwhale_rejected_total"
    assert total(after, name, reason=reason) == total(before, name, reason=reason) + 1


def test_the_same_lines_are_refused_the_same_way_over_udp(agent):
    for number, (reason, line) in enumerate(CASES):
        agent.send(b"udp%d:hits=1|c\n" % number + line + b"\nudp%d:hits=2|c" % number)
    samples = agent.until_lines(3 * len(CASES))
    for reason, lines in BAD.items():
        assert total(samples, "hailwhale_rejected_total", reason=reason) == len(lines), reason
    agent.flush()
    for number in range(len(CASES)):
        assert agent.totals(pk=f"udp{number}", periods="all")["all"]["_"]["hits"] == 3


def test_what_is_allowed_is_taken(agent):
    good = [
        b"a..g:1|c", b"a.b:1|c|#", b"a.b:1|c|#,,x,", b"a.b:1|c|#env:", b"a.b:1|c|#v:>=2.0", b"a.b:1e-3|c", b"a.b:+1|c",
        b"a.b:-0.5|c", b"a%3Ab:1|c", b"a%zz:1|c", b"a.b:1|c|@1|#x|T%d|c:id|e:x|card:low" % int(time.time()),
        b"a.b:1:2:3|c|@0.1", "überall.größe:1|c|#stadt:Köln".encode(), b"a.b:9000000000000|c", b"a.b:-9e12|c",
        b"a.b:1|g", b"a.b:+1|g", b"a.b:-1e300|g|#x", b"a.b:1:+2|g|@0.1", b"a:x=1:y=-2|g", b"a.b:1|ms", b"a.b:1:2|h|@0.5", b"a:x=1|d",
        b"a.b:bob|s", b"a.b:x=1:y|s|@0.5", b"_e{1,1}:a|b", b"_e{5,4}:title|text|#x|p:low", b"_sc|db.up|1",
        b"_sc|db.up|0|d:%d|h:web|#x|m:all | well" % int(time.time()),
        b".".join([b"p"] * 17) + b":1|c", b"a.b:1|c|#d:" + b">".join([b"p"] * 7), b"a:" + b"p" * 256 + b"=1|c",
    ]
    answer = agent.lines(b"\n".join(good), wait="store")
    assert answer.json() == {"accepted": len(good), "rejected": []}, [
        good[entry["line"] - 1] for entry in answer.json()["rejected"]
    ]


def test_random_bytes_end_nothing(agent):
    source = random.Random(7)
    seeds = [line for _, line in CASES] + [
        b"shop:revenue=12.5:sales=1|c|#country:US,geo:US>CA|@0.5", b"a.b:1:+2|g", b"a.b:1:2|ms|@0.1|#x", b"a.b:bob|s",
        b"_e{5,4}:title|text", b"_sc|db.up|1|d:1700000000|#x|m:y",
    ]
    for round in range(20):
        datagrams = []
        for _ in range(50):
            line = bytearray(source.choice(seeds))
            for _ in range(source.randint(0, 4)):
                if line:
                    line[source.randrange(len(line))] = source.randrange(256)
            datagrams.append(bytes(line) if source.random() < 0.8 else source.randbytes(source.randint(0, 1_400)))
        agent.send(*datagrams)
        answer = agent.lines(b"\n".join(datagrams))
        # A body that begins like a sealed frame is one whose key nobody knows.
        assert answer.status_code in (200, 403), answer.text
        samples = agent.metrics()
        assert total(samples, "hailwhale_lines_total", outcome="rejected") == total(
            samples, "hailwhale_rejected_total"
        ), round
    assert agent.process.poll() is None


def test_the_largest_datagram_is_taken(agent):
    line = b"big:hits=1|c\n"
    agent.send((line * (65_507 // len(line) + 1))[:65_507 - 65_507 % len(line)])
    count = 65_507 // len(line)
    agent.until_lines(count)
    agent.flush()
    assert agent.totals(pk="big", periods="all")["all"]["_"]["hits"] == count


def test_a_body_past_its_bound_counts_nothing(agent):
    body = b"huge:hits=1|c\n" * ((64 << 20) // 14 + 1)
    try:
        assert agent.lines(body).status_code == 413
    except httpx.TransportError:
        pass  # The agent may close the connection before the body's end.
    assert agent.totals(pk="huge", periods="all")["all"]["_"].get("hits", 0) == 0
