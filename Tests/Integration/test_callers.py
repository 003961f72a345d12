"""Callers over HTTP who mean harm: with raw sockets, from outside."""

import concurrent.futures
import json
import socket
import time

import pytest

from agent import total


def connect(agent, timeout=5):
    host, port = agent.http.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=timeout)


def talk(agent, request, timeout=1):
    """Sends bytes and returns what comes until the agent closes or is silent."""
    with connect(agent, timeout) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while part := connection.recv(65_536):
                answer += part
        except OSError:
            pass
        return answer


def error(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)["error"]["code"]


@pytest.mark.parametrize(
    "field",
    [b"X: a\0b", b"X: a\0\r\nY: 1", b"X\0Y: 1\r\nZ: 1", b"X: a\x01b", b"X: a\r\n b", b"X-Forwarded-For : 1", b"X\x7f: 1"],
)
def test_a_field_that_a_proxy_might_read_otherwise_is_refused(agent, field):
    answer = talk(agent, b"GET /count?pk=a HTTP/1.1\r\nHost: localhost\r\n" + field + b"\r\n\r\n")
    # A name cut by a NUL is a line without a colon to libmicrohttpd, which answers itself.
    assert answer.split(b" ")[1] == b"400", answer
    if b"<html>" not in answer:
        assert error(answer) == (400, "malformed_header")
    agent.flush()
    assert total(agent.metrics(), "hailwhale_events_accepted_total") == 0


def test_what_is_too_long_is_refused_in_json_and_counted(agent):
    target = b"GET /count?pk=" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    fields = b"GET /count?pk=a HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 20_000 + b"\r\n\r\n"
    many = b"GET /count?pk=a HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X%d: yyyyyyyyyy\r\n" % n for n in range(1_100)) + b"\r\n"
    assert error(talk(agent, target)) == (414, "target_too_long")
    assert error(talk(agent, fields)) == (431, "headers_too_large")
    assert talk(agent, many).split(b" ")[1] == b"431"
    samples = agent.metrics()
    assert total(samples, "hailwhale_http_requests_total", status="414") == 1
    assert total(samples, "hailwhale_http_requests_total", status="431") >= 1
    assert total(samples, "hailwhale_events_accepted_total") == 0


@pytest.mark.parametrize(
    "body, code, key",
    [
        ('{"pk":"a","pk":"b"}', "duplicate_key", '\\"pk\\"'),
        ('{"pk":"a","metrics":{"m":1,"m":2}}', "duplicate_key", '\\"m\\"'),
        ('{"pk":"a","category":"b"}', "duplicate_parameter", "pk"),
    ],
)
def test_a_key_that_stands_twice_is_refused_by_name(agent, body, code, key):
    answer = agent.client.post("/count", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert key in answer.text
    agent.flush()
    assert total(agent.metrics(), "hailwhale_events_accepted_total") == 0
    assert agent.get("/count", metrics='{"m":1,"m":2}').json()["error"]["param"] == "metrics"


def test_idle_connections_of_one_address_shut_nobody_out(agent):
    """Over IPv4's loopback there are many addresses: one takes all that it may, another is served."""
    host, port = agent.http.rsplit(":", 1)
    idle = []
    try:
        for _ in range(2_000):
            connection = socket.socket()
            connection.settimeout(2)
            connection.bind(("127.0.0.9", 0))
            try:
                connection.connect((host, int(port)))
            except OSError:
                connection.close()
                break
            idle.append(connection)
        begin = time.monotonic()
        for _ in range(20):
            assert agent.get("/healthz").status_code == 200
        assert agent.get("/count_now", pk="a").text.strip() == "OK"
        assert time.monotonic() - begin < 5
    finally:
        for connection in idle:
            connection.close()
    assert agent.totals(pk="a", periods="all")["all"]["_"]["hits"] == 1


def test_pipelined_garbage_counts_nothing_and_ends_its_connection_alone(agent):
    good = b"GET /count_now?pk=g HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for garbage in [b"\0\0\0\0\r\n\r\n", b"\xff\xfe GET\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nnothing\r\n\r\n", b"\x16\x03\x01\x00\xa5"]:
        answer = talk(agent, good + garbage + good)
        assert answer.count(b"HTTP/1.1 200 OK") <= 2
    assert agent.totals(pk="g", periods="all")["all"]["_"]["hits"] <= 10
    assert agent.process.poll() is None


def test_a_chunked_body_without_end_is_cut(agent):
    with connect(agent) as connection:
        connection.sendall(b"POST /lines HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"endless:hits=1|c\n" * 3_855 + b"x" + b"\r\n"
        assert len(chunk) == 7 + 65_536 + 2
        sent = 0
        with pytest.raises(OSError):
            while sent < 256 << 20:
                connection.sendall(chunk)
                sent += len(chunk)
        assert sent < 64 << 20
    agent.flush()
    assert total(agent.metrics(), "hailwhale_events_accepted_total") == 0


def test_what_the_store_holds_may_be_too_much_to_read(start, store):
    """How much a key holds is up to whoever wrote it: a read gives up before it fills the agent's memory."""
    agent = start("--store", store.url)
    agent.lines("w:hits=1|c|#a:1", wait="store")
    assert agent.get("/subdimensions", pk="w").json() == ["a"]
    # The page of the all-time total is the subject's one hash that never expires.
    pages = [key for key in store.client.scan_iter(_type="hash") if store.client.ttl(key) == -1 and key != b"hw:meta"]
    # In pieces: a busy machine takes seconds for all of it, and the server turns to others with BUSY.
    fill = "for number = 1, 50000 do redis.call('HSET', KEYS[1], 'j' .. (ARGV[1] + number), '') end"
    for page in pages:
        for first in range(0, 1_300_000, 50_000):
            store.client.eval(fill, 1, page, first)
    reads = [("/subdimensions", {"pk": "w"})] * 4
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda read: agent.get(read[0], **read[1]), reads))
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too_costly"), answer.text[:200]
    assert agent.get("/subdimensions", pk="v").json() == []
    assert agent.process.poll() is None
