"""A bomb of distinct names: what memory it takes, what stays exact, and what the answers say was folded.

    make bomb                                    ten million names, against the defaults
    make bomb BOMB_ARGS="--names 500000 --max-series 50000 --shape tags"

Counts known series first, then sends every name once over a unix socket, which loses nothing: the sender waits for
the agent. Each datagram also counts one of the known series once more. At the end the known series are read back to the
last tag, and the total of the bombed subject at `_`, and compared with what was sent. Resident memory is printed as it goes;
`docs/architecture.md` reckons its bound. Ends with 1 if anything differs.
"""

import argparse
import json
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from soak import Agent, chart

LINES = 25
KNOWN = 500
SHAPES = {
    "subjects": "bomb.n{0}:v=1|c|#k:v{1},region:r{2}",
    "metrics": "bomb:m{0}=1|c|#k:v{1}",
    "tags": "bomb:v=1|c|#id:n{0},k:v{1}",
}


def ask(agent, call, **parameters):
    query = urllib.parse.urlencode(parameters)
    try:
        return json.load(urllib.request.urlopen(f"http://{agent.http}/{call}?{query}", timeout=120))
    except urllib.error.HTTPError as error:
        return json.load(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--names", type=int, default=10_000_000)
    parser.add_argument("--shape", choices=SHAPES, default="subjects")
    parser.add_argument("--max-series", type=int, default=1_000_000)
    options = parser.parse_args()
    shape = SHAPES[options.shape]
    points = []
    with Agent("unix:{folder}/bomb.sock", ["--max-series", str(options.max_series)]) as agent:
        began = time.monotonic()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(agent.folder + "/bomb.sock")
            known = [f"known.s{number}:v=1|c|#k:v{number % 50},id:{number}" for number in range(KNOWN)]
            for first in range(0, KNOWN, LINES):
                sender.send("\n".join(known[first:first + LINES]).encode())
            counts, datagrams = [1] * KNOWN, 0
            for first in range(0, options.names, LINES):
                numbers = range(first, min(options.names, first + LINES))
                lines = [shape.format(number, number % 50, number % 7) for number in numbers]
                lines.append(known[datagrams % KNOWN])
                counts[datagrams % KNOWN] += 1
                datagrams += 1
                sender.send("\n".join(lines).encode())
                if datagrams % (options.names // LINES // 20) == 0:
                    points.append((time.monotonic() - began, agent.resident()))
                    print(f"{first + LINES:>11,} names  {points[-1][0]:6.1f} s  {points[-1][1]:7.1f} MB", flush=True)
        sent = options.names + sum(counts)
        while (status := agent.status())["lines"]["accepted"] + status["lines"]["rejected"] < sent:
            time.sleep(0.2)
        while (status := agent.status())["events"]["pending"]:
            time.sleep(0.5)
        print(f"all in the store after {time.monotonic() - began:.1f} s")
        faults = [f"{status['lines']['rejected']} lines rejected"] if status["lines"]["rejected"] else []
        for number, count in enumerate(counts):
            for path in ("_", f'["id","{number}"]', f'["k","v{number % 50}"]'):
                answer = ask(agent, "totals", pk=f'["known","s{number}"]', dimensions=path, metrics="hits,v", periods="all")
                got = list(answer["all"].values())[0]
                if got != {"hits": count, "v": count}:
                    faults.append(f"known.s{number} at {path}: {got}, not {count}")
        metric = "hits"
        got = ask(agent, "totals", pk="bomb", metrics=metric, periods="all")["all"]["_"][metric]
        if got != options.names:
            faults.append(f"bomb at _: {got:,}, not {options.names:,}")
        print(f"bomb, hits: _ {got:,}")
        for pk, dimension in (("bomb", "k"), ("bomb", "__other__"), ('["bomb","__other__"]', "_")):
            told = ask(agent, "totals", pk=pk, dimensions=dimension, metrics="hits,__other__", periods="all")
            print(f"{pk} at {dimension}: {json.dumps(told)}")
        peak, memory = agent.resident("VmHWM"), agent.resident()
        told = json.dumps({name: status[name] for name in ("lines", "events", "memory", "values_folded", "spool_bytes")})
    chart(points)
    print(told)
    print(f"{options.names:,} names ({options.shape}): peak {peak:.0f} MB, {memory:.0f} MB at the end")
    for fault in faults[:20]:
        print("WRONG:", fault)
    print("everything exact" if not faults else f"{len(faults)} things differ")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
