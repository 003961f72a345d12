"""Requests and datagrams of people who mean no good: each is answered or cut, and the agent counts on."""

import json
import socket
import time

import pytest

from agent import total

READ = ["/totals", "/plotpoints", "/metrics", "/status"]
WRITE = ["/count", "/count_now", "/flush_hail", "/lines"]


@pytest.fixture
def raw(agent):
    """Sends bytes over a connection of their own and reads to its end, or for two seconds."""

    def exchange(data, seconds=2.0, pieces=None):
        host, port = agent.http.rsplit(":", 1)
        answer = b""
        with socket.create_connection((host, int(port)), timeout=seconds) as connection:
            try:
                for piece in pieces or [data]:
                    connection.sendall(piece)
                    if pieces:
                        time.sleep(0.02)
                while part := connection.recv(65_536):
                    answer += part
            except (TimeoutError, ConnectionError):
                pass
        return answer

    return exchange


def counted(agent, pk="a"):
    return agent.totals(pk=pk, periods="all")["all"]["_"].get("hits", 0)


def test_every_byte_may_begin_a_datagram(agent):
    for first in range(256):
        agent.send(bytes([first]), bytes([first]) + b"a:hits=1|c", b"ok:hits=1|c\n" + bytes([first]) + b"x" * 50)
    agent.until(lambda read: total(read, "hailwhale_datagrams_total") == 768, "every datagram")
    agent.flush()
    assert counted(agent, "ok") == 256
    samples = agent.metrics()
    assert total(samples, "hailwhale_lines_total", outcome="rejected") == total(samples, "hailwhale_rejected_total")
    assert total(samples, "hailwhale_sealed_total") == 2


def test_lines_as_long_as_a_datagram_are_judged(agent):
    long = [b"a:hits=1|c|#" + b",".join([b"t"] * 32_000), b"a:" + b"1:" * 32_000 + b"1|c", b"a" * 65_507, b":" * 65_507,
            b"|" * 65_507, b"\n" * 65_507, b"a:hits=1|c|#x:" + b">" * 65_000, b"%" * 65_507]
    for line in long:
        agent.send(line[:65_507])
        assert agent.lines(line + b"\nok:hits=1|c").json()["accepted"] >= 1
    agent.until(lambda read: total(read, "hailwhale_datagrams_total", transport="udp") == len(long), "every datagram")
    agent.flush()
    assert counted(agent, "ok") == len(long)


def test_a_full_body_of_odd_times_counts_all_of_its_lines(agent):
    now = int(time.time())
    count = 80_000
    body = "\n".join(f"t.s{number % 40_000}:hits=1|c|T{now - 600 * (number // 40_000 + 1)}" for number in range(count))
    assert len(body) < 4 << 20
    assert agent.lines(body, wait="store").json() == {"accepted": count, "rejected": []}
    assert counted(agent, "t") == count
    assert total(agent.metrics(), "hailwhale_events_pending") == 0


def test_an_event_of_the_longest_names_counts(agent):
    letters = ".%:|,#=>@/" * 26
    paths = [[f"d{number}" + letters[:250]] + [letters[:256]] * 7 for number in range(32)]
    metrics = {letters[:250] + str(number): 1 for number in range(4)}
    event = {"pk": ["big", letters[:256]], "dimensions": paths, "metrics": metrics}
    for call in ["/count", "/count_now"]:
        answer = agent.client.post(call, json=event)
        assert answer.status_code == 200, answer.text
    assert counted(agent, "big") == 2
    event["dimensions"].append(["one", "more"])
    assert agent.client.post("/count", json=event).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT", "BREW", "get"])
def test_odd_methods_are_refused_on_every_route(agent, raw, method):
    for path in READ + WRITE + ["/healthz", "/readyz"]:
        answer = raw(f"{method} {path}?pk=a HTTP/1.1\r\nHost: {agent.http}\r\nConnection: close\r\n\r\n".encode())
        assert answer.split(b" ")[1] in (b"405", b"400", b"501"), (path, answer[:200])
    assert counted(agent) == 0


def test_bodies_that_are_nothing_are_refused(agent):
    deep = {"pk": "x"}
    for _ in range(500):
        deep = {"a": deep}
    bodies = [
        (b"[" * 100_000, "application/json"), (b'{"pk":' * 50_000, "application/json"), (b'{"pk":"\xff"}', "application/json"),
        (json.dumps({"pk": "a", "dimensions": deep}).encode(), "application/json"),
        (json.dumps({"pk": ["p"] * 10_000}).encode(), "application/json"),
        (json.dumps({"pk": "a", "dimensions": [["p"]] * 10_000}).encode(), "application/json"),
        (json.dumps({"pk": "a", "metrics": {f"m{n}": 1 for n in range(10_000)}}).encode(), "application/json"),
        (b'{"pk":"a","metrics":{"m":1e400}}', "application/json"),
        (b'{"pk":"a\\u0000b"}', "application/json"), (b"pk=a%00b", "application/x-www-form-urlencoded"),
        (b"pk=a", "text/xml"), (b"pk=a", "multipart/form-data; boundary=x"), (b'["a"]', "application/json"),
        (b'{"pk":"a","metrics":{"m":NaN}}', "application/json"), (b'{"pk":"\\ud800"}', "application/json"),
    ]
    for body, kind in bodies:
        answer = agent.client.post("/count", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 400, (body[:60], answer.status_code, answer.text[:200])
        assert answer.json()["error"]["code"]
        # What reads refuse too, they refuse by name; what they may take, they take.
        assert agent.client.post("/totals", content=body, headers={"Content-Type": kind}).status_code in (200, 400)
    for pk in ["a", "b", "x", "_"]:
        assert counted(agent, pk) == 0


def test_broken_requests_end_nothing(agent, raw):
    host = f"Host: {agent.http}\r\n"
    requests = [
        b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET /\x00count HTTP/1.1\r\n" + host.encode() + b"\r\n",
        b"GET /count?pk=a%00 HTTP/1.1\r\n" + host.encode() + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + host.encode() + b"\r\n",
        b"GET /totals HTTP/1.1\r\n" + host.encode() + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /totals HTTP/1.1\r\n" + host.encode() + b"".join(b"X%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
        b"POST /lines HTTP/1.1\r\n" + host.encode() + b"Content-Length: -1\r\n\r\n",
        b"POST /lines HTTP/1.1\r\n" + host.encode() + b"Content-Length: 99999999999999999999\r\n\r\n",
        b"POST /lines HTTP/1.1\r\n" + host.encode() + b"Content-Length: 11\r\nContent-Length: 12\r\n\r\na:hits=1|c\n",
        b"POST /lines HTTP/1.1\r\n" + host.encode() + b"Content-Length: 11\r\nTransfer-Encoding: chunked\r\n\r\na:hits=1|c\n",
        b"POST /lines HTTP/1.1\r\n" + host.encode() + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /lines HTTP/1.1\r\nContent-Length: 11\r\n\r\na:hits=1|c\n",
        b"POST /lines HTTP/9.9\r\n" + host.encode() + b"\r\n",
    ]
    for request in requests:
        answer = raw(request, seconds=0.3)
        assert not answer or answer.split(b" ")[1] not in (b"200", b"500"), (request[:80], answer[:200])
    assert agent.process.poll() is None
    agent.flush()
    assert counted(agent) == 0


def test_requests_in_one_piece_are_answered_in_their_order(agent, raw):
    host = f"Host: {agent.http}\r\n".encode()
    one = b"GET /count_now?pk=p HTTP/1.1\r\n" + host + b"\r\n"
    two = b"POST /lines?wait=store HTTP/1.1\r\n" + host + b"Content-Length: 11\r\n\r\np:hits=1|c\n"
    three = b"GET /totals?pk=p&periods=all HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n"
    answer = raw(one * 3 + two * 2 + three, seconds=5)
    assert answer.count(b"HTTP/1.1 200 OK") == 6, answer
    assert answer.rstrip().endswith(b'{"all":{"_":{"hits":5}}}'), answer[-200:]


def test_slow_clients_hold_nobody_up(agent):
    host, port = agent.http.rsplit(":", 1)
    slow = [socket.create_connection((host, int(port))) for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(b"POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\na:hi"[:10 + number % 70])
        began = time.monotonic()
        for _ in range(20):
            assert agent.get("/count_now", pk="fast").status_code == 200
        assert time.monotonic() - began < 3
    finally:
        for connection in slow:
            connection.close()
    assert counted(agent, "fast") == 20
    assert counted(agent) == 0


def own_address():
    """An address of this machine that is not a loopback one, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


def test_lines_from_other_addresses_are_unsealed(start):
    address = own_address()
    if address is None:
        pytest.skip("this machine has a loopback address only")
    agent = start(udp="0.0.0.0:0")
    port = agent.udp_address[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a:hits=1|c\nb:hits=1|c\n", (address, port))  # From that address, too.
    agent.until(lambda read: total(read, "hailwhale_rejected_total", reason="unsealed") == 2, "two refusals")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a:hits=1|c", ("127.0.0.1", port))
    agent.until(lambda read: total(read, "hailwhale_lines_total", outcome="accepted") == 1, "one line")


@pytest.mark.parametrize("path", ["/lines", "/flush_hail", "/count", "/count_now"])
def test_a_parameter_that_a_write_does_not_know_is_refused(agent, path):
    answer = agent.client.post(path, params={"nonsense": "1"}, content=b"a.b:1|c" if path == "/lines" else b"")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "nonsense"), answer.text
    assert agent.client.post("/lines", params={"wait": "store", "_": "1"}, content=b"a.b:1|c").status_code == 200
    assert agent.get("/totals", pk="a", metrics="b", periods="all").json()["all"]["_"]["b"] == 1
