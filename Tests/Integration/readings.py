"""What tests of clients read back, and how they wait for what was sent."""

import asyncio
import json
import time

from agent import total

# Datagrams that may be under way: each takes its share of the receive buffer, however small it is.
BURST = 64


def read(agent, pk, *metrics, dimensions=None, period="1m:1h"):
    """Metrics of a subject, a dotted path, at one group: by the metric's name where there is one, else a list."""
    parameters = {"pk": json.dumps(pk.split(".")), "metrics": json.dumps(metrics), "periods": period}
    if dimensions:
        parameters["dimensions"] = json.dumps([dimensions])
    groups = agent.totals(**parameters)[period]
    assert len(groups) <= 1, groups
    values = next(iter(groups.values()), {})
    found = [values.get(metric, 0) for metric in metrics]
    return found[0] if len(found) == 1 else found


class Meter:
    """Waits until the agent has judged as many lines as were sent, so that none is lost on the way."""

    def __init__(self, agent):
        self.agent = agent
        self.before = total(agent.metrics(), "hailwhale_lines_total")
        self.count = 0
        self.waited = 0

    def add(self, count=1):
        self.count += count
        if self.count - self.waited >= BURST:
            self.wait()

    def wait(self):
        self.waited = self.count
        return self.agent.until_lines(self.before + self.count)

    def finish(self, rejected=0):
        """Every line was judged, none was lost before; flushed and readable."""
        samples = self.wait()
        assert total(samples, "hailwhale_datagrams_kernel_dropped_total") == 0
        assert total(samples, "hailwhale_lines_total") == self.before + self.count, "more lines than were sent"
        assert total(samples, "hailwhale_lines_total", outcome="rejected") == rejected, samples
        self.agent.flush()
        return samples


def quiet(agent):
    """Waits until no further line comes: for clients that send some of their own accord. Flushes."""
    last, since = -1, time.monotonic()
    while time.monotonic() < since + 0.3:
        now = total(agent.metrics(), "hailwhale_lines_total")
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.02)
    samples = agent.metrics()
    assert total(samples, "hailwhale_datagrams_kernel_dropped_total") == 0
    assert total(samples, "hailwhale_lines_total", outcome="rejected") == 0, samples
    agent.flush()
    return samples


async def drained(client):
    """Waits until an aiodogstatsd client has sent what it was told, all but what is on its way out of the queue."""
    while not client._pending_queue.empty():
        await asyncio.sleep(0)
    await asyncio.sleep(0.005)
