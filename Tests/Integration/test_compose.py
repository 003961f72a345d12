"""What the example for Docker Compose relies on, held to the Dockerfile and to the options of the agent."""

import re

import pytest
import yaml

from agent import ROOT, command

EXAMPLE = ROOT / "examples/compose.yaml"
# What a service of the Compose specification may say, as far as the example goes: a misspelt key is refused by Compose.
SERVICE_KEYS = {
    "build", "image", "restart", "depends_on", "environment", "ports", "volumes", "stop_grace_period", "read_only",
    "cap_drop", "security_opt", "command", "healthcheck", "user",
}


@pytest.fixture(scope="module")
def example():
    return yaml.safe_load(EXAMPLE.read_text())


@pytest.fixture(scope="module")
def dockerfile():
    return (ROOT / "Dockerfile").read_text()


def test_it_is_an_agent_and_a_redis(example):
    assert set(example) == {"name", "services", "volumes"}
    assert set(example["services"]) == {"agent", "redis"}
    for service in example["services"].values():
        assert set(service) <= SERVICE_KEYS
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"


def test_the_redis_keeps_what_it_is_given(example):
    redis = example["services"]["redis"]
    assert redis["image"] == "redis:7"
    assert redis["command"] == ["redis-server", "--appendonly", "yes", "--maxmemory-policy", "noeviction"]
    assert redis["healthcheck"]["test"] == ["CMD-SHELL", "redis-cli ping | grep -q PONG"]
    assert "ports" not in redis, "only the agent talks to it"
    assert redis["user"] == "redis"


def test_the_agent_waits_for_the_redis_and_is_given_time_to_drain(example):
    agent = example["services"]["agent"]
    assert agent["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert agent["environment"] == {
        "HAILWHALE_STORE": "redis://redis:6379", "HAILWHALE_PLAIN": "private", "HAILWHALE_READ": "private"
    }
    assert int(agent["stop_grace_period"].removesuffix("s")) > 10
    assert (EXAMPLE.parent / agent["build"] / "Dockerfile").samefile(ROOT / "Dockerfile")


def test_the_agent_is_published_to_this_machine_only(example, dockerfile):
    published = [port.rsplit(":", 2) for port in example["services"]["agent"]["ports"]]
    assert {address for address, _, _ in published} == {"127.0.0.1"}
    exposed = re.search(r"^EXPOSE (.+)$", dockerfile, re.MULTILINE).group(1).split()
    assert [inner for _, _, inner in published] == exposed
    assert all(outer == inner.split("/")[0] for _, outer, inner in published)


def test_every_volume_is_declared_and_lies_where_the_image_writes(example, dockerfile):
    mounts = {
        name: dict([volume.split(":") for volume in service["volumes"]]) for name, service in example["services"].items()
    }
    assert mounts == {"agent": {"spool": "/var/lib/hailwhale"}, "redis": {"counts": "/data"}}
    assert set(example["volumes"]) == {"spool", "counts"}
    assert re.search(r"^VOLUME (.+)$", dockerfile, re.MULTILINE).group(1) == "/var/lib/hailwhale"
    assert "\nHEALTHCHECK " in dockerfile, "the agent's health check is the image's"


def test_the_agent_takes_this_environment(example, redis_url, folder):
    # A Redis on a socket stands in for the one named redis, which only Compose's network knows.
    environment = example["services"]["agent"]["environment"] | {"HAILWHALE_STORE": redis_url}
    checked = command("check", "--data", folder + "/data", env=environment)
    assert checked.returncode == 0, checked.stdout + checked.stderr
