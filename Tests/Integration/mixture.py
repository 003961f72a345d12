"""A seeded mixture of everything that counts, by every way in, and what every reading of it must say.

Works the contract out by itself: nothing here is shared with the agent but the text of `protocol/`.
"""

import collections
import decimal
import json
import random

Decimal = decimal.Decimal
PARTS = ["mix", "a", "b.c", "größe", "x|y", "42"]
PATHS = [
    ["country", "US"], ["country", "DE"], ["geo", "US", "CA", "SF"], ["geo", "US", "NY"], ["flag"], ["url", "http://x/?a=b"],
    ["v", "1:2"],
]
HOUR, DAY = 3_600, 86_400
# Kept for at least so long after the bucket's end, from the defaults of `--resolutions`.
KEPT = {10: HOUR, 60: DAY, HOUR: 31 * DAY, DAY: 730 * DAY}
# Ages that are far from every edge, by the resolutions that still keep them.
AGES = [None] * 6 + [300, 1_500, 3 * HOUR, 20 * HOUR, 5 * DAY, 25 * DAY, 200 * DAY]


def escaped(part):
    return "".join(f"%{ord(letter):02X}" if letter in "%.:|,#=>@/" else letter for letter in part)


class Mixture:
    def __init__(self, seed, count, now):
        self.source = random.Random(seed)
        self.now = now
        # By subject, group, metric and age.
        self.cells = collections.defaultdict(Decimal)
        self.lines = 0
        self.items = [self._item() for _ in range(count)]

    def _item(self):
        """("line", text) or ("event", parameters of /count)."""
        source = self.source
        subject = ["mix"] + source.sample(PARTS[1:], source.randint(0, 3))
        paths = source.sample(PATHS, source.choice([0, 1, 1, 2, 3]))
        age = source.choice(AGES)
        at = None if age is None else self.now - age
        way = source.random()
        if way < 0.55:
            return "line", self._event_line(subject, paths, at, age)
        if way < 0.9:
            return "line", self._statsd_line(subject, paths, at, age)
        return "event", self._call(subject, paths, at, age)

    def _number(self):
        """A value as text, and what it is."""
        text = self.source.choice(["1", "-3", "0.5", "-0.000001", "12.345678", "1e3", "2.5e-2", "+7", ".25", "1000000.5"])
        return text, Decimal(text)

    def _rate(self):
        return self.source.choice([None, None, None, ("0.5", 2), ("0.1", 10), ("1", 1), ("0.25", 4)])

    def _sections(self, paths, rate, at):
        text = f"|@{rate[0]}" if rate else ""
        if paths:
            # A tag twice counts once.
            tags = [":".join([escaped(path[0]), ">".join(escaped(part) for part in path[1:])]).rstrip(":") for path in paths]
            text += "|#" + ",".join(tags + tags[:1])
        return text + (f"|T{at}" if at else "")

    def _event_line(self, subject, paths, at, age):
        values, rate = {}, self._rate()
        for name in self.source.sample(["m", "n", "hits", "pro/fit"], self.source.randint(1, 3)):
            values[name] = self._number()
        factor = rate[1] if rate else 1
        metrics = {name: value * factor for name, (_, value) in values.items()}
        metrics.setdefault("hits", Decimal(factor))
        self._count(subject, prefixes(paths), metrics, age)
        text = ":".join(f"{escaped(name)}={text}" for name, (text, _) in values.items())
        return ".".join(map(escaped, subject)) + f":{text}|c" + self._sections(paths, rate, at)

    def _statsd_line(self, subject, paths, at, age):
        packed = [self._number() for _ in range(self.source.choice([1, 1, 2, 5]))]
        rate = self._rate()
        value = sum(value for _, value in packed) * (rate[1] if rate else 1)
        self._count(subject, prefixes(paths), {"m": value}, age)
        name = ".".join(map(escaped, subject)) + ".m:"
        return name + ":".join(text for text, _ in packed) + "|c" + self._sections(paths, rate, at)

    def _call(self, subject, paths, at, age):
        values = {name: self._number() for name in self.source.sample(["m", "n"], self.source.randint(0, 2))}
        metrics = {name: value for name, (_, value) in values.items()} | {"hits": Decimal(1)}
        form = self.source.choice(["exact", "nested", "path"])
        if form == "exact" and paths:
            dimensions, groups = paths, {tuple(path) for path in paths}
        elif form == "nested" and paths:
            dimensions = {}
            for path in paths:
                place = dimensions
                for part in path:
                    place = place.setdefault(part, {})
            groups = prefixes(paths)
        else:
            dimensions, groups = (paths[0], prefixes(paths[:1])) if paths else (None, set())
        self._count(subject, groups, metrics, age)
        call = {"pk": subject, "metrics": {name: float(text) for name, (text, _) in values.items()}}
        if dimensions is not None:
            call["dimensions"] = dimensions
        if at:
            call["at"] = self.source.choice([at, str(at), at + 0.5])
        return call

    def _count(self, subject, groups, metrics, age):
        self.lines += 1
        for length in range(1, len(subject) + 1):
            for group in groups | {()}:
                for name, value in metrics.items():
                    self.cells[tuple(subject[:length]), group, name, age] += value

    def check(self, agent):
        """Reads every subject and group at every period that ages are told apart by, and compares exactly."""
        subjects = sorted({subject for subject, _, _, _ in self.cells})
        periods = {"1m:1h": 2_000, "1h:1d": 21 * HOUR, "1d:1mo": 26 * DAY, "1d:1y": 201 * DAY, "all": None}
        compared = 0
        for subject in subjects:
            groups = sorted({group for seen, group, _, _ in self.cells if seen == subject})
            for first in range(0, len(groups), 32):
                some = groups[first:first + 32]
                answer = agent.client.post("/totals", json={
                    "pk": list(subject), "dimensions": [list(group) or ["_"] for group in some],
                    "metrics": ["hits", "m", "n", "pro%2Ffit"], "periods": list(periods),
                })
                assert answer.status_code == 200, answer.text
                totals = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
                for period, oldest in periods.items():
                    for group, values in zip(some, totals[period].values()):
                        for name in ["hits", "m", "n", "pro/fit"]:
                            wanted = sum(
                                value for age in set(AGES)
                                if (value := self.cells.get((subject, group, name, age)))
                                and (oldest is None or (age or 0) <= oldest))
                            got = values.get(name.replace("/", "%2F"), values.get(name, Decimal(0)))
                            assert got == wanted, (period, subject, group, name, got, wanted)
                            compared += 1
        return compared


def prefixes(paths):
    return {tuple(path[:length]) for path in paths for length in range(1, len(path) + 1)}
