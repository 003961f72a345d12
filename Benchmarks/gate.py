"""What of the line path's cost is the same in every run, held to Benchmarks/gate.json: instructions and allocations.

    make gate            builds hailwhale-bench and runs it under valgrind; ends with 1 where a limit is passed

Callgrind counts the instructions outside of the kernel between two marks; the bench counts its calls of malloc itself.
A limit is changed together with its reason.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile

BENCH = os.environ.get("HAILWHALE_BENCH", ".build/release/hailwhale-bench")
LIMITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gate.json")


def measured(words, folder):
    """The figures of one run; its debugging information is of a kind that valgrind refuses, so it runs without."""
    bare = os.path.join(folder, "hailwhale-bench")
    if not os.path.exists(bare):
        subprocess.run(["strip", "--strip-debug", "-o", bare, BENCH], check=True)
    arguments = ["valgrind", "--tool=callgrind", "--toggle-collect=bench_measured"]
    arguments += [f"--callgrind-out-file={folder}/callgrind.out", bare, *words]
    run = subprocess.run(arguments, capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(words)} failed:\n{run.stdout}{run.stderr}")
    figures = json.loads(run.stdout)
    instructions = int(re.search(r"Collected : (\d+)", run.stderr).group(1))
    if instructions == 0:
        raise SystemExit("callgrind counted nothing: bench_measured is not a function of its own any more")
    figures["instructions_a_line"] = instructions / figures["lines"]
    return figures


def main():
    with open(LIMITS) as file:
        limits = json.load(file).get(platform.machine())
    if limits is None:
        print(f"gate: no limits for {platform.machine()}, nothing is held to any")
        return 0
    passed = True
    print(f"{'run':<38}{'figure':<22}{'limit':>10}{'measured':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for run, figures in limits.items():
            found = measured(run.split(), folder)
            for name, rule in figures.items():
                is_kept = found[name] <= rule["limit"]
                passed = passed and is_kept
                mark = "" if is_kept else "  too much"
                print(f"{run:<38}{name:<22}{rule['limit']:>10g}{found[name]:>12.5g}{mark}", flush=True)
    if not passed:
        print("gate: make it cheaper, or change the limit in Benchmarks/gate.json and say why", file=sys.stderr)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
