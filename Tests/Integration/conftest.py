import shutil
import tempfile

import pytest

from agent import Agent
from store import Store


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
def store(folder):
    """A plain redis-server on a unix socket, as an operator's own store: append-only, evicting nothing."""
    store = Store(folder + "/redis").start()
    yield store
    store.end()


@pytest.fixture
def redis_url(store):
    return store.url
