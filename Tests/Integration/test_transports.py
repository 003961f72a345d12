"""Every address that `--udp` and `--tcp` take counts the same: IPv4, IPv6, unix sockets, several at once."""

import os
import socket
import stat

import datadog.dogstatsd
import pytest
import statsd

from agent import command, fields, total
from readings import Meter, read

LINES = 3_000


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as trial:
            trial.bind(("::1", 0))
        return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this system has no IPv6 loopback address")


def test_a_unix_socket_loses_nothing_however_fast_it_is_filled(start, folder):
    path = folder + "/hail.sock"
    agent = start(udp="unix:" + path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(path)
        # The receiver holds the sender up: nothing is waited for here.
        for number in range(LINES):
            sender.send(f"unix.fast:{number}|c|#half:{number % 2}\nunix.took:{number}|ms".encode())
        # Far more than any path over a network lets through whole.
        sender.send(b"\n".join(b"unix.large:1|c" for _ in range(4_000)))
    samples = agent.until_lines(2 * LINES + 4_000)
    assert total(samples, "hailwhale_lines_total", outcome="rejected") == 0
    assert total(samples, "hailwhale_datagrams_total", transport="unix") == LINES + 1
    agent.flush()
    assert read(agent, "unix", "fast", "took:count", "large") == [sum(range(LINES)), LINES, 4_000]
    assert read(agent, "unix", "fast", dimensions=["half", "1"]) == sum(range(1, LINES, 2))


def test_a_unix_socket_takes_datagrams_longer_than_any_udp_brings(start, folder):
    path = folder + "/hail.sock"
    agent = start(udp="unix:" + path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        sender.connect(path)
        # 65,528 bytes of lines, then as many that are one line, and the same again after a line that is none too long.
        sender.send(b"long.many:1|c\n" * 4_680)
        sender.send(b"long.one:1|c|#" + b"x" * 65_514)
        sender.send(b"long.few:1|c\nlong.one:1|c|#" + b"x" * 65_510)
        # Longer than what is received of any: 65,536 bytes are 5,041 lines and a part of one.
        sender.send(b"long.cut:1|c\n" * 5_100)
    accepted = 4_680 + 1 + 5_041
    samples = agent.until_lines(accepted + 3)
    assert total(samples, "hailwhale_lines_total", outcome="accepted") == accepted
    assert total(samples, "hailwhale_rejected_total", reason="line_too_long") == 3
    agent.flush()
    assert read(agent, "long", "many", "few", "one", "cut") == [4_680, 1, 0, 5_041]


def test_a_unix_socket_is_taken_up_again_after_a_kill_and_gone_after_a_stop(start, folder):
    path = folder + "/hail.sock"
    agent = start(udp="unix:" + path)
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    agent.kill()
    agent.start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"unix.again:1|c", path)
    agent.until_lines(1)
    assert agent.terminate() == 0
    assert not os.path.exists(path)


def test_clients_reach_a_unix_socket(start, folder):
    path = folder + "/hail.sock"
    agent = start(udp="unix:" + path)
    client = datadog.dogstatsd.DogStatsd(
        socket_path=path, disable_telemetry=True, origin_detection_enabled=False, socket_timeout=5
    )
    for number in range(500):
        client.increment("unix.dog", number, tags=["a:b"])
    client.stop()
    result = command("send", "--to", "unix:" + path, stdin="unix.send:hits=1|c\n" * 500)
    assert result.returncode == 0, result.stderr
    agent.until_lines(1_000)
    agent.flush()
    assert read(agent, "unix", "dog") == sum(range(500))
    assert read(agent, "unix.send", "hits") == 500


@needs_ipv6
def test_ipv6_counts(start):
    agent = start(udp="[::1]:0", http="[::1]:0")
    assert agent.udp.startswith("[::1]:") and agent.http.startswith("[::1]:")
    host, port = agent.udp_address
    meter = Meter(agent)
    client = statsd.StatsClient(host, port, ipv6=True)
    for number in range(300):
        client.incr("six.calls", number)
        meter.add()
    client.close()
    result = command("send", "--to", agent.udp, stdin="six.send:1|c\n" * 100)
    assert result.returncode == 0, result.stderr
    meter.count += 100
    meter.finish()
    assert read(agent, "six", "calls", "send") == [sum(range(300)), 100]


@needs_ipv6
def test_several_addresses_are_one_agent(start, folder):
    path = folder + "/hail.sock"
    agent = start("--udp", "[::1]:0", "--udp", "unix:" + path)
    heard = [fields(line) for line in agent.log]
    addresses = {values["address"] for values in heard if values.get("msg") == "listening"} - {agent.http}
    assert len(addresses) == 3, addresses
    for address in addresses:
        result = command("send", "--to", address, stdin="several.calls:1|c\n" * 10)
        assert result.returncode == 0, (address, result.stderr)
    agent.until_lines(30)
    agent.flush()
    assert read(agent, "several", "calls") == 30


def test_clients_of_streams_count(start, folder):
    path = folder + "/lines.sock"
    agent = start("--tcp", "127.0.0.1:0", "--tcp", "unix:" + path)
    heard = [fields(line) for line in agent.log]
    ports = [values["address"] for values in heard if values.get("transport") == "tcp" and ":" in values["address"]]
    port = next(int(address.rsplit(":", 1)[1]) for address in ports if not address.startswith("unix:"))
    clients = [statsd.TCPStatsClient("127.0.0.1", port), statsd.UnixSocketStatsClient(path)]
    for client in clients:
        # A stream holds the sender up: nothing is waited for here.
        with client.pipeline() as pipe:
            for number in range(LINES):
                pipe.incr("stream.calls", number)
        for number in range(LINES):
            client.timing("stream.took", number)
        client.gauge("stream.level", -3)
        client.close()
    agent.until_lines(4 * LINES + 4)
    agent.flush()
    metrics = ["calls", "took:count", "took:sum", "level"]
    assert read(agent, "stream", *metrics) == [2 * sum(range(LINES)), 2 * LINES, 2 * sum(range(LINES)), -3]
