"""The spy log over HTTP, and live in a terminal."""

import subprocess

from agent import BINARY, command, environment


def lines_of(agent, **parameters):
    answer = agent.get("/spy", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_last_events_newest_first(agent):
    agent.send(*[b"spy.n%d:1|c" % number for number in range(50)])
    agent.until_lines(50)
    agent.lines("late.a:1|c\nnot a line\nlate.b:2|g\n_e{1,1}:t|x")
    agent.get("/count", pk="http", metrics='{"dollars":1.5}', dimensions='{"k":"a:b"}')
    events = lines_of(agent, limit=5)
    texts = [event["line"] for event in events]
    assert texts[0] == "http:dollars=1.5|c|#k:a%3Ab"
    assert set(texts[1:4]) == {"late.a:1|c", "late.b:2|g", "_e{1,1}:t|x"}
    assert len(events) == 5 and all(event["at"] > 1_700_000_000 for event in events)
    assert [event["line"] for event in lines_of(agent, pk="late")] in (
        ["late.b:2|g", "late.a:1|c"], ["late.a:1|c", "late.b:2|g"])
    assert len(lines_of(agent, limit=1000)) == 54
    newest = events[0]["number"]
    assert lines_of(agent, after=newest) == []
    for wrong in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"after": -1}, {"nonsense": 1}):
        assert agent.get("/spy", **wrong).status_code == 400


def test_the_log_holds_the_last_thousand(agent):
    for first in range(0, 3_000, 500):
        agent.send(*[b"many.n%d:1|c" % number for number in range(first, first + 500)])
        agent.until_lines(first + 500)
    events = lines_of(agent, limit=1000)
    numbers = {int(event["line"].split("n", 2)[2].split(":")[0]) for event in events}
    assert numbers == set(range(2_000, 3_000))


def test_tail_follows(agent):
    agent.lines("before.x:1|c")
    arguments = [BINARY, "tail", "--agent", f"http://{agent.http}", "--last", "1"]
    tail = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment())
    try:
        assert tail.stdout.readline().endswith("Z before.x:1|c\n")
        agent.lines("after.y:2|c|#k:v")
        assert tail.stdout.readline().endswith("Z after.y:2|c|#k:v\n")
    finally:
        tail.terminate()
        tail.wait()
    once = command("tail", "--agent", f"http://{agent.http}", "--no-follow")
    assert [line.split(" ", 1)[1] for line in once.stdout.splitlines()] == ["before.x:1|c", "after.y:2|c|#k:v"]
