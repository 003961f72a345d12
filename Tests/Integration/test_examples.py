"""Every example runs as its README says, and what it sends is read back."""

import json
import os
import shutil
import subprocess

import pytest

from agent import ROOT, environment
from readings import quiet, read

EXAMPLES = ROOT / "examples"


def run(agent, *words, timeout=30):
    """Runs an example from its folder against the agent."""
    runtime = {".js": "node", ".py": "python3", ".sh": "bash"}.get(os.path.splitext(words[0])[1], words[0])
    if shutil.which(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    host, port = agent.udp_address
    named = {"HAILWHALE_UDP_HOST": host, "HAILWHALE_UDP_PORT": str(port), "HAILWHALE_URL": f"http://{agent.http}"}
    words = [str(EXAMPLES / words[0]) if (EXAMPLES / words[0]).is_file() else words[0], *words[1:]]
    return subprocess.run(
        words, cwd=EXAMPLES, capture_output=True, text=True, timeout=timeout, env=environment(named))


SENDERS = {
    "send.py": ["Product.42", "revenue=12.5", "sales=2", "--tag", "country=US"],
    "send.js": ["Product.42", "revenue=12.5", "sales=2", "--tag", "country=US"],
    "send.sh": ["Product.42:revenue=12.5:sales=2|c|#country:US"],
}


@pytest.mark.parametrize("name", SENDERS)
def test_senders_send(agent, name):
    for _ in range(3):
        done = run(agent, name, *SENDERS[name])
        assert done.returncode == 0, done.stderr
    agent.until_lines(3)
    agent.flush()
    for pk in ["Product", "Product.42"]:
        for dimensions in [None, ["country", "US"]]:
            assert read(agent, pk, "revenue", "sales", "hits", dimensions=dimensions) == [37.5, 6, 3]


@pytest.mark.parametrize("name", ["send.py", "send.js"])
def test_senders_escape(agent, name):
    odd = "a%b:c|d,e#f=g>h@i/jü"
    done = run(agent, name, odd, "--tag", "url=http://x.org:80/?a,b")
    assert done.returncode == 0, done.stderr
    done = run(agent, name, "plain", "a|b:c=3")
    assert done.returncode == 0, done.stderr
    quiet(agent)
    totals = agent.totals(pk=json.dumps([odd]), dimensions='[["url","http://x.org:80/?a,b"]]', periods="all")["all"]
    assert [group["hits"] for group in totals.values()] == [1]
    assert read(agent, "plain", "a|b%3Ac") == 3


@pytest.mark.parametrize("words", [
    ["send.py"], ["send.js"], ["send.sh"], ["send.js", "a", "b"], ["send.py", "a", "b"], ["send.js", "a", "--tag"],
    ["totals.sh"], ["count.py"],
], ids=" ".join)
def test_wrong_words_are_refused(agent, words):
    done = run(agent, *words)
    assert done.returncode not in (0, 255), done.stderr
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_javascript_nests_dimensions(agent):
    assert run(agent, "send.js", "js", "--tag", "geo=US>CA").returncode == 0
    agent.until_lines(1)
    agent.flush()
    for dimensions in ["geo", ["geo", "US"], ["geo", "US", "CA"]]:
        assert read(agent, "js", "hits", dimensions=dimensions) == 1


def test_readers_read(agent):
    done = run(agent, "count.py", "shop", "dollars=5", "items=0.000001")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["all"]["_"] == {"dollars": 5, "items": 0.000001, "hits": 1}
    done = run(agent, "totals.sh", "shop", "dollars,hits", "1m:1h")
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["1m:1h"]["_"] == {"dollars": 5, "hits": 1}


@pytest.fixture(scope="module")
def swift_examples():
    """The folder of the Swift examples, built as a package of its own that depends on this one."""
    if shutil.which("swift") is None:
        pytest.skip("swift is not installed")
    build = ["swift", "build", "--package-path", str(EXAMPLES / "swift"), "--scratch-path", str(ROOT / ".build/examples")]
    done = subprocess.run(build, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    path = subprocess.run([*build, "--show-bin-path"], capture_output=True, text=True, timeout=60, check=True)
    return path.stdout.strip()


def test_the_swift_client_counts_exactly(agent, swift_examples):
    sales = 1_000
    host, port = agent.udp_address
    done = subprocess.run([f"{swift_examples}/shop", host, str(port), str(sales)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "dropped 0\n"), done.stderr
    # Two gauges, one of them below zero, and a timer besides the sales.
    samples = agent.until_lines(5 * sales + 4)
    assert samples['hailwhale_lines_total{outcome="rejected"}'] == 0
    agent.flush()
    assert read(agent, "shop.Product", "revenue", "items", "hits") == [12.5 * sales, 1_500, sales]
    assert read(agent, "shop.Product", "hits", dimensions=["geo", "world", "DE"]) == 333
    answer = agent.totals(pk='["shop","example.com"]', metrics="visits", periods="1m:1h")
    assert answer["1m:1h"]["_"]["visits"] == sales
    fields = ["checkout:count", "checkout:sum", "checkout:max", "buyers", "stock", "balance", "day:count"]
    assert read(agent, "shop", *fields) == [sales, sum(range(sales)), 999, 97, 0, -12.5, 1]


def test_the_swift_client_reads_what_it_counted(agent, swift_examples):
    host, port = agent.udp_address
    words = [f"{swift_examples}/report", host, str(port), agent.http.rsplit(":", 1)[1]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "revenue 37.5 a sale 12.5",
        "country [0.0, 0.0, 6.0] in all 6.0",
        "country > US [0.0, 0.0, 4.0] in all 4.0",
        "country > DE [0.0, 0.0, 2.0] in all 2.0",
        "important: country > US 25.0",
        "important: country > DE 12.5",
        "refused: 400 bad_period periods",
    ]
