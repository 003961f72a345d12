"""Clients of other languages, as Debian packages them: what they were told is what is read."""

import pathlib
import shutil
import subprocess

import pytest

from agent import PATIENCE_SECONDS, environment, total
from readings import quiet, read

SCRIPTS = pathlib.Path(__file__).parent / "clients"


def run(agent, *words):
    """Runs a script against the agent and waits until all of its lines were judged."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed (make deps)")
    # Debian's modules are where a node of another maker does not look.
    paths = {"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs", "NODE_NO_WARNINGS": "1"}
    host, port = agent.udp_address
    command = [*words[:-1], str(SCRIPTS / words[-1]), host, str(port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=environment(paths))
    assert done.returncode == 0, done.stderr
    return quiet(agent)


@pytest.mark.parametrize("words", [["perl", "statsd.pl"], ["ruby", "statsd.rb"], ["node", "lynx.js"]], ids=" ".join)
def test_clients_of_other_languages(agent, words):
    samples = run(agent, *words)
    pk = f"{words[0]}.svc"
    assert read(agent, pk, "calls", "left", "bytes") == [50, -50, 1_225]
    extra = 25 if words[0] == "node" else 0
    assert read(agent, pk, "took:count", "took:sum") == [50, 1_225 + extra]
    assert read(agent, pk, "level", "depth") == [4.25 if words[0] == "perl" else 12.5, 9]
    sampled = read(agent, pk, "sampled")
    assert 0 < sampled < 200 and sampled % 2 == 0
    others = {"perl": 50 * 5 + 6, "ruby": 50 * 4 + 6 + 190, "node": 50 * 6 + 6}[words[0]]
    assert sampled / 2 == total(samples, "hailwhale_lines_total") - others


def test_what_perl_adds(agent):
    run(agent, "perl", "statsd.pl")
    assert read(agent, "perl.svc", "words") == 1_225


def test_what_ruby_adds(agent):
    run(agent, "ruby", "statsd.rb")
    assert read(agent, "ruby.svc", "users", "batched") == [37, 95]
    assert read(agent, "ruby.Svc.Inner", "a_b_c_d") == 9
    count, least = read(agent, "ruby.svc", "block:count", "block:min")
    assert count == 1 and 20 <= least < 5_000


def test_what_node_adds(agent):
    run(agent, "node", "lynx.js")
    assert read(agent, "node.svc", "less", "users", "words", "spread:sum", "took:max") == [-50, 7, 3, 5, 49.5]
