"""The container image: built from the Dockerfile, run as an engine would run it, and counted with.

Building takes minutes, root and Debian's mirror: `make image-test` asks for it, by HAILWHALE_IMAGE_TEST=1.
"""

import os
import pathlib
import socket
import time

import pytest
import yaml

import image
from agent import ROOT
from container import ADDRESS, Container, Network, within

pytestmark = pytest.mark.skipif(
    os.environ.get("HAILWHALE_IMAGE_TEST") != "1", reason="HAILWHALE_IMAGE_TEST=1 is not set: make image-test sets it")
LINE = "Product.42:revenue=12.5|c|#country:US"
LAYERS_LIMIT_BYTES = 40_000_000


def tell(request, text):
    """Says something that a reader of a passing run wants to know too."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{text}", flush=True)


@pytest.fixture(scope="module")
def builder(request):
    lacking = image.missing()
    if lacking:
        pytest.skip(f"missing {lacking}")
    builder = image.Builder()
    request.addfinalizer(builder.close)
    for make in (builder.make_base, builder.make_swift, builder.make_image):
        started = time.monotonic()
        make()
        tell(request, f"{make.__name__}: {time.monotonic() - started:.0f} s")
    return builder


@pytest.fixture(scope="module")
def config(builder):
    return builder.config()


@pytest.fixture(scope="module")
def root(builder):
    return builder.make_root()


@pytest.fixture
def network(builder):
    network = Network()
    yield network
    network.close()


@pytest.fixture
def run(root, config, network, folder):
    """Runs containers of the image that end with the test; those of one name have one volume."""
    containers = []

    def run(name="agent", **named):
        place = pathlib.Path(folder) / name
        place.mkdir(exist_ok=True)
        containers.append(Container(root, config, place, network, **named))
        return containers[-1]

    yield run
    for container in reversed(containers):
        container.close()


def send(network, text):
    """A datagram from the other side of the cable."""
    def act():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(text.encode(), (ADDRESS, 8125))

    within(network.outside, act)


def revenue(container, **named):
    answer = container.get("/totals", pk="Product", metrics="revenue,hits", periods="all", **named)
    assert answer.status_code == 200, answer.text
    return answer.json()["all"]["_"]["revenue"]


def has_counted(container, count, **named):
    container.until(lambda: revenue(container, **named) == count, f"counted {count}")


def test_the_layers_stay_small(builder, request):
    sizes = builder.layer_bytes()
    tell(request, f"layers over the base image: {sum(sizes) / 1e6:.1f} MB")
    assert 0 < sum(sizes) < LAYERS_LIMIT_BYTES


def test_what_an_engine_reads_from_it(config):
    assert config["User"] == "8125:8125"
    assert (config["Entrypoint"], config["Cmd"]) == (["hailwhale"], ["run"])
    assert set(config["ExposedPorts"]) == {"8125/udp", "8085/tcp"}
    assert set(config["Volumes"]) == {"/var/lib/hailwhale"}
    assert config["StopSignal"] == "SIGTERM"


def test_the_binary_and_its_libraries_are_of_one_piece(run):
    container = run().await_ready()
    version = container.execute("hailwhale", "version")
    assert version.returncode == 0, version.stderr
    assert "not found" not in container.execute("ldd", "/usr/local/bin/hailwhale").stdout


def test_an_event_from_the_network_counts_and_outlives_a_stop(run, network):
    container = run().await_ready()
    status = pathlib.Path(f"/proc/{container.first}/status").read_text()
    assert "\nName:\thailwhale\n" in "\n" + status
    assert "\nUid:\t8125\t8125\t8125\t8125\n" in status
    assert "\nCapEff:\t0000000000000000\n" in status

    send(network, LINE)
    has_counted(container, 12.5)
    # Writes are taken from private addresses; reads are not answered to them.
    refused = container.get("/totals", side=network.outside, host="localhost", pk="Product")
    assert refused.status_code in (401, 403), refused.text

    # A drain brings the open window to the store, which ends too, within what an engine grants.
    send(network, LINE)
    container.until(lambda: 'outcome="accepted"} 2' in container.get("/metrics").text, "accepted twice")
    code, seconds = container.stop()
    assert code == 0, container.log.read_text()
    assert seconds < 10
    container = run().await_ready()
    assert revenue(container) == 25
    # Whatever it keeps is its user's alone.
    (volume,) = container.folder.glob("volume")
    assert (volume.stat().st_uid, volume.stat().st_mode & 0o777) == (8125, 0o700)


def test_its_health_command_tells_an_answer_from_none(run, config):
    word, *command = config["Healthcheck"]["Test"]
    assert word == "CMD"
    container = run().await_ready()
    healthy = container.execute(*command)
    assert healthy.returncode == 0, healthy.stderr
    for elsewhere, is_healthy in {"0.0.0.0:8085": True, "8085": True, "": True, "0.0.0.0:8086": False}.items():
        code = container.execute("env", f"HAILWHALE_HTTP={elsewhere}", *command).returncode
        assert (code == 0) is is_healthy, elsewhere


def test_the_example_for_compose_runs_on_roots_that_are_read_only(run, network):
    services = yaml.safe_load((ROOT / "examples/compose.yaml").read_text())["services"]
    # The image's own redis-server stands in for that of redis:7, whose working folder is its volume.
    redis = run(
        "redis", command=[*services["redis"]["command"], "--dir", "/var/lib/hailwhale"],
        is_read_only=services["redis"]["read_only"])
    agent = run(
        "agent", environment=services["agent"]["environment"], hosts="127.0.0.1 redis\n",
        is_read_only=services["agent"]["read_only"]).await_ready()
    assert agent.execute("touch", "/usr/local/bin/file").returncode != 0
    assert agent.execute("redis-cli", "config", "get", "maxmemory-policy").stdout.split()[-1] == "noeviction"
    assert redis.process.poll() is None

    send(network, LINE)
    # Through a published port: from the bridge's address, with the name that was asked for on the machine.
    has_counted(agent, 12.5, side=network.outside, host="127.0.0.1:8085")
    send(network, LINE)
    agent.until(lambda: 'outcome="accepted"} 2' in agent.get("/metrics").text, "accepted twice")
    assert agent.stop()[0] == 0
    again = run("agent", environment=services["agent"]["environment"], hosts="127.0.0.1 redis\n", is_read_only=True)
    assert revenue(again.await_ready()) == 25
