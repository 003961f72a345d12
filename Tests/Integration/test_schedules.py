"""A seeded share of what `make faults` plays; and that the schedules would see what they look for."""

import os
import pathlib
import re

import pytest

import cells
from faults import schedules
from schedule import Schedule, judge
from strikes import FAULTS, Failure
from traffic import ACKNOWLEDGED, REFUSED, ROOT, UNKNOWN, Write

ROOT_FOLDER = pathlib.Path(__file__).resolve().parents[2]
COUNT = 14


def test_schedules_of_faults_count_everything_once():
    tally = schedules(seed=100_000, count=COUNT, jobs=os.cpu_count() or 1)
    print(tally.text())
    assert not tally.failures, tally.failures
    assert tally.count == COUNT
    assert tally.figures["acknowledged"] > 1_000 and sum(tally.struck.values()) > COUNT
    assert tally.figures["lost"] == tally.figures["reverted"] == 0


def test_a_schedule_sees_a_store_that_counts_too_much_or_too_little():
    for add, sentence in [(1, "too many"), (-1, "missing")]:
        schedule = Schedule(seed=7)
        healed = schedule._heal

        def tamper():
            healed()
            # One hit of the first write that was acknowledged.
            write = next(w for writer in schedule.writers for w in writer.writes if w.fate == ACKNOWLEDGED)
            key, field = next(
                place for place in cells.keys((*write.subject, "s0"), "hits") if schedule.store.client.hexists(*place))
            schedule.store.client.hincrby(key, field, add)

        schedule._heal, schedule.PATIENCE_SECONDS = tamper, 0.5
        with pytest.raises(Failure, match=f"[1-9][0-9]* {sentence}"):
            schedule.run()


@pytest.mark.parametrize("fate, counts, verdict", [
    (ACKNOWLEDGED, [2, 1, 1], ""), (ACKNOWLEDGED, [0, 0, 0], "missing"), (ACKNOWLEDGED, [1, 1, 0], "missing"),
    (ACKNOWLEDGED, [4, 2, 2], "wrong"), (UNKNOWN, [2, 1, 1], ""), (UNKNOWN, [0, 0, 0], ""),
    (UNKNOWN, [1, 1, 0], "missing"), (UNKNOWN, [3, 2, 1], "wrong"), (REFUSED, [0, 0, 0], ""), (REFUSED, [2, 1, 1], "wrong"),
    (ACKNOWLEDGED, [2, 2, 0], "wrong"),
])
def test_a_write_is_judged_by_what_its_caller_was_told(fate, counts, verdict):
    write = Write("w", 0, 2)
    write.fate = fate

    class Writer:
        name, writes = "w", [write]

    read = dict(zip(write.subjects(), counts)) | {(ROOT, "w"): counts[0], (ROOT,): counts[0]}
    missing, wrong = judge([write], [Writer], read)
    assert ("missing" if missing else "") + ("wrong" if wrong else "") == verdict


def test_every_row_of_the_failure_matrix_names_a_test_that_exists():
    text = (ROOT_FOLDER / "docs/faults.md").read_text()
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| fault")]
    assert len(rows) >= 30
    python = "\n".join(path.read_text() for path in (ROOT_FOLDER / "Tests/Integration").glob("*.py"))
    swift = {
        path.stem: path.read_text() for path in (ROOT_FOLDER / "Tests").glob("*Tests/*.swift")}
    for row in rows:
        assert len(row) == 4, row
        names = re.findall(r"`([^`]+)`", row[3])
        assert names, f"no test shows: {row[0]}"
        for name in names:
            if name.startswith("test_"):
                assert re.search(rf"^def {name}\(", python, re.MULTILINE), name
            elif "." in name:
                suite, function = name.split(".")
                assert re.search(rf"func {function}\(", swift.get(suite, "")), name
            else:
                assert name in FAULTS, name
