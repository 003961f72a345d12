"""Runs the fuzz targets: makes their seeds, shows progress, sums up, and keeps what crashed.

    fuzz.py PROGRAM [--seconds N | --runs N] [--target NAME] [--corpus FOLDER]
"""

import argparse
import json
import os
import pathlib
import re
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
VECTORS = ROOT / "protocol/vectors"
# What each target's input may be at most, in bytes: long enough for its bounds, short enough to be fast.
LONGEST = {
    "line": 2048, "request": 2048, "spool": 2048, "reply": 1024, "config": 1024, "address": 256, "answer": 1024,
    "zone": 2048,
}


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())["cases"]


def resp(value):
    """A value as the store sends it."""
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(resp, value))
    if isinstance(value, int):
        return b":%d\r\n" % value
    if value is None:
        return b"$-1\r\n"
    return b"$%d\r\n%s\r\n" % (len(value), value)


def zone(footer, *changes, version=b"2", offsets=(3_600, 7_200)):
    """A file of the zone database."""
    parts = []
    for size in (4, 8):
        counts = struct.pack(">6I", 0, 0, 0, len(changes), len(offsets), 4)
        times = b"".join(time.to_bytes(size, "big", signed=True) for time in changes)
        kinds = bytes(number % len(offsets) for number in range(len(changes)))
        types = b"".join(struct.pack(">iBB", offset, 0, 0) for offset in offsets)
        parts.append(b"TZif" + version + bytes(15) + counts + times + kinds + types + b"ABC\0")
    return b"".join(parts) + b"\n" + footer + b"\n"


def seeds():
    """Readable beginnings for each target: the published vectors, and what people send."""
    lines = [
        case["line"].encode() if "line" in case else bytes.fromhex(case["hex"]) for case in vectors("lines")
    ]
    batches = [b"\x02" + bytes.fromhex(case["hex"]) for case in vectors("batch")]
    segments = [bytes.fromhex(case["hex"]) for case in vectors("spool")]
    targets = [
        '/count?pk=["Product","42"]&metrics={"dollars":12.5}&dimensions={"country":"US"}&at=2026-11-23T20:57:36.5Z',
        '/totals?pk=a&metrics=["dollars/hits","t:p99.9","m:%2B","s:set"]&periods=["1d:1mo","all","mtd"]&tz=+0530',
        "/plotpoints?metrics=latency:p95&period=1h:1d&depth=2&sort=-hits&limit=5&threshold=0.1&with_totals&descending=1",
        "/plotpoints?period=1/1/2026-2/28/2026&dimensions=[['country','US'],'_']", "/subjects?prefix=[%22a%22,%22b%22]",
        "/totals?period=1700000000-1700000100&metrics=revenue/days,_count,=200",
    ]
    bodies = ['{"pk":{"geo":{"US":["CA"]}},"metrics":["a","b"],"at":1700000000.5}', '{"a":"\\ud83d\\udc33\\u00e9"}']
    options = {
        "udp": "127.0.0.1:0", "http": ["127.0.0.1:8085", "unix:/tmp/h"], "store": "redis://u:p%40@h:6379/3",
        "resolutions": "10s:1h,1m:1d,1h:31d", "sketches": "1m:1d", "window": 0.5, "views": [["country", "plan"]],
        "spool-limit": "64M", "cors": "https://a.example", "plain": "private", "zones": ["UTC"], "max-series": 10,
    }
    answers = [
        b'{"all":{"_":{"a/b":-1.5e3},"[\\"c\\", \\"d\\"]":{"a/b":0}},"truncated_before":{"all":5}}',
        b'{"_":{"n":[[1000,1],["Total",1]]},"truncated_before":5}',
        b'{"a":{"score":1,"value":1,"count":1,"difference":0,"effect":0,"important":true}}',
    ]
    return {
        "line": lines + [b"\n".join(lines[start : start + 6]) for start in range(0, len(lines), 6)],
        "request": [target.encode() for target in targets]
        + [b"/count\nj" + body.encode() for body in bodies] + [b"/count\nf" + t.encode() for t in targets],
        "spool": batches + [b"\x00" + segment for segment in segments]
        # The payloads of the records behind the header, each with its type before it.
        + [b"\x01" + segment[28:] for segment in segments if len(segment) > 28]
        # A window of one series: a counter's sum, then a timer's sample.
        + [b"\x03\x01\x00" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x0ca.b:hits=|c\n"[:-1] + b"\x80" + bytes(7) + b"\x00\x01"
           + bytes(15) + b"\x05" + bytes(4)]
        + [b"\x03\x01\x00" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x06a:b|ms"[:10] + b"\x80" + bytes(7) + b"\x00\x00"
           + b"\x00\x00\x00\x01" + bytes(3) + bytes(7) + b"\x09" + bytes(6) + b"\x0f\x42" + b"\x80" + bytes(7)],
        "reply": [
            resp([b"applied", 5, 0, 0, 0, 0, [1, 2]]), resp([b"duplicate", 7]), resp([b"gap", 2]), resp([b"missing"]),
            resp([b"partial", b"x"]), b"-NOSCRIPT no\r\n", b"-LOADING x\r\n", b"+OK\r\n", resp(None), resp([]),
            resp([b"differs", b"views", b"a", b"b"]), resp([b"created"]), resp([b"1", b"2", b"3.5", b"-4"]),
            resp([b"0", b"1700000000000 5", b"mhits:c", b"", b"gcountry>US", b""]), resp([b"a", b"b"]) + resp(b"5"),
        ],
        "config": [json.dumps({name: value}).encode() for name, value in options.items()]
        + [json.dumps(options).encode(), b"--udp=none\n--http=127.0.0.1:0\n--store=embedded"]
        + [b"redis+unix:///run/r.sock?db=2", b"redis-cluster://a:1,b:2", b"redis://:p@[::1]:6379"],
        "address": [
            b"127.0.0.1:8125", b"[::1]:8125", b"unix:/tmp/s", b"localhost:0", b"http://a.example:8080/p?x=%41",
            b"https://[fe80::1]", b"a.example.", b"/p/a%2Fb?x=1&y", b"[::ffff:1.2.3.4]:1",
        ],
        "answer": [
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body) for body in answers
        ] + [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 400 no\r\n\r\n{\"error\":{\"code\":\"x\",\"message\":\"y\"}}", *answers,
        ],
        "zone": [
            b"Europe/Berlin", zone(b"UTC0", offsets=(0,)), zone(b"", -1_000, 1_700_000_000),
            zone(b"CET-1CEST,M3.5.0,M10.5.0/3", 1_700_000_000, version=b"3"),
            zone(b"IST-1GMT0,M10.5.0,M3.5.0/1", 100, 200, 300), zone(b"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 5),
            zone(b"XXX3EDT4,0/0,J365/23", offsets=(-10_800,)), zone(b"<+1030>-10:30<+11>-11,J60,300/167:59:59", 7),
        ],
    }


def regressions(target):
    """What once crashed; kept for ever."""
    folder = ROOT / "Fuzz/finds" / target
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def run(program, target, options, folder):
    """Runs one target; its figures, and the file of its find if there was one."""
    corpus = folder / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    for path in regressions(target):
        (corpus / f"find-{path.name}").write_bytes(path.read_bytes())
    arguments = [program, target, str(corpus), "-seed=1", f"-max_len={LONGEST[target]}", "-timeout=10"]
    arguments += ["-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={folder}/{target}-"]
    arguments.append(f"-runs={options.runs}" if options.runs else f"-max_total_time={options.seconds}")
    environment = os.environ | {"SWIFT_BACKTRACE": "enable=no", "ASAN_OPTIONS": "detect_leaks=1"}
    figures = {"executions": 0, "edges": 0, "features": 0, "corpus": 0, "find": ""}
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    tail = []
    for line in process.stderr:
        status = re.match(r"#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)", line)
        if status:
            figures["executions"] = int(status[1])
            figures["edges"], figures["features"], figures["corpus"] = (int(status[n]) for n in (3, 4, 5))
            if status[2] in ("INITED", "pulse", "DONE"):
                print(f"{target:8} {line.strip()}", flush=True)
            continue
        if done := re.match(r"stat::number_of_executed_units:\s*(\d+)", line):
            figures["executions"] = int(done[1])
        if found := re.search(r"Test unit written to (\S+)", line):
            figures["find"] = found[1]
        tail = (tail + [line])[-60:]
    code = process.wait()
    if code != 0:
        figures["find"] = figures["find"] or f"exit code {code}"
        sys.stdout.write("".join(tail))
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--target", choices=sorted(LONGEST))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=0, help="so many executions instead of a time")
    parser.add_argument("--corpus", type=pathlib.Path, default=ROOT / ".build/fuzz/corpus")
    options = parser.parse_args()
    results = {}
    for target in [options.target] if options.target else LONGEST:
        results[target] = run(options.program, target, options, options.corpus)
    print(f"\n{'target':8} {'executions':>12} {'edges':>7} {'features':>9} {'corpus':>7}  find")
    for target, figures in results.items():
        print(
            f"{target:8} {figures['executions']:12,} {figures['edges']:7,} {figures['features']:9,} "
            f"{figures['corpus']:7,}  {figures['find'] or '-'}"
        )
    return 1 if any(figures["find"] for figures in results.values()) else 0


SEEDS = seeds()

if __name__ == "__main__":
    sys.exit(main())
