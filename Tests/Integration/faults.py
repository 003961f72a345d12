"""Random seeded schedules of faults in the middle of traffic; every event must count exactly once.

    faults.py [--count 1000] [--seed 1] [--jobs N]      that many schedules, from that seed on
    faults.py --seed 42 --count 1                       one of them alone
    faults.py --black-box [--events 200000] [--kills 50] [--seed 1]
"""

import argparse
import collections
import concurrent.futures
import multiprocessing
import os
import sys
import time

import blackbox
import clock
from schedule import Schedule
from strikes import FAULTS


def play(seed):
    began = time.monotonic()
    schedule, failure = Schedule(seed), None
    try:
        schedule.run()
    except Exception as error:  # Whatever it is, the seed must be told.
        failure = str(error)
    return seed, schedule.figures, schedule.struck, failure, time.monotonic() - began


class Tally:
    """What schedules came to, together."""

    def __init__(self):
        self.figures, self.struck = collections.Counter(), collections.Counter()
        self.count, self.failures = 0, []

    def add(self, seed, figures, struck, failure):
        self.count += 1
        self.figures.update(figures)
        self.struck.update(struck)
        if failure:
            self.failures.append((seed, failure))

    def text(self):
        figures = ", ".join(f"{self.figures[name]} {name}" for name in ["sent", "acknowledged", "stored", "lost", "reverted"])
        faults = ", ".join(f"{kind} {self.struck[kind]}" for kind in FAULTS if self.struck[kind])
        return (f"{self.count} schedules, {len(self.failures)} failed\nevents: {figures}\n"
                f"faults: {sum(self.struck.values())}: {faults}")


def schedules(seed, count, jobs, tell=print):
    """Plays schedules side by side; says how far it is, and at once which one failed."""
    tally, began = Tally(), time.monotonic()
    # Made once, here: what a worker makes would stay behind it. A fork would take threads' locks along.
    clock.library()
    with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for done in concurrent.futures.as_completed([pool.submit(play, number) for number in range(seed, seed + count)]):
            number, figures, struck, failure, _ = done.result()
            tally.add(number, figures, struck, failure)
            if failure:
                tell(f"seed {number} FAILED: {failure}\n  again alone: make faults FAULTS=\"--seed {number} --count 1\"")
            if tally.count % 25 == 0 or tally.count == count:
                tell(f"{tally.count}/{count} schedules, {len(tally.failures)} failed, {tally.figures['stored']} events "
                     f"stored, {sum(tally.struck.values())} faults, {time.monotonic() - began:.0f} s")
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--black-box", action="store_true")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    if options.black_box:
        return 0 if blackbox.main(options.seed, options.events, options.kills) else 1
    tally = schedules(options.seed, options.count, options.jobs)
    print(tally.text())
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
