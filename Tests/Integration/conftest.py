import shutil
import subprocess
import tempfile
import time

import pytest
import redis

from agent import PATIENCE_SECONDS, Agent


@pytest.fixture
def folder():
    """A data folder whose path is short: a unix socket's may have 107 bytes."""
    path = tempfile.mkdtemp(prefix="hw-", dir="/tmp")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start(folder):
    """Starts agents that are ended with the test: `start("--window", "0.1")`."""
    agents = []

    def start(*arguments, data=None, **named):
        agent = Agent(data or folder + "/data", *arguments, **named)
        agents.append(agent)
        return agent.start()

    yield start
    for agent in reversed(agents):
        agent.stop()


@pytest.fixture
def agent(start):
    """An agent on its embedded store."""
    return start()


@pytest.fixture
def redis_url(folder):
    """A plain redis-server on a unix socket, as an operator's own store: append-only, evicting nothing."""
    path = folder + "/redis.sock"
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--dir", folder, "--appendonly", "yes",
         "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--save", ""],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
    )
    client = redis.Redis(unix_socket_path=path)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            client.ping()
            break
        except redis.exceptions.RedisError:
            assert server.poll() is None and time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.01)
    yield "redis+unix://" + path
    client.close()
    server.terminate()
    server.wait(PATIENCE_SECONDS)
